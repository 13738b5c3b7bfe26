// System calls made directly. The C functions of these names are kiln-compiler's own (interpose_*.cc), and
// kiln's code must not arrive there. Results follow the kernel: negative errno on failure; the thread's errno
// is kept.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

namespace kiln::raw {

template <typename... Arguments>
long call(long number, Arguments... arguments) {
  int saved = errno;
  long result = ::syscall(number, arguments...);
  if (result == -1) result = -errno;
  errno = saved;
  return result;
}

inline int openAt(int directory, const char* path, int flags, mode_t mode = 0) {
  return static_cast<int>(call(SYS_openat, directory, path, flags, mode));
}
inline int status(int directory, const char* path, struct stat& status, int flags) {
  return static_cast<int>(call(SYS_newfstatat, directory, path, &status, flags));
}
inline int status(int descriptor, struct stat& result) {
  return status(descriptor, "", result, AT_EMPTY_PATH);
}
inline int access(int directory, const char* path, int mode) {
  return static_cast<int>(call(SYS_faccessat, directory, path, mode));
}
inline long readLink(int directory, const char* path, char* buffer, std::size_t size) {
  return call(SYS_readlinkat, directory, path, buffer, size);
}
inline int clockTime(clockid_t clock, struct timespec& time) {
  return static_cast<int>(call(SYS_clock_gettime, clock, &time));
}

}  // namespace kiln::raw
