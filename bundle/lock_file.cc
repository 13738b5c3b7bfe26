#include "bundle/lock_file.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <sstream>

#include "bundle/file.h"
#include "jit/toml/table_reader.h"

namespace kiln::bundle {
namespace {

constexpr const char* kHeading =
    "# What an application asks kiln to compile, written by `kiln record`. `kiln build` makes a bundle of "
    "it.\n"
    "# Sources and headers lie beside this file, by their SHA-256.\n";

constexpr std::array<std::pair<FileKind, std::string_view>, 7> kFileKinds = {{
    {FileKind::absent, "absent"},
    {FileKind::file, "file"},
    {FileKind::directory, "directory"},
    {FileKind::listing, "listing"},
    {FileKind::link, "link"},
    {FileKind::resolved, "resolved"},
    {FileKind::other, "other"},
}};

std::string_view kindText(FileKind kind) {
  for (const auto& [one, text] : kFileKinds) {
    if (one == kind) return text;
  }
  return "other";
}

// ---- writing

std::string tomlText(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      constexpr const char* kDigits = "0123456789abcdef";
      result += "\\u00";
      result += kDigits[byte >> 4];
      result += kDigits[byte & 15];
    } else {
      result += c;
    }
  }
  return result + "\"";
}

std::string roleText(const RolePath& path) {
  switch (path.role) {
    case FileRole::includeDirectory:
      return "include " + std::to_string(path.index);
    case FileRole::sourceDirectory:
      return "source";
    case FileRole::workingDirectory:
      return "cwd";
    case FileRole::absolute:
      break;
  }
  return "absolute";
}

class Writer {
 public:
  void text(const char* key, const std::string& value) {
    if (!value.empty()) line(key, tomlText(value));
  }
  void texts(const char* key, const std::vector<std::string>& values) {
    if (values.empty()) return;
    std::string list;
    for (const auto& value : values) list += (list.empty() ? "" : ", ") + tomlText(value);
    line(key, "[" + list + "]");
  }
  void named(const char* key, const std::vector<LockedText>& values) {
    lines(key, values, [](const LockedText& value) {
      return "name = " + tomlText(value.name) + ", sha256 = \"" + value.sha256.hex() + "\"";
    });
  }
  void files(const DependencySet& files) {
    lines("files", files, [](const Dependency& file) {
      std::string text = "role = \"" + roleText(file.path) + "\", path = " + tomlText(file.path.path) +
                         ", kind = \"" + std::string(kindText(file.kind)) + "\"";
      if (file.kind == FileKind::file) text += ", size = " + std::to_string(file.size);
      if (!file.sha256.isZero()) text += ", sha256 = \"" + file.sha256.hex() + "\"";
      if (file.fileNumber != 0) text += ", file = " + std::to_string(file.fileNumber);
      return text;
    });
  }
  void line(const char* key, const std::string& value) { out_ += std::string(key) + " = " + value + "\n"; }
  void heading(const char* text) { out_ += std::string("\n[[") + text + "]]\n"; }
  void start(const char* text) { out_ += text; }
  std::string take() { return std::move(out_); }

 private:
  template <typename List, typename Describe>
  void lines(const char* key, const List& values, const Describe& describe) {
    if (values.empty()) return;
    out_ += std::string(key) + " = [\n";
    for (const auto& value : values) out_ += "  { " + describe(value) + " },\n";
    out_ += "]\n";
  }

  std::string out_;
};

