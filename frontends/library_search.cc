#include "frontends/library_search.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "frontends/needed_libraries.h"

namespace kiln {
namespace {

namespace fs = std::filesystem;

// Whether a library that a program of kiln's is linked with decides what it compiles: LLVM folds constants by
// the C library's mathematics.
bool isOfCompiler(std::string_view name) {
  constexpr std::array<std::string_view, 4> kStems = {"libLLVM", "libMLIR", "liblld", "libm.so"};
  return std::ranges::any_of(kStems, [&](std::string_view stem) { return name.starts_with(stem); });
}

// The toolkit's folders of libraries to link against, with nothing in them.
bool isStub(const fs::path& path) { return path.parent_path().filename() == "stubs"; }

// The variables of the environment that name a prefix of the vendor's, and what they name.
std::vector<std::pair<std::string, fs::path>> namedByEnvironment(const Vendor& vendor) {
  std::vector<std::pair<std::string, fs::path>> named;
  for (const char* variable : vendor.variables) {
    const char* prefix = std::getenv(variable);
    if (prefix != nullptr && *prefix != '\0') named.emplace_back(variable, prefix);
  }
  return named;
}

// Collects libraries of one kind, each once.
class Finder {
 public:
  explicit Finder(const LibraryKind& kind) : kind_(kind) {}

  void addFile(const fs::path& path) {
    std::error_code error;
    auto canonical = fs::canonical(path, error);
    if (error || isStub(canonical) || !fs::is_regular_file(canonical, error)) return;
    if (kind_.accepts != nullptr && !kind_.accepts(canonical)) return;
    if (!seen_.insert(canonical).second) return;
    FoundLibrary library{canonical, fs::absolute(path, error), {canonical}, stampFolders(canonical)};
    if (kind_.companions != nullptr) {
      for (auto& file : kind_.companions(canonical)) library.files.push_back(std::move(file));
    }
    found_.push_back(std::move(library));
  }

  // One that was named by itself may be another build, "libnvrtc.alt.so.13".
  void addNamed(const fs::path& path) {
    const auto name = path.filename().native();
    if (std::ranges::any_of(kind_.stems, [&](auto stem) { return name.starts_with(stem); })) addFile(path);
  }

  void addDirectory(const fs::path& directory) {
    for (const auto& path : entriesOf(directory)) {
      if (isLibraryName(path.filename().native())) addFile(path);
    }
  }

  void addTree(const fs::path& root) {
    std::error_code error;
    std::vector<fs::path> paths;
    constexpr auto kOptions = fs::directory_options::skip_permission_denied;
    for (fs::recursive_directory_iterator at(root, kOptions, error), end; !error && at != end;
         at.increment(error)) {
      if (isLibraryName(at->path().filename().native())) paths.push_back(at->path());
    }
    std::sort(paths.begin(), paths.end());
    for (const auto& path : paths) addFile(path);
  }

  // A toolkit, or what is laid out like one.
  void addPrefix(const fs::path& prefix) {
    for (const auto folder : kind_.places.ofPrefix) addDirectory(prefix / folder);
  }

  void addWheels(const fs::path& sitePackages) {
    const auto& own = kind_.places.ofSitePackages;
    for (const auto& pattern : own.empty() ? kind_.vendor->wheelFolders : own) {
      addMatching(sitePackages, pattern);
    }
  }

  // The vendor's own places.
  void addVendor() {
    for (const auto& [variable, prefix] : namedByEnvironment(*kind_.vendor)) addPrefix(prefix);
    for (const fs::path prefix : kind_.vendor->prefixes) {
      const auto versioned = prefix.filename().native() + "-";
      for (const auto& path : entriesOf(prefix.parent_path())) {
        if (path == prefix || path.filename().native().starts_with(versioned)) addPrefix(path);
      }
    }
  }

  void addDistribution() {
    for (const auto directory : kind_.places.ofDistribution) addDirectory(directory);
  }

