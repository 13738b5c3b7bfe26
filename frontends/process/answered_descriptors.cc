#include "frontends/process/answered_descriptors.h"

#include <sys/mman.h>

#include "frontends/process/raw_calls.h"

namespace kiln {
namespace {

int writeAll(int descriptor, std::string_view content) {
  while (!content.empty()) {
    long written = raw::call(SYS_write, descriptor, content.data(), content.size());
    if (written == -EINTR) continue;
    if (written < 0) return static_cast<int>(written);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return static_cast<int>(raw::call(SYS_lseek, descriptor, 0, SEEK_SET));
}

}  // namespace

int AnsweredDescriptors::openFile(const FileView& view) {
  int descriptor = static_cast<int>(raw::call(SYS_memfd_create, "kiln-answer", MFD_CLOEXEC));
  if (descriptor < 0) return descriptor;
  struct stat status;
  int result = writeAll(descriptor, view.content);
  if (result >= 0) result = raw::status(descriptor, status);
  if (result < 0) {
    raw::call(SYS_close, descriptor);
    return result;
  }
  files_[keyOf(status)] = view;
  return descriptor;
}

// A real directory, so that reading from it fails as it should. Nothing but these refers to the root
// directory: the compiler is never given a real one.
int AnsweredDescriptors::openDirectory(const FileView& view) {
  int descriptor = raw::openAt(AT_FDCWD, "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return descriptor;
  struct stat status;
  if (int result = raw::status(descriptor, status); result < 0) return result;
  root_ = keyOf(status);
  directories_[descriptor] = view;
  return descriptor;
}

const FileView* AnsweredDescriptors::find(int descriptor) const {
  struct stat status;
  if (descriptor < 0 || raw::status(descriptor, status) < 0) return nullptr;
  if (auto file = files_.find(keyOf(status)); file != files_.end()) return &file->second;
  auto directory = directories_.find(descriptor);
  return directory != directories_.end() && keyOf(status) == root_ ? &directory->second : nullptr;
}

}  // namespace kiln