void write(Writer& out, const LockedKernel& kernel) {
  out.heading("kernel");
  out.text("name", kernel.name);
  out.text("language", std::string(kiln::name(kernel.language)));
  out.texts("targets", kernel.targets);
  out.texts("fails_for", kernel.failsFor);
  out.texts("toolchains", kernel.toolchains);
  out.text("toolchain", kernel.toolchain);
  out.texts("options", kernel.options);
  out.texts("name_expressions", kernel.nameExpressions);
  std::vector<std::string> outputs;
  for (const auto kind : kernel.outputs) outputs.emplace_back(kiln::name(kind));
  out.texts("outputs", outputs);
  out.text("virtual_architecture", kernel.virtualArchitecture);
  if (kernel.timestamp != 0) out.line("timestamp", std::to_string(kernel.timestamp));
  out.text("source", kernel.names.source);
  out.text("source_sha256", kernel.source.hex());
  out.text("working_directory", kernel.names.workingDirectory);
  out.text("temporary_directory", kernel.names.temporaryDirectory);
  out.texts("include_directories", kernel.names.includeDirectories);
  out.named("headers", kernel.headers);
  out.named("inputs", kernel.inputs);
  out.files(kernel.files);
}

// ---- reading

// One [[kernel]].
class KernelReader {
 public:
  KernelReader(const toml::table& table, const std::string& file, TomlErrors& errors)
      : reader_(table, "kernel", file, errors), file_(file), errors_(errors) {}

  LockedKernel read() {
    required("name", kernel_.name);
    readLanguage();
    if (!reader_.texts("targets", kernel_.targets) || kernel_.targets.empty())
      reader_.error("targets", "'kernel.targets' must be there, a list of one or more targets");
    reader_.texts("fails_for", kernel_.failsFor);
    checkTargets("targets", kernel_.targets);
    checkTargets("fails_for", kernel_.failsFor);
    reader_.texts("toolchains", kernel_.toolchains);
    reader_.text("toolchain", kernel_.toolchain);
    reader_.texts("options", kernel_.options);
    reader_.texts("name_expressions", kernel_.nameExpressions);
    readOutputs();
    readVirtualArchitecture();
    reader_.number("timestamp", 0, INT64_MAX, kernel_.timestamp);
    required("source", kernel_.names.source);
    readDigest(reader_, "source_sha256", kernel_.source);
    required("working_directory", kernel_.names.workingDirectory);
    reader_.text("temporary_directory", kernel_.names.temporaryDirectory);
    reader_.texts("include_directories", kernel_.names.includeDirectories);
    kernel_.headers = readTexts("headers");
    kernel_.inputs = readTexts("inputs");
    for (const auto& input : kernel_.inputs) kernel_.names.inputs.push_back(input.name);
    readFiles();
    reader_.finish();
    for (auto* sorted :
         {&kernel_.targets, &kernel_.failsFor, &kernel_.toolchains, &kernel_.nameExpressions}) {
      std::ranges::sort(*sorted);
      sorted->erase(std::unique(sorted->begin(), sorted->end()), sorted->end());
    }
    std::ranges::sort(kernel_.headers);
    return std::move(kernel_);
  }

 private:
  void required(const char* key, std::string& target) {
    if (!reader_.text(key, target) && target.empty()) {
      reader_.error(key, std::string("'kernel.") + key + "' must be there, a string");
    }
  }

  static void readDigest(TomlReader& reader, const char* key, Sha256& target) {
    std::string text;
    reader.text(key, text);
    if (auto digest = Sha256::fromHex(text)) {
      target = *digest;
    } else {
      reader.error(key, std::string("'") + key + "' must be there, a SHA-256: 64 hexadecimal digits");
    }
  }

  void readLanguage() {
    std::string text;
    required("language", text);
    if (auto language = parseLanguage(text)) {
      kernel_.language = *language;
    } else if (!text.empty()) {
      reader_.error("language",
                    "'kernel.language' must be one of " + languageNames() + "; here is '" + text + "'");
    }
  }

  void checkTargets(const char* key, const std::vector<std::string>& targets) {
    for (const auto& text : targets) {
      if (auto target = parseTarget(text); !target) reader_.error(key, target.error().message);
    }
  }

