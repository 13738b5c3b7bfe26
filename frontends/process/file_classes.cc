#include "frontends/process/file_classes.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "jit/words.h"

namespace kiln {
namespace {

// File systems that speak of the node, not of the client. Shared memory is the client's all the same.
constexpr std::array<std::string_view, 3> kKernelTrees = {"/proc", "/sys", "/dev"};
constexpr std::string_view kSharedMemory = "/dev/shm";

// Where it says whether there are names for descriptors (compile_files.h). Nothing below it.
constexpr std::string_view kDescriptors = "/proc/self/fd";

// Names under which NVRTC keeps texts of its own. It looks for them on disk in passing.
constexpr std::array<std::string_view, 2> kInventedNames = {"__nv_nvrtc_builtin_header.h", "__nv_name_map"};

bool isInKernelTree(std::string_view path) {
  if (isBelowOrSame(path, kSharedMemory)) return false;
  return std::any_of(kKernelTrees.begin(), kKernelTrees.end(),
                     [&](std::string_view tree) { return isBelowOrSame(path, tree); });
}

// The include directories, and those that clang's options name beside them.
std::vector<std::string> searchedBy(const Request& request) {
  constexpr std::array<std::string_view, 3> kOptions = {"-isystem", "-iquote", "-idirafter"};
  auto directories = request.names.includeDirectories;
  for (std::size_t i = 0; i < request.options.size(); ++i) {
    const std::string_view option = request.options[i];
    for (auto name : kOptions) {
      if (!option.starts_with(name)) continue;
      const bool isNext = option == name && i + 1 < request.options.size();
      directories.push_back(isNext ? request.options[i + 1] : std::string(option.substr(name.size())));
    }
  }
  return directories;
}

}  // namespace

FileClasses::FileClasses(const Request& request, const FileHabits& habits, std::string toolchainDirectory)
    : areThere_(habits.readsFiles),
      source_(request.names.source.empty()
                  ? ""
                  : absolutePath(request.names.source, request.names.workingDirectory)),
      probes_(habits.probes),
      searched_(searchedBy(request)),
      directories_(roleDirectories(request.names)),
      toolchainDirectory_(std::move(toolchainDirectory)) {
  for (const auto& directory : directories_) {
    auto plain = std::filesystem::path(directory.path).lexically_normal().string();
    if (plain.size() > 1 && plain.ends_with('/')) plain.pop_back();
    plainDirectories_.push_back(std::move(plain));
  }
}

FileClass FileClasses::classify(std::string_view path) const {
  if (path == "/dev/null") return FileClass::nullDevice;
  if (path == kDescriptors) return FileClass::ancestor;
  if (!areThere_) return isToolchainLibrary(path) ? FileClass::toolchain : FileClass::hidden;
  if (!source_.empty() && path == source_) return FileClass::source;
  auto above = [&](std::string_view directory) { return isBelowOrSame(directory, path); };
  if (isRoleDirectory(path)) return FileClass::roleDirectory;
  for (std::size_t i = 0; i < directories_.size() && !isWithinDirectory(path); ++i) {
    if (above(directories_[i].path) || above(plainDirectories_[i])) return FileClass::ancestor;
  }
  if (isToolchainLibrary(path)) return FileClass::toolchain;
  return isHidden(path) ? FileClass::hidden : FileClass::client;
}

bool FileClasses::isProbe(std::string_view spelling, std::string_view path) const {
  if (isRoleDirectory(path)) return false;
  const bool isHeader = std::any_of(searched_.begin(), searched_.end(), [&](const std::string& directory) {
    return spelling == directory || spelling.starts_with(includePrefix(directory));
  });
  return !isHeader && std::any_of(probes_.begin(), probes_.end(), [&](std::string_view probe) {
    return spelling == probe || (probe.ends_with('/') && spelling.starts_with(probe));
  });
}

std::string FileClasses::asNamed(std::string path) const {
  if (isRoleDirectory(path)) return path;
  auto found = std::find(plainDirectories_.begin(), plainDirectories_.end(), path);
  if (found == plainDirectories_.end()) return path;
  return directories_[static_cast<std::size_t>(found - plainDirectories_.begin())].path;
}

bool FileClasses::isRoleDirectory(std::string_view path) const {
  return std::any_of(directories_.begin(), directories_.end(),
                     [&](const RoleDirectory& directory) { return directory.path == path; });
}

// Whether it lies in one of the request's directories, which may be above another one. ".." leads out again.
bool FileClasses::isWithinDirectory(std::string_view path) const {
  return std::any_of(directories_.begin(), directories_.end(), [&](const RoleDirectory& directory) {
    return directory.path != "/" && isBelowOrSame(path, directory.path) &&
           path.substr(directory.path.size()).find("/..") == std::string_view::npos;
  });
}

// A source may well live in /dev/shm: a directory of the request opens what lies below it.
bool FileClasses::isHidden(std::string_view path) const {
  auto name = lastComponent(path);
  if (std::find(kInventedNames.begin(), kInventedNames.end(), name) != kInventedNames.end()) return true;
  if (name.starts_with("libcuda.so")) return true;
  if (!isInKernelTree(path)) return false;
  return std::none_of(directories_.begin(), directories_.end(), [&](const RoleDirectory& directory) {
    return isInKernelTree(directory.path) && isBelowOrSame(path, directory.path);
  });
}

// Only libraries, directly in the directory: distributions keep other people's files beside them.
bool FileClasses::isToolchainLibrary(std::string_view path) const {
  auto slash = path.rfind('/');
  if (path.substr(0, slash) != toolchainDirectory_) return false;
  auto name = lastComponent(path);
  return name.ends_with(".so") || name.find(".so.") != std::string_view::npos;
}

}  // namespace kiln