  // The libraries in the dynamic loader's cache. Every path stands in it as a text ended by NUL, whatever the
  // format's version; what happens to look like one is found out to be no file.
  void addLoaderCache() {
    std::ifstream file("/etc/ld.so.cache", std::ios::binary);
    const std::string cache{std::istreambuf_iterator<char>(file), {}};
    for (const auto stem : kind_.stems) {
      const auto name = "/" + std::string(stem) + std::string(kind_.suffix);
      for (auto at = cache.find(name); at != std::string::npos; at = cache.find(name, at + 1)) {
        auto start = cache.rfind('\0', at);
        start = start == std::string::npos ? 0 : start + 1;
        fs::path path = cache.substr(start, std::min(cache.find('\0', at), cache.size()) - start);
        if (isLibraryName(path.filename().native())) addFile(path);
      }
    }
  }

  std::vector<FoundLibrary> take() { return std::move(found_); }

 private:
  // "libnvrtc.so", "libnvrtc.so.13". The .alt libraries are another allocator's build of the same compiler.
  [[nodiscard]] bool isLibraryName(std::string_view name) const {
    return std::ranges::any_of(kind_.stems, [&](std::string_view stem) {
      if (!name.starts_with(stem) || !name.substr(stem.size()).starts_with(kind_.suffix)) return false;
      const auto end = stem.size() + kind_.suffix.size();
      return name.find_first_not_of("0123456789.", end) == std::string_view::npos;
    });
  }

  // The libraries in the directories that `pattern` names below `directory`.
  void addMatching(const fs::path& directory, std::string_view pattern) {
    const auto end = std::min(pattern.find('/'), pattern.size());
    auto part = pattern.substr(0, end);
    const auto rest = pattern.substr(std::min(end + 1, pattern.size()));
    if (part.empty()) return addDirectory(directory);
    if (!part.ends_with('*')) return addMatching(directory / part, rest);
    part.remove_suffix(1);
    for (const auto& path : entriesOf(directory)) {
      if (path.filename().native().starts_with(part)) addMatching(path, rest);
    }
  }

  [[nodiscard]] std::vector<FolderStamp> stampFolders(const fs::path& library) const {
    std::vector<FolderStamp> stamps;
    for (const auto* stems : {&kind_.stems, &kind_.companionStems}) {
      for (const auto stem : *stems) {
        stamps.push_back(stampFolder(library.parent_path().string(), std::string(stem)));
      }
    }
    return stamps;
  }

  const LibraryKind& kind_;
  std::vector<FoundLibrary> found_;
  std::set<fs::path> seen_;
};

// A library, or a directory that holds some.
void addPath(Finder& finder, const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) {
    finder.addTree(path);
  } else {
    finder.addNamed(path);
  }
}

// The folders with Python packages below `prefix`, which may be such a folder itself.
std::vector<fs::path> sitePackages(const fs::path& prefix) {
  std::vector<fs::path> folders = {prefix};
  for (const char* library : {"lib", "lib64"}) {
    for (const auto& python : entriesOf(prefix / library)) {
      if (!python.filename().native().starts_with("python")) continue;
      folders.push_back(python / "site-packages");
      folders.push_back(python / "dist-packages");
    }
  }
  return folders;
}

void addPythonPrefix(Finder& finder, const fs::path& prefix) {
  for (const auto& folder : sitePackages(prefix)) finder.addWheels(folder);
}

void addSystem(Finder& finder) {
  finder.addVendor();
  finder.addDistribution();
  finder.addLoaderCache();
}

}  // namespace

const Vendor& nvidia() {
  static const Vendor vendor = {{"CUDA_HOME", "CUDA_PATH"},
                                {"/usr/local/cuda", "/opt/cuda"},
                                {"nvidia/cuda_nvrtc/lib", "nvidia/nvjitlink/lib", "nvidia/cu*/lib"}};
  return vendor;
}

// The wheels are those of ROCm itself, and PyTorch's, which carries what it needs of ROCm.
const Vendor& amd() {
  static const Vendor vendor = {{"ROCM_PATH", "HIP_PATH"}, {"/opt/rocm"}, {"_rocm_sdk_*/lib", "torch/lib"}};
  return vendor;
}

