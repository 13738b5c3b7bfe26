// Where a build keeps what it has compiled until the bundle is whole.
#pragma once

#include <kj/io.h>

#include <expected>
#include <filesystem>
#include <string>

namespace kiln::cli {

// A folder beside the bundle, which one process has at a time. An interrupted build leaves it behind for the
// next one.
class BuildFolder {
 public:
  // Makes it unless it is there. The error says why it cannot be had.
  static std::expected<BuildFolder, std::string> take(const std::filesystem::path& path);
  // Removes it if there is nothing to keep.
  ~BuildFolder();
  BuildFolder(BuildFolder&& other) = default;
  BuildFolder& operator=(BuildFolder&&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  // Whether a later build is to find it; until then whether it was there before this one.
  void keep(bool isToKeep) { isToKeep_ = isToKeep; }

 private:
  BuildFolder(std::filesystem::path path, kj::AutoCloseFd lock, bool isToKeep)
      : path_(std::move(path)), lock_(std::move(lock)), isToKeep_(isToKeep) {}

  std::filesystem::path path_;
  kj::AutoCloseFd lock_;  // none: it was moved from
  bool isToKeep_;
};

}  // namespace kiln::cli
