#include "frontends/nvrtc/discovery.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

namespace kiln::nvrtc {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kLibraryPrefix = "libnvrtc.so";
constexpr std::string_view kBuiltinsPrefix = "libnvrtc-builtins.so.";

// "12.9" of "libnvrtc.so.12.9.86", "13" of "libnvrtc.so.13": the version as far as it names the builtins.
std::string builtinsVersion(std::string_view name) {
  if (name.size() <= kLibraryPrefix.size()) return {};
  auto version = name.substr(kLibraryPrefix.size() + 1);
  auto minor = version.find('.');
  auto end = minor == std::string_view::npos ? minor : version.find('.', minor + 1);
  return std::string(version.substr(0, end));
}

bool tellsPatch(std::string_view version) { return std::ranges::count(version, '.') >= 2; }

// Whether both say which patch of a version they are, and not the same: what half an upgrade leaves.
bool areOfTwoPatches(std::string_view library, std::string_view builtins) {
  library.remove_prefix(std::min(kLibraryPrefix.size() + 1, library.size()));
  builtins.remove_prefix(std::min(kBuiltinsPrefix.size(), builtins.size()));
  return tellsPatch(library) && tellsPatch(builtins) && library != builtins;
}

}  // namespace

LibraryKind libraryKind() { return {.stems = {"libnvrtc"}, .vendor = &nvidia(), .companions = builtinsOf}; }

std::vector<fs::path> builtinsOf(const fs::path& library) {
  auto version = builtinsVersion(library.filename().native());
  std::set<fs::path> builtins;
  for (const auto& path : entriesOf(library.parent_path())) {
    auto name = path.filename().native();
    if (!name.starts_with(kBuiltinsPrefix)) continue;
    auto rest = name.substr(kBuiltinsPrefix.size());
    if (!rest.starts_with(version)) continue;
    if (!version.empty() && rest.size() > version.size() && rest[version.size()] != '.') continue;
    std::error_code error;
    auto canonical = fs::canonical(path, error);
    if (error || areOfTwoPatches(library.filename().native(), canonical.filename().native())) continue;
    builtins.insert(canonical);
  }
  return {builtins.begin(), builtins.end()};
}

}  // namespace kiln::nvrtc
