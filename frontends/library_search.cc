#include "frontends/library_search.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace kiln {
namespace {

namespace fs = std::filesystem;

// The toolkit's folders of libraries to link against, with nothing in them.
bool isStub(const fs::path& path) { return path.parent_path().filename() == "stubs"; }

// Collects libraries of one kind, each once.
class Finder {
 public:
  explicit Finder(const LibraryKind& kind) : kind_(kind), prefix_(std::string(kind.stem) + ".so") {}

  void addFile(const fs::path& path) {
    std::error_code error;
    auto canonical = fs::canonical(path, error);
    if (error || isStub(canonical) || !fs::is_regular_file(canonical, error)) return;
    if (!seen_.insert(canonical).second) return;
    FoundLibrary library{canonical,
                         fs::absolute(path, error),
                         {canonical},
                         stampFolder(canonical.parent_path().string(), std::string(kind_.stem))};
    if (kind_.companions != nullptr) {
      for (auto& file : kind_.companions(canonical)) library.files.push_back(std::move(file));
    }
    found_.push_back(std::move(library));
  }

  // One that was named by itself may be another build, "libnvrtc.alt.so.13".
  void addNamed(const fs::path& path) {
    if (path.filename().native().starts_with(kind_.stem)) addFile(path);
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

  // A CUDA toolkit, or what is laid out like one.
  void addPrefix(const fs::path& prefix) {
    for (const char* folder : {"lib64", "lib", "targets/x86_64-linux/lib"}) addDirectory(prefix / folder);
  }

  // NVIDIA's wheels.
  void addWheels(const fs::path& sitePackages) {
    addDirectory(sitePackages / kind_.wheelFolder);
    for (const auto& package : entriesOf(sitePackages / "nvidia")) {
      if (package.filename().native().starts_with("cu")) addDirectory(package / "lib");
    }
  }

  // The libraries in the dynamic loader's cache. Every path stands in it as a text ended by NUL, whatever the
  // format's version; what happens to look like one is found out to be no file.
  void addLoaderCache() {
    std::ifstream file("/etc/ld.so.cache", std::ios::binary);
    const std::string cache{std::istreambuf_iterator<char>(file), {}};
    const std::string name = "/" + prefix_;
    for (auto at = cache.find(name); at != std::string::npos; at = cache.find(name, at + 1)) {
      auto start = cache.rfind('\0', at);
      start = start == std::string::npos ? 0 : start + 1;
      fs::path path = cache.substr(start, std::min(cache.find('\0', at), cache.size()) - start);
      if (isLibraryName(path.filename().native())) addFile(path);
    }
  }

  std::vector<FoundLibrary> take() { return std::move(found_); }

 private:
  // "libnvrtc.so", "libnvrtc.so.13". The .alt libraries are another allocator's build of the same compiler.
  [[nodiscard]] bool isLibraryName(std::string_view name) const {
    return name.starts_with(prefix_) &&
           name.find_first_not_of("0123456789.", prefix_.size()) == std::string_view::npos;
  }

  const LibraryKind& kind_;
  const std::string prefix_;
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

// The variables of the environment that name a toolkit, and what they name.
std::vector<std::pair<std::string, fs::path>> namedByEnvironment() {
  std::vector<std::pair<std::string, fs::path>> named;
  for (const char* variable : {"CUDA_HOME", "CUDA_PATH"}) {
    const char* prefix = std::getenv(variable);
    if (prefix != nullptr && *prefix != '\0') named.emplace_back(variable, prefix);
  }
  return named;
}

void addSystem(Finder& finder) {
  for (const auto& [variable, prefix] : namedByEnvironment()) finder.addPrefix(prefix);
  for (const auto& path : entriesOf("/usr/local")) {
    auto name = path.filename().native();
    if (name == "cuda" || name.starts_with("cuda-")) finder.addPrefix(path);
  }
  finder.addPrefix("/opt/cuda");
  finder.addDirectory("/usr/lib/x86_64-linux-gnu");
  finder.addDirectory("/usr/lib64");
  finder.addLoaderCache();
}

}  // namespace

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

std::vector<std::string> emptyPlaces(const std::vector<LibraryKind>& kinds, const ToolchainSearch& search) {
  std::vector<std::string> lines;
  auto check = [&](const std::string& who, const fs::path& place, auto add) {
    std::string names;
    for (const auto& kind : kinds) {
      Finder finder(kind);
      add(finder, place);
      if (!finder.take().empty()) return;
      names += (names.empty() ? "" : " and no ") + std::string(kind.stem);
    }
    std::error_code error;
    const bool isThere = fs::status(place, error).type() != fs::file_type::not_found;
    lines.push_back(who + " names '" + place.string() + "', which " +
                    (isThere ? "holds no " + names : "does not exist"));
  };
  for (const auto& path : search.paths) check("toolchains.paths", path, addPath);
  for (const auto& prefix : search.pythonPrefixes) {
    check("toolchains.python_prefixes", prefix, addPythonPrefix);
  }
  if (!search.system) return lines;
  for (const auto& [variable, prefix] : namedByEnvironment()) {
    check(variable, prefix, [](Finder& finder, const fs::path& place) { finder.addPrefix(place); });
  }
  return lines;
}

}  // namespace kiln