  void readOutputs() {
    std::vector<std::string> texts;
    reader_.texts("outputs", texts);
    for (const auto& text : texts) {
      if (auto kind = parseOutputKind(text)) {
        kernel_.outputs.push_back(*kind);
      } else {
        reader_.error("outputs",
                      "'kernel.outputs' must be of " + outputKindNames() + "; here is '" + text + "'");
      }
    }
    std::ranges::sort(kernel_.outputs);
  }

  void readVirtualArchitecture() {
    if (!reader_.text("virtual_architecture", kernel_.virtualArchitecture)) return;
    const auto target = parseTarget(kernel_.virtualArchitecture);
    if (target && target->kind == Target::Kind::nvidiaVirtual) return;
    reader_.error("virtual_architecture",
                  "'kernel.virtual_architecture' must be one like compute_80; here is '" +
                      kernel_.virtualArchitecture + "'");
  }

  std::vector<LockedText> readTexts(const char* key) {
    std::vector<LockedText> texts;
    for (const auto* table : reader_.sections(key)) {
      TomlReader reader(*table, key, file_, errors_);
      LockedText text;
      if (!reader.text("name", text.name)) reader.error("name", "it must have a 'name', a string");
      readDigest(reader, "sha256", text.sha256);
      reader.finish();
      texts.push_back(std::move(text));
    }
    return texts;
  }

  void readFiles() {
    std::map<std::uint32_t, Sha256> contents;
    for (const auto* table : reader_.sections("files")) {
      TomlReader reader(*table, "files", file_, errors_);
      if (auto file = readFile(reader)) {
        if (file->kind == FileKind::file) checkNumber(reader, *file, contents);
        kernel_.files.push_back(std::move(*file));
      }
      reader.finish();
    }
    kernel_.files = normalised(std::move(kernel_.files));
  }

  // Without their numbers the compiler could not tell one file from a copy, and would take one for the other
  // without a word. `contents`: of the numbers so far.
  static void checkNumber(TomlReader& reader, const Dependency& file,
                          std::map<std::uint32_t, Sha256>& contents) {
    if (file.fileNumber == 0) {
      reader.error("file",
                   "'files.file' must be there, a number: equal for what is one file, another for a copy");
    } else if (contents.try_emplace(file.fileNumber, file.sha256).first->second != file.sha256) {
      reader.error("file",
                   "'files.file' is " + std::to_string(file.fileNumber) +
                       " for two contents; what is one file has one content, so give this another number");
    }
  }

  std::optional<Dependency> readFile(TomlReader& reader) {
    Dependency file;
    std::string role;
    std::string kind;
    reader.text("role", role);
    const bool hasPath = reader.text("path", file.path.path);
    reader.text("kind", kind);
    reader.number("size", 0, INT64_MAX, file.size);
    reader.number("file", 1, UINT32_MAX, file.fileNumber);
    if (!readRole(role, file.path)) {
      reader.error(
          "role",
          "'files.role' must be source, cwd, absolute, or include and the number of an include directory of "
          "the kernel; here is '" +
              role + "'");
      return std::nullopt;
    }
    if (!hasPath || file.path.path.starts_with('/') != (file.path.role == FileRole::absolute)) {
      reader.error("path",
                   "'files.path' must be there, a path that begins with '/' for the role absolute, and "
                   "with none for another; here is '" +
                       file.path.path + "'");
      return std::nullopt;
    }
    const auto found = std::ranges::find(kFileKinds, kind, [](const auto& one) { return one.second; });
    if (found == kFileKinds.end()) {
      reader.error(
          "kind",
          "'files.kind' must be absent, file, directory, listing, link, resolved or other; here is '" + kind +
              "'");
      return std::nullopt;
    }
    file.kind = found->first;
    const bool hasContent =
        file.kind != FileKind::absent && file.kind != FileKind::directory && file.kind != FileKind::other;
    if (hasContent) readDigest(reader, "sha256", file.sha256);
    return file;
  }

