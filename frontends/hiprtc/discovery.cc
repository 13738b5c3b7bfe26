#include "frontends/hiprtc/discovery.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "frontends/needed_libraries.h"
#include "jit/words.h"

namespace kiln::hiprtc {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kComgr = "libamd_comgr.so";
constexpr std::string_view kBuiltins = "libhiprtc-builtins.so";

// What begins with `stem` in `directory`, canonical, each once.
std::vector<fs::path> filesNamed(const fs::path& directory, std::string_view stem) {
  std::vector<fs::path> files;
  for (const auto& path : entriesOf(directory)) {
    std::error_code error;
    auto canonical = fs::canonical(path, error);
    if (error || !path.filename().native().starts_with(stem)) continue;
    if (std::ranges::find(files, canonical) == files.end()) files.push_back(std::move(canonical));
  }
  return files;
}

// Until HIP 5.2 hiprtc is a part of the runtime; after that the runtime only passes calls on, or has none.
bool isHiprtc(const fs::path& library) {
  const auto name = library.filename().native();
  if (name.starts_with("libhiprtc.so")) return true;
  return name.starts_with("libamdhip64.so.5") && filesNamed(library.parent_path(), "libhiprtc.so").empty();
}

// The file that the dynamic loader finds for `name`, needed by `library`, in the places that `library` names
// or beside it.
fs::path resolve(const std::string& name, const fs::path& library, std::vector<fs::path> directories) {
  directories.push_back(library.parent_path());
  return resolveIn(name, directories);
}

bool isOfLlvm(std::string_view name) {
  constexpr std::array<std::string_view, 3> kStems = {"libLLVM", "libclang", "liblld"};
  return std::ranges::any_of(kStems, [&](std::string_view stem) { return name.starts_with(stem); });
}

// The one that `library` needs, or opens: then there is no telling but by its place.
fs::path comgrOf(const fs::path& library) {
  const auto needed = neededBy(library);
  for (const auto& name : needed.names) {
    if (name.starts_with(kComgr)) return resolve(name, library, needed.directories);
  }
  const auto beside = filesNamed(library.parent_path(), kComgr);
  return beside.empty() ? fs::path() : beside.back();
}

// "5" of "libamdhip64.so.5.2.21153"; empty if the name does not tell.
std::string majorInName(const fs::path& library) {
  const auto version = versionInName(library);
  return version.substr(0, version.find('.'));
}

}  // namespace

LibraryKind libraryKind() {
  return {.stems = {"libhiprtc", "libamdhip64"},
          .vendor = &amd(),
          .accepts = isHiprtc,
          .companionStems = {"libamd_comgr"},
          .companions = companionsOf};
}

std::vector<fs::path> companionsOf(const fs::path& library) {
  std::vector<fs::path> companions;
  if (const auto comgr = comgrOf(library); !comgr.empty()) {
    const auto needed = neededBy(comgr);
    for (const auto& name : needed.names) {
      if (!isOfLlvm(name)) continue;
      if (auto path = resolve(name, comgr, needed.directories); !path.empty()) companions.push_back(path);
    }
    companions.push_back(comgr);
  }
  for (auto& builtins : filesNamed(library.parent_path(), kBuiltins)) {
    if (majorInName(builtins) == majorInName(library)) companions.push_back(std::move(builtins));
  }
  return companions;
}

std::string versionInName(const fs::path& library) {
  constexpr std::string_view kBefore = ".so.";
  const auto name = library.filename().native();
  const auto at = name.find(kBefore);
  if (at == std::string::npos) return {};
  auto version = name.substr(at + kBefore.size());
  if (version.empty() || !isDigit(version.front())) return {};
  const auto minor = version.find('.');
  return version.substr(0, minor == std::string::npos ? minor : version.find('.', minor + 1));
}

}  // namespace kiln::hiprtc
