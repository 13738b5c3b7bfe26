// readlink, realpath, getcwd and their kin.
#undef _FORTIFY_SOURCE
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "frontends/process/interpose.h"
#include "frontends/process/raw_calls.h"

namespace kiln {
namespace {

ssize_t readLinkAt(int directory, const char* path, char* buffer, std::size_t size) {
  Answering answering;
  if (!answering) return withErrno(raw::readLink(directory, path, buffer, size));
  std::string text;
  if (int outcome = answering.files().readLink(directory, path, text); outcome < 0)
    return answering.result(outcome);
  auto length = std::min(text.size(), size);
  std::memcpy(buffer, text.data(), length);
  return static_cast<ssize_t>(length);
}

// `text` with its terminator in `buffer`, which holds `size` bytes, or in new memory if there is none.
char* deliver(Answering& answering, const std::string& text, char* buffer, std::size_t size) {
  if (buffer == nullptr) {
    size = size == 0 ? text.size() + 1 : size;
    buffer = size > text.size() ? static_cast<char*>(std::malloc(size)) : nullptr;
  }
  if (buffer == nullptr || size <= text.size()) {
    answering.result(-ERANGE);
    return nullptr;
  }
  std::memcpy(buffer, text.c_str(), text.size() + 1);
  return buffer;
}

char* resolvedPath(const char* path, char* buffer) {
  Answering answering;
  if (!answering) {
    return reinterpret_cast<char* (*)(const char*, char*)>(realFunction("realpath"))(path, buffer);
  }
  std::string text;
  int outcome = path == nullptr ? -EINVAL : answering.files().resolve(path, text);
  if (outcome < 0) {
    answering.result(outcome);
    return nullptr;
  }
  return deliver(answering, text, buffer, buffer == nullptr ? 0 : PATH_MAX);
}

char* currentDirectory(char* buffer, std::size_t size) {
  Answering answering;
  if (!answering)
    return reinterpret_cast<char* (*)(char*, std::size_t)>(realFunction("getcwd"))(buffer, size);
  if (buffer != nullptr && size == 0) {
    answering.result(-EINVAL);
    return nullptr;
  }
  return deliver(answering, answering.files().workingDirectory(), buffer, size);
}

}  // namespace
}  // namespace kiln

#pragma GCC visibility push(default)
extern "C" {

ssize_t readlink(const char* path, char* buffer, size_t size) noexcept {
  return kiln::readLinkAt(AT_FDCWD, path, buffer, size);
}
ssize_t readlinkat(int directory, const char* path, char* buffer, size_t size) noexcept {
  return kiln::readLinkAt(directory, path, buffer, size);
}
char* realpath(const char* path, char* buffer) noexcept { return kiln::resolvedPath(path, buffer); }
char* canonicalize_file_name(const char* path) noexcept { return kiln::resolvedPath(path, nullptr); }
char* getcwd(char* buffer, size_t size) noexcept { return kiln::currentDirectory(buffer, size); }
char* get_current_dir_name() noexcept { return kiln::currentDirectory(nullptr, 0); }

// What the calls above become in a library that was compiled with _FORTIFY_SOURCE; the last argument is what
// the compiler knew of the buffer's size.
ssize_t __readlink_chk(const char* path, char* buffer, size_t size, size_t known) {
  if (size > known) ::abort();
  return kiln::readLinkAt(AT_FDCWD, path, buffer, size);
}
ssize_t __readlinkat_chk(int directory, const char* path, char* buffer, size_t size, size_t known) {
  if (size > known) ::abort();
  return kiln::readLinkAt(directory, path, buffer, size);
}
char* __realpath_chk(const char* path, char* buffer, size_t known) {
  if (known < PATH_MAX) ::abort();
  return kiln::resolvedPath(path, buffer);
}
char* __getcwd_chk(char* buffer, size_t size, size_t known) {
  if (size > known) ::abort();
  return kiln::currentDirectory(buffer, size);
}

}  // extern "C"
#pragma GCC visibility pop
