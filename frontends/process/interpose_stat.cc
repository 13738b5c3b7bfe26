// stat, statx, access and their kin.
#undef _FORTIFY_SOURCE
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cstring>

#include "frontends/process/interpose.h"
#include "frontends/process/raw_calls.h"

static_assert(sizeof(struct stat) == sizeof(struct stat64), "the two forms are one on 64-bit Linux");

namespace kiln {
namespace {

int statusAt(int directory, const char* path, void* result, int flags) {
  auto& status = *static_cast<struct stat*>(result);
  if (Answering answering; answering) {
    return answering.result(answering.files().status(directory, path, flags, status));
  }
  return withErrno(raw::status(directory, path, status, flags));
}

int statusOf(int descriptor, void* result) {
  auto& status = *static_cast<struct stat*>(result);
  if (Answering answering; answering) {
    return answering.result(answering.files().status(descriptor, status));
  }
  return withErrno(raw::status(descriptor, status));
}

void convert(struct statx& extended, const struct stat& status) {
  std::memset(&extended, 0, sizeof extended);
  extended.stx_mask = STATX_BASIC_STATS;
  extended.stx_blksize = static_cast<__u32>(status.st_blksize);
  extended.stx_nlink = static_cast<__u32>(status.st_nlink);
  extended.stx_uid = status.st_uid;
  extended.stx_gid = status.st_gid;
  extended.stx_mode = static_cast<__u16>(status.st_mode);
  extended.stx_ino = status.st_ino;
  extended.stx_size = static_cast<__u64>(status.st_size);
  extended.stx_blocks = static_cast<__u64>(status.st_blocks);
  extended.stx_dev_major = major(status.st_dev);
  extended.stx_dev_minor = minor(status.st_dev);
}

int accessAt(int directory, const char* path, int mode) {
  if (Answering answering; answering) {
    return answering.result(answering.files().access(directory, path, mode));
  }
  return withErrno(raw::access(directory, path, mode));
}

// The C library's access check for the effective user, with flags, is more than a system call on older
// kernels.
int accessWithFlags(int directory, const char* path, int mode, int flags, const char* realName) {
  if (Answering answering; answering) {
    return answering.result(answering.files().access(directory, path, mode));
  }
  return reinterpret_cast<int (*)(int, const char*, int, int)>(realFunction(realName))(directory, path, mode,
                                                                                       flags);
}

}  // namespace
}  // namespace kiln

using kiln::statusAt;
using kiln::statusOf;

#pragma GCC visibility push(default)
extern "C" {

int stat(const char* path, struct stat* result) noexcept { return statusAt(AT_FDCWD, path, result, 0); }
int stat64(const char* path, struct stat64* result) noexcept { return statusAt(AT_FDCWD, path, result, 0); }
int lstat(const char* path, struct stat* result) noexcept {
  return statusAt(AT_FDCWD, path, result, AT_SYMLINK_NOFOLLOW);
}
int lstat64(const char* path, struct stat64* result) noexcept {
  return statusAt(AT_FDCWD, path, result, AT_SYMLINK_NOFOLLOW);
}
int fstat(int descriptor, struct stat* result) noexcept { return statusOf(descriptor, result); }
int fstat64(int descriptor, struct stat64* result) noexcept { return statusOf(descriptor, result); }
int fstatat(int directory, const char* path, struct stat* result, int flags) noexcept {
  return statusAt(directory, path, result, flags);
}
int fstatat64(int directory, const char* path, struct stat64* result, int flags) noexcept {
  return statusAt(directory, path, result, flags);
}

// What the functions above were called before glibc 2.33; the first argument is the layout's version, of
// which 64-bit Linux has one.
int __xstat(int, const char* path, struct stat* result) { return statusAt(AT_FDCWD, path, result, 0); }
int __xstat64(int, const char* path, struct stat64* result) { return statusAt(AT_FDCWD, path, result, 0); }
int __lxstat(int, const char* path, struct stat* result) {
  return statusAt(AT_FDCWD, path, result, AT_SYMLINK_NOFOLLOW);
}
int __lxstat64(int, const char* path, struct stat64* result) {
  return statusAt(AT_FDCWD, path, result, AT_SYMLINK_NOFOLLOW);
}
int __fxstat(int, int descriptor, struct stat* result) { return statusOf(descriptor, result); }
int __fxstat64(int, int descriptor, struct stat64* result) { return statusOf(descriptor, result); }
int __fxstatat(int, int directory, const char* path, struct stat* result, int flags) {
  return statusAt(directory, path, result, flags);
}
int __fxstatat64(int, int directory, const char* path, struct stat64* result, int flags) {
  return statusAt(directory, path, result, flags);
}

int statx(int directory, const char* path, int flags, unsigned mask, struct statx* result) noexcept {
  if (kiln::Answering answering; answering) {
    struct stat status;
    int outcome = answering.result(answering.files().status(directory, path, flags, status));
    if (outcome >= 0) kiln::convert(*result, status);
    return outcome;
  }
  return static_cast<int>(kiln::withErrno(kiln::raw::call(SYS_statx, directory, path, flags, mask, result)));
}

int access(const char* path, int mode) noexcept { return kiln::accessAt(AT_FDCWD, path, mode); }
int faccessat(int directory, const char* path, int mode, int flags) noexcept {
  if (flags == 0) return kiln::accessAt(directory, path, mode);
  return kiln::accessWithFlags(directory, path, mode, flags, "faccessat");
}
int eaccess(const char* path, int mode) noexcept { return faccessat(AT_FDCWD, path, mode, AT_EACCESS); }
int euidaccess(const char* path, int mode) noexcept { return faccessat(AT_FDCWD, path, mode, AT_EACCESS); }

}  // extern "C"
#pragma GCC visibility pop