std::vector<fs::path> entriesOf(const fs::path& directory) {
  std::error_code error;
  std::vector<fs::path> entries;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    entries.push_back(at->path());
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

std::vector<FoundLibrary> findLibraries(const LibraryKind& kind, const ToolchainSearch& search) {
  Finder finder(kind);
  for (const auto& path : search.paths) addPath(finder, path);
  for (const auto& prefix : search.pythonPrefixes) addPythonPrefix(finder, prefix);
  if (search.system) addSystem(finder);
  return finder.take();
}

namespace {

// Where the program is if `path` names it or its directory.
fs::path programAt(const fs::path& path, std::string_view name) {
  return path.filename() == name ? path : path / name;
}

// The files of the compiler's libraries that `program` needs.
std::vector<fs::path> compilersNeededBy(const fs::path& program) {
  const auto needed = neededBy(program);
  auto directories = needed.directories;
  for (const auto* usual : {"/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib"}) {
    directories.emplace_back(usual);
  }
  std::vector<fs::path> files;
  for (const auto& library : needed.names) {
    if (!isOfCompiler(library)) continue;
    auto path = resolveIn(library, directories);
    // One that is nowhere has no identity, and then the program has none.
    files.push_back(path.empty() ? directories.back() / library : std::move(path));
  }
  return files;
}

}  // namespace

std::vector<FoundLibrary> findProgram(std::string_view name, const ToolchainSearch& search) {
  std::vector<fs::path> places;
  for (const auto& path : search.paths) places.push_back(programAt(path, name));
  if (search.system && !search.programs.empty()) places.push_back(search.programs / name);
  std::vector<FoundLibrary> found;
  for (const auto& place : places) {
    std::error_code error;
    const auto program = fs::canonical(place, error);
    if (error || !fs::is_regular_file(program, error)) continue;
    if (std::ranges::any_of(found, [&](const auto& one) { return one.library == program; })) continue;
    FoundLibrary one{program, place, {program}, {}};
    for (auto& file : compilersNeededBy(program)) one.files.push_back(std::move(file));
    found.push_back(std::move(one));
  }
  return found;
}

std::vector<std::string> emptyPlaces(const std::vector<LibraryKind>& kinds,
                                     const std::vector<std::string_view>& programs,
                                     const ToolchainSearch& search) {
  std::vector<std::string> lines;
  auto check = [&](const std::string& who, const fs::path& place, const Vendor* vendor, auto add) {
    std::string names;
    for (const auto& kind : kinds) {
      if (vendor != nullptr && kind.vendor != vendor) continue;
      Finder finder(kind);
      add(finder, place);
      if (!finder.take().empty()) return;
      names += (names.empty() ? "" : " and no ") + std::string(kind.stems.front());
    }
    std::error_code error;
    const bool isThere = fs::status(place, error).type() != fs::file_type::not_found;
    lines.push_back(who + " names '" + place.string() + "', which " +
                    (isThere ? "holds no " + names : "does not exist"));
  };
  for (const auto& path : search.paths) {
    const bool holdsProgram = std::ranges::any_of(programs, [&](std::string_view name) {
      std::error_code error;
      return fs::is_regular_file(programAt(path, name), error);
    });
    if (!holdsProgram) check("toolchains.paths", path, nullptr, addPath);
  }
  for (const auto& prefix : search.pythonPrefixes) {
    check("toolchains.python_prefixes", prefix, nullptr, addPythonPrefix);
  }
  if (!search.system) return lines;
  for (const auto* vendor : {&nvidia(), &amd()}) {
    if (std::ranges::none_of(kinds, [&](const LibraryKind& kind) { return kind.vendor == vendor; })) continue;
    for (const auto& [variable, prefix] : namedByEnvironment(*vendor)) {
      check(variable, prefix, vendor, [](Finder& finder, const fs::path& place) { finder.addPrefix(place); });
    }
  }
  return lines;
}

}  // namespace kiln
