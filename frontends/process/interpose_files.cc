// open, fopen, freopen and their kin.
#undef _FORTIFY_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <cstdarg>
#include <cstring>

#include "frontends/process/interpose.h"
#include "frontends/process/raw_calls.h"

namespace kiln {
namespace {

int openAt(int directory, const char* path, int flags, mode_t mode) {
  if (Answering answering; answering) {
    return answering.result(answering.files().open(directory, path, flags, mode));
  }
  return withErrno(raw::openAt(directory, path, flags, mode));
}

// The flags of open() that the mode of fopen() stands for; -EINVAL for none.
int flagsOf(const char* mode) {
  int flags = 0;
  switch (*mode) {
    case 'r':
      flags = O_RDONLY;
      break;
    case 'w':
      flags = O_WRONLY | O_CREAT | O_TRUNC;
      break;
    case 'a':
      flags = O_WRONLY | O_CREAT | O_APPEND;
      break;
    default:
      return -EINVAL;
  }
  for (const char* letter = mode + 1; *letter != '\0' && *letter != ','; ++letter) {
    if (*letter == '+') flags = (flags & ~O_ACCMODE) | O_RDWR;
    if (*letter == 'x') flags |= O_EXCL;
    if (*letter == 'e') flags |= O_CLOEXEC;
  }
  return flags;
}

int openForStream(Answering& answering, const char* path, const char* mode) {
  int flags = flagsOf(mode);
  return answering.result(flags < 0 ? flags : answering.files().open(AT_FDCWD, path, flags, 0666));
}

using OpenStream = FILE* (*)(const char*, const char*);
using ReopenStream = FILE* (*)(const char*, const char*, FILE*);

FILE* openStream(const char* path, const char* mode, const char* realName) {
  if (Answering answering; answering) {
    int descriptor = openForStream(answering, path, mode);
    FILE* stream = descriptor < 0 ? nullptr : ::fdopen(descriptor, mode);
    if (descriptor >= 0 && stream == nullptr) {
      answering.files().markUnclean("kiln could not make a stream for '" + std::string(path) + "'");
      raw::call(SYS_close, descriptor);
    }
    return stream;
  }
  return reinterpret_cast<OpenStream>(realFunction(realName))(path, mode);
}

// Without a path only the stream's mode changes. With one, the C library opens /dev/null in the stream's
// place and the descriptor below it is then exchanged.
FILE* reopenStream(const char* path, const char* mode, FILE* stream, const char* realName) {
  auto reopen = reinterpret_cast<ReopenStream>(realFunction(realName));
  if (path == nullptr) return reopen(path, mode, stream);
  Answering answering;
  if (!answering) return reopen(path, mode, stream);
  int descriptor = openForStream(answering, path, mode);
  if (descriptor < 0) {
    ::fclose(stream);
    return nullptr;
  }
  FILE* reopened = reopen("/dev/null", mode, stream);
  if (reopened != nullptr) raw::call(SYS_dup3, descriptor, ::fileno(reopened), O_CLOEXEC);
  raw::call(SYS_close, descriptor);
  return reopened;
}

mode_t modeFrom(int flags, va_list arguments) {
  bool creates = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  return creates ? va_arg(arguments, mode_t) : 0;
}

}  // namespace
}  // namespace kiln

#define KILN_MODE(flags)                          \
  va_list arguments;                              \
  va_start(arguments, flags);                     \
  mode_t mode = kiln::modeFrom(flags, arguments); \
  va_end(arguments)

#pragma GCC visibility push(default)
extern "C" {

int open(const char* path, int flags, ...) {
  KILN_MODE(flags);
  return kiln::openAt(AT_FDCWD, path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  KILN_MODE(flags);
  return kiln::openAt(AT_FDCWD, path, flags, mode);
}
int openat(int directory, const char* path, int flags, ...) {
  KILN_MODE(flags);
  return kiln::openAt(directory, path, flags, mode);
}
int openat64(int directory, const char* path, int flags, ...) {
  KILN_MODE(flags);
  return kiln::openAt(directory, path, flags, mode);
}
int creat(const char* path, mode_t mode) {
  return kiln::openAt(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}
int creat64(const char* path, mode_t mode) {
  return kiln::openAt(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

// What calls to open() become in a library that was compiled with _FORTIFY_SOURCE.
int __open_2(const char* path, int flags) { return kiln::openAt(AT_FDCWD, path, flags, 0); }
int __open64_2(const char* path, int flags) { return kiln::openAt(AT_FDCWD, path, flags, 0); }
int __openat_2(int directory, const char* path, int flags) { return kiln::openAt(directory, path, flags, 0); }
int __openat64_2(int directory, const char* path, int flags) {
  return kiln::openAt(directory, path, flags, 0);
}

FILE* fopen(const char* path, const char* mode) { return kiln::openStream(path, mode, "fopen"); }
FILE* fopen64(const char* path, const char* mode) { return kiln::openStream(path, mode, "fopen64"); }
FILE* freopen(const char* path, const char* mode, FILE* stream) {
  return kiln::reopenStream(path, mode, stream, "freopen");
}
FILE* freopen64(const char* path, const char* mode, FILE* stream) {
  return kiln::reopenStream(path, mode, stream, "freopen64");
}

}  // extern "C"
#pragma GCC visibility pop