  bool readRole(std::string_view text, RolePath& path) {
    constexpr std::string_view kInclude = "include ";
    if (text == "source") return path.role = FileRole::sourceDirectory, true;
    if (text == "cwd") return path.role = FileRole::workingDirectory, true;
    if (text == "absolute") return path.role = FileRole::absolute, true;
    if (!text.starts_with(kInclude)) return false;
    path.role = FileRole::includeDirectory;
    const auto digits = text.substr(kInclude.size());
    const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), path.index);
    return problem == std::errc() && end == digits.data() + digits.size() &&
           path.index < kernel_.names.includeDirectories.size();
  }

  TomlReader reader_;
  const std::string& file_;
  TomlErrors& errors_;
  LockedKernel kernel_;
};

std::string joined(const TomlErrors& errors) {
  constexpr std::size_t kMostShown = 10;
  std::string text;
  for (std::size_t i = 0; i < std::min(errors.size(), kMostShown); ++i)
    text += (i == 0 ? "" : "\n") + errors[i];
  if (errors.size() > kMostShown) text += "\nand " + std::to_string(errors.size() - kMostShown) + " more";
  return text;
}

}  // namespace

std::string writeLock(const Lock& lock) {
  Writer out;
  out.start(kHeading);
  out.line("version", std::to_string(kLockVersion));
  for (const auto& kernel : lock.kernels) write(out, kernel);
  for (const auto& one : lock.uncaptured) {
    out.heading("uncaptured");
    out.text("name", one.name);
    out.text("reason", one.reason);
  }
  return out.take();
}

BundleResult<Lock> parseLock(std::string_view text, const std::string& file) {
  if (text.contains('\0')) {
    return std::unexpected(BundleError{"'" + file +
                                       "' is no lock but a binary file, as a bundle is; give the lock that "
                                       "kiln record wrote"});
  }
  toml::table table;
  try {
    table = toml::parse(text, file);
  } catch (const toml::parse_error& error) {
    std::ostringstream message;
    message << file << ":" << error.source().begin.line << ": " << error.description();
    return std::unexpected(BundleError{message.str()});
  }
  TomlErrors errors;
  TomlReader reader(table, "", file, errors);
  int version = 0;
  reader.number("version", 1, INT32_MAX, version);
  if (version > kLockVersion) {
    return std::unexpected(BundleError{file + " is a lock of version " + std::to_string(version) +
                                       ", and this kiln reads " + std::to_string(kLockVersion) +
                                       "; use a newer kiln"});
  }
  if (version == 0 && errors.empty()) {
    return std::unexpected(
        BundleError{file + " is no lock: it does not say its version; kiln record writes one"});
  }
  std::vector<Lock> parts;
  for (const auto* kernel : reader.sections("kernel")) {
    parts.push_back({{KernelReader(*kernel, file, errors).read()}, {}});
  }
  Lock rest;
  for (const auto* one : reader.sections("uncaptured")) {
    TomlReader part(*one, "uncaptured", file, errors);
    Uncaptured uncaptured;
    part.text("name", uncaptured.name);
    part.text("reason", uncaptured.reason);
    part.finish();
    rest.uncaptured.push_back(std::move(uncaptured));
  }
  reader.finish();
  if (!errors.empty()) return std::unexpected(BundleError{joined(errors)});
  parts.push_back(std::move(rest));
  return merged(std::move(parts));
}

BundleResult<Lock> readLock(const std::filesystem::path& file) {
  const auto text = readWhole(file, kMaxLockSize, Links::followed);
  if (!text) {
    std::error_code error;
    const bool isThere = std::filesystem::exists(file, error);
    return std::unexpected(
        BundleError{"cannot read the lock: " + text.error().text +
                    (isThere ? "; give the file that kiln record wrote"
                             : "; kiln record -o " + file.string() + " -- COMMAND makes one")});
  }
  return parseLock(*text, file.string());
}

bool looksLikeLock(const std::filesystem::path& file) {
  const std::string_view heading(kHeading);
  const auto start = readStart(file, heading.size(), Links::followed);
  return start && *start == heading;
}

}  // namespace kiln::bundle
