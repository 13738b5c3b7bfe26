// mkdir, rename, unlink and their kin: what changes a directory.
#undef _FORTIFY_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "frontends/process/interpose.h"
#include "frontends/process/raw_calls.h"

namespace kiln {
namespace {

// The answer of `files`, a function of CompileFiles, while a compile runs; else of the system call `number`.
template <typename Answer, typename... Arguments>
int answerOr(Answer answer, long number, Arguments... arguments) {
  if (Answering answering; answering) return answering.result(answer(answering.files()));
  return static_cast<int>(withErrno(raw::call(number, arguments...)));
}

int makeDirectory(int directory, const char* path, mode_t mode) {
  return answerOr([&](CompileFiles& files) { return files.makeDirectory(directory, path, mode); },
                  SYS_mkdirat, directory, path, mode);
}

int setMode(int directory, const char* path, mode_t mode) {
  return answerOr([&](CompileFiles& files) { return files.setMode(directory, path, mode); }, SYS_fchmodat,
                  directory, path, mode);
}

int renameAt(int fromDirectory, const char* from, int toDirectory, const char* to, unsigned flags) {
  return answerOr(
      [&](CompileFiles& files) {
        return flags == 0 ? files.rename(fromDirectory, from, toDirectory, to) : -EINVAL;
      },
      SYS_renameat2, fromDirectory, from, toDirectory, to, flags);
}

int linkAt(int fromDirectory, const char* from, int toDirectory, const char* to, int flags) {
  return answerOr([&](CompileFiles& files) { return files.link(fromDirectory, from, toDirectory, to); },
                  SYS_linkat, fromDirectory, from, toDirectory, to, flags);
}

int symbolicLinkAt(const char* text, int directory, const char* path) {
  return answerOr([&](CompileFiles& files) { return files.symbolicLink(directory, path); }, SYS_symlinkat,
                  text, directory, path);
}

int unlinkAt(int directory, const char* path, int flags) {
  return answerOr(
      [&](CompileFiles& files) {
        return (flags & AT_REMOVEDIR) != 0 ? files.removeDirectory(directory, path)
                                           : files.unlink(directory, path);
      },
      SYS_unlinkat, directory, path, flags);
}

}  // namespace
}  // namespace kiln

#pragma GCC visibility push(default)
extern "C" {

int mkdir(const char* path, mode_t mode) noexcept { return kiln::makeDirectory(AT_FDCWD, path, mode); }
int mkdirat(int directory, const char* path, mode_t mode) noexcept {
  return kiln::makeDirectory(directory, path, mode);
}

int chmod(const char* path, mode_t mode) noexcept { return kiln::setMode(AT_FDCWD, path, mode); }
int fchmodat(int directory, const char* path, mode_t mode, int) noexcept {
  return kiln::setMode(directory, path, mode);
}

int rename(const char* from, const char* to) noexcept {
  return kiln::renameAt(AT_FDCWD, from, AT_FDCWD, to, 0);
}
int renameat(int fromDirectory, const char* from, int toDirectory, const char* to) noexcept {
  return kiln::renameAt(fromDirectory, from, toDirectory, to, 0);
}
int renameat2(int fromDirectory, const char* from, int toDirectory, const char* to, unsigned flags) noexcept {
  return kiln::renameAt(fromDirectory, from, toDirectory, to, flags);
}

int link(const char* from, const char* to) noexcept { return kiln::linkAt(AT_FDCWD, from, AT_FDCWD, to, 0); }
int linkat(int fromDirectory, const char* from, int toDirectory, const char* to, int flags) noexcept {
  return kiln::linkAt(fromDirectory, from, toDirectory, to, flags);
}
int symlink(const char* text, const char* path) noexcept {
  return kiln::symbolicLinkAt(text, AT_FDCWD, path);
}
int symlinkat(const char* text, int directory, const char* path) noexcept {
  return kiln::symbolicLinkAt(text, directory, path);
}

int unlink(const char* path) noexcept { return kiln::unlinkAt(AT_FDCWD, path, 0); }
int unlinkat(int directory, const char* path, int flags) noexcept {
  return kiln::unlinkAt(directory, path, flags);
}
int rmdir(const char* path) noexcept { return kiln::unlinkAt(AT_FDCWD, path, AT_REMOVEDIR); }

// The C library's own, which calls the two above without a way for kiln in between.
int remove(const char* path) noexcept {
  if (kiln::unlinkAt(AT_FDCWD, path, 0) == 0) return 0;
  return errno == EISDIR ? kiln::unlinkAt(AT_FDCWD, path, AT_REMOVEDIR) : -1;
}

}  // extern "C"
#pragma GCC visibility pop
