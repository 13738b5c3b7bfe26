// As a compiler library would have it: calls by the plain names, nothing turned into other calls by the
// headers.
#undef _FORTIFY_SOURCE
#include "tests/support/file_calls.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <string>
#include <vector>

// What calls become in libraries that were built with old headers or with _FORTIFY_SOURCE. glibc keeps the
// first group for old binaries only, so the linker is told the version.
extern "C" {
int __xstat(int version, const char* path, struct stat* result);
int __xstat64(int version, const char* path, struct stat64* result);
int __lxstat(int version, const char* path, struct stat* result);
int __lxstat64(int version, const char* path, struct stat64* result);
int __fxstat(int version, int descriptor, struct stat* result);
int __fxstat64(int version, int descriptor, struct stat64* result);
int __fxstatat(int version, int directory, const char* path, struct stat* result, int flags);
int __fxstatat64(int version, int directory, const char* path, struct stat64* result, int flags);
int __open_2(const char* path, int flags);
int __open64_2(const char* path, int flags);
int __openat_2(int directory, const char* path, int flags);
int __openat64_2(int directory, const char* path, int flags);
ssize_t __readlink_chk(const char* path, char* buffer, size_t size, size_t known);
ssize_t __readlinkat_chk(int directory, const char* path, char* buffer, size_t size, size_t known);
char* __realpath_chk(const char* path, char* buffer, size_t known);
char* __getcwd_chk(char* buffer, size_t size, size_t known);
}
asm(".symver __xstat,__xstat@GLIBC_2.2.5");
asm(".symver __xstat64,__xstat64@GLIBC_2.2.5");
asm(".symver __lxstat,__lxstat@GLIBC_2.2.5");
asm(".symver __lxstat64,__lxstat64@GLIBC_2.2.5");
asm(".symver __fxstat,__fxstat@GLIBC_2.2.5");
asm(".symver __fxstat64,__fxstat64@GLIBC_2.2.5");
asm(".symver __fxstatat,__fxstatat@GLIBC_2.4");
asm(".symver __fxstatat64,__fxstatat64@GLIBC_2.4");

namespace {

constexpr int kStatVersion = 1;  // the one that 64-bit x86 has

std::string failed() { return std::string("error: ") + strerrorname_np(errno); }
std::string number(const char* what, long long value) {
  return what + std::string(": ") + std::to_string(value);
}

std::string contentOf(int descriptor) {
  if (descriptor < 0) return failed();
  std::string text = "text: ";
  std::array<char, 4096> block{};
  ssize_t size = 0;
  while ((size = ::read(descriptor, block.data(), block.size())) > 0) text.append(block.data(), size);
  if (size < 0) text = failed();
  ::close(descriptor);
  return text;
}

std::string contentOf(FILE* stream) {
  if (stream == nullptr) return failed();
  std::string text = "text: ";
  std::array<char, 4096> block{};
  while (auto size = ::fread(block.data(), 1, block.size(), stream)) text.append(block.data(), size);
  if (::ferror(stream) != 0) text = failed();
  ::fclose(stream);
  return text;
}

std::string written(int descriptor) {
  if (descriptor < 0) return failed();
  ::close(descriptor);
  return "opened for writing";
}

std::string kindOf(unsigned mode, long long size) {
  if (S_ISREG(mode)) return "file of " + std::to_string(size) + " bytes";
  if (S_ISDIR(mode)) return "directory";
  return S_ISLNK(mode) ? "link" : "other";
}

// Calls `call` with a status of type Status and says what it filled in.
template <typename Status, typename Call>
std::string statusBy(Call call) {
  Status status{};
  if (call(&status) != 0) return failed();
  return kindOf(status.st_mode, status.st_size);
}

// The same for functions that take a descriptor.
template <typename Status, typename Call>
std::string statusOfOpened(const char* path, Call call) {
  int descriptor = ::open(path, O_RDONLY);
  if (descriptor < 0) return failed();
  auto text = statusBy<Status>([&](Status* status) { return call(descriptor, status); });
  ::close(descriptor);
  return text;
}

std::string extendedStatus(const char* path) {
  struct statx status{};
  if (::statx(AT_FDCWD, path, 0, STATX_BASIC_STATS, &status) != 0) return failed();
  return kindOf(status.stx_mode, static_cast<long long>(status.stx_size));
}

std::string granted(int result) { return result == 0 ? "granted" : failed(); }

template <typename Call>
std::string linkBy(Call call) {
  std::array<char, PATH_MAX> buffer{};
  ssize_t size = call(buffer.data(), buffer.size());
  return size < 0 ? failed() : "link: " + std::string(buffer.data(), size);
}

// For functions that return a path, in a buffer of their own or the caller's.
std::string pathIn(const char* path) { return path == nullptr ? failed() : std::string("path: ") + path; }
std::string pathFrom(char* path) {
  auto text = pathIn(path);
  ::free(path);
  return text;
}

bool isDots(const char* name) { return std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0; }

template <typename Read>
std::string namesFrom(DIR* stream, Read read) {
  std::string text = "names:";
  while (const char* name = read(stream)) {
    if (!isDots(name)) text += std::string(" ") + name;
  }
  return text;
}

const char* nextName(DIR* stream) {
  auto* entry = ::readdir(stream);
  return entry == nullptr ? nullptr : entry->d_name;
}

const char* nextName64(DIR* stream) {
  auto* entry = ::readdir64(stream);
  return entry == nullptr ? nullptr : entry->d_name;
}

// Deprecated, and still what an old compiler may call.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
const char* nextNameReentrant(DIR* stream) {
  static thread_local struct dirent entry;
  struct dirent* result = nullptr;
  return ::readdir_r(stream, &entry, &result) != 0 || result == nullptr ? nullptr : entry.d_name;
}

const char* nextNameReentrant64(DIR* stream) {
  static thread_local struct dirent64 entry;
  struct dirent64* result = nullptr;
  return ::readdir64_r(stream, &entry, &result) != 0 || result == nullptr ? nullptr : entry.d_name;
}
#pragma GCC diagnostic pop

// Opens `path` as a directory, hands it to `use`, closes it.
template <typename Use>
std::string inDirectory(const char* path, Use use) {
  DIR* stream = ::opendir(path);
  if (stream == nullptr) return failed();
  auto text = use(stream);
  if (::closedir(stream) != 0) return failed();
  return text;
}

std::string namesBy(const char* path, const char* (*read)(DIR*)) {
  return inDirectory(path, [&](DIR* stream) { return namesFrom(stream, read); });
}

std::string namesOfDescriptor(const char* path) {
  int descriptor = ::open(path, O_RDONLY | O_DIRECTORY);
  if (descriptor < 0) return failed();
  DIR* stream = ::fdopendir(descriptor);
  if (stream == nullptr) return failed();
  auto text = namesFrom(stream, nextName);
  ::closedir(stream);
  return text;
}

std::string namesAfterRewind(const char* path) {
  return inDirectory(path, [](DIR* stream) {
    namesFrom(stream, nextName);
    ::rewinddir(stream);
    return namesFrom(stream, nextName);
  });
}

std::string namesAfterReturn(const char* path) {
  return inDirectory(path, [](DIR* stream) {
    long start = ::telldir(stream);
    namesFrom(stream, nextName);
    ::seekdir(stream, start);
    return namesFrom(stream, nextName);
  });
}

std::string kindOfStream(const char* path) {
  return inDirectory(path, [](DIR* stream) {
    return statusBy<struct stat>([&](struct stat* status) { return ::fstat(::dirfd(stream), status); });
  });
}

template <typename Entry>
std::string namesIn(Entry** entries, int count) {
  if (count < 0) return failed();
  std::string text = "names:";
  for (int i = 0; i < count; ++i) {
    if (!isDots(entries[i]->d_name)) text += std::string(" ") + entries[i]->d_name;
    ::free(entries[i]);
  }
  ::free(entries);
  return text;
}

std::string scanned(const char* path) {
  struct dirent** entries = nullptr;
  int count = ::scandir(path, &entries, nullptr, alphasort);
  return namesIn(entries, count);
}

std::string scanned64(const char* path) {
  struct dirent64** entries = nullptr;
  int count = ::scandir64(path, &entries, nullptr, alphasort64);
  return namesIn(entries, count);
}

std::string timeOfDay() {
  struct timeval now{};
  if (::gettimeofday(&now, nullptr) != 0) return failed();
  return number("seconds", now.tv_sec) + " " + number("nanoseconds", now.tv_usec * 1000LL);
}

std::string clockTime() {
  struct timespec now{};
  if (::clock_gettime(CLOCK_REALTIME, &now) != 0) return failed();
  return number("seconds", now.tv_sec) + " " + number("nanoseconds", now.tv_nsec);
}

std::string universalTime() {
  struct timespec now{};
  if (::timespec_get(&now, TIME_UTC) != TIME_UTC) return failed();
  return number("seconds", now.tv_sec) + " " + number("nanoseconds", now.tv_nsec);
}

template <typename Fill>
std::string bytesBy(Fill fill) {
  std::array<unsigned char, 16> bytes{};
  if (!fill(bytes.data(), bytes.size())) return failed();
  std::string text = "bytes: ";
  for (unsigned byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

std::string bytesOf(std::uint32_t value) {
  return bytesBy([&](void* buffer, size_t) { return std::memcpy(buffer, &value, sizeof value) != nullptr; });
}

std::string reopened(FILE* (*reopen)(const char*, const char*, FILE*), const char* path) {
  FILE* stream = ::fopen("/dev/null", "r");
  return stream == nullptr ? failed() : contentOf(reopen(path, "r", stream));
}

struct Call {
  const char* name;
  std::string (*make)(const char* path);
};

using Status = struct stat;
using Status64 = struct stat64;

// NOLINTBEGIN(modernize-avoid-c-arrays)
const Call kCalls[] = {
    {"open", [](const char* path) { return contentOf(::open(path, O_RDONLY)); }},
    {"open64", [](const char* path) { return contentOf(::open64(path, O_RDONLY)); }},
    {"openat", [](const char* path) { return contentOf(::openat(AT_FDCWD, path, O_RDONLY)); }},
    {"openat64", [](const char* path) { return contentOf(::openat64(AT_FDCWD, path, O_RDONLY)); }},
    {"__open_2", [](const char* path) { return contentOf(::__open_2(path, O_RDONLY)); }},
    {"__open64_2", [](const char* path) { return contentOf(::__open64_2(path, O_RDONLY)); }},
    {"__openat_2", [](const char* path) { return contentOf(::__openat_2(AT_FDCWD, path, O_RDONLY)); }},
    {"__openat64_2", [](const char* path) { return contentOf(::__openat64_2(AT_FDCWD, path, O_RDONLY)); }},
    {"creat", [](const char* path) { return written(::creat(path, 0600)); }},
    {"creat64", [](const char* path) { return written(::creat64(path, 0600)); }},
    {"fopen", [](const char* path) { return contentOf(::fopen(path, "r")); }},
    {"fopen64", [](const char* path) { return contentOf(::fopen64(path, "r")); }},
    {"freopen", [](const char* path) { return reopened(::freopen, path); }},
    {"freopen64", [](const char* path) { return reopened(::freopen64, path); }},

    {"stat", [](const char* path) { return statusBy<Status>([&](auto* s) { return ::stat(path, s); }); }},
    {"stat64",
     [](const char* path) { return statusBy<Status64>([&](auto* s) { return ::stat64(path, s); }); }},
    {"lstat", [](const char* path) { return statusBy<Status>([&](auto* s) { return ::lstat(path, s); }); }},
    {"lstat64",
     [](const char* path) { return statusBy<Status64>([&](auto* s) { return ::lstat64(path, s); }); }},
    {"fstat", [](const char* path) { return statusOfOpened<Status>(path, ::fstat); }},
    {"fstat64", [](const char* path) { return statusOfOpened<Status64>(path, ::fstat64); }},
    {"fstatat",
     [](const char* path) {
       return statusBy<Status>([&](auto* s) { return ::fstatat(AT_FDCWD, path, s, 0); });
     }},
    {"fstatat64",
     [](const char* path) {
       return statusBy<Status64>([&](auto* s) { return ::fstatat64(AT_FDCWD, path, s, 0); });
     }},
    {"__xstat",
     [](const char* path) {
       return statusBy<Status>([&](auto* s) { return ::__xstat(kStatVersion, path, s); });
     }},
    {"__xstat64",
     [](const char* path) {
       return statusBy<Status64>([&](auto* s) { return ::__xstat64(kStatVersion, path, s); });
     }},
    {"__lxstat",
     [](const char* path) {
       return statusBy<Status>([&](auto* s) { return ::__lxstat(kStatVersion, path, s); });
     }},
    {"__lxstat64",
     [](const char* path) {
       return statusBy<Status64>([&](auto* s) { return ::__lxstat64(kStatVersion, path, s); });
     }},
    {"__fxstat",
     [](const char* path) {
       return statusOfOpened<Status>(path, [](int fd, auto* s) { return ::__fxstat(kStatVersion, fd, s); });
     }},
    {"__fxstat64",
     [](const char* path) {
       return statusOfOpened<Status64>(path,
                                       [](int fd, auto* s) { return ::__fxstat64(kStatVersion, fd, s); });
     }},
    {"__fxstatat",
     [](const char* path) {
       return statusBy<Status>([&](auto* s) { return ::__fxstatat(kStatVersion, AT_FDCWD, path, s, 0); });
     }},
    {"__fxstatat64",
     [](const char* path) {
       return statusBy<Status64>([&](auto* s) { return ::__fxstatat64(kStatVersion, AT_FDCWD, path, s, 0); });
     }},
    {"statx", extendedStatus},

    {"access", [](const char* path) { return granted(::access(path, R_OK)); }},
    {"faccessat", [](const char* path) { return granted(::faccessat(AT_FDCWD, path, R_OK, 0)); }},
    {"eaccess", [](const char* path) { return granted(::eaccess(path, R_OK)); }},
    {"euidaccess", [](const char* path) { return granted(::euidaccess(path, R_OK)); }},

    {"readlink",
     [](const char* path) {
       return linkBy([&](char* to, size_t size) { return ::readlink(path, to, size); });
     }},
    {"readlinkat",
     [](const char* path) {
       return linkBy([&](char* to, size_t size) { return ::readlinkat(AT_FDCWD, path, to, size); });
     }},
    {"__readlink_chk",
     [](const char* path) {
       return linkBy([&](char* to, size_t size) { return ::__readlink_chk(path, to, size, size); });
     }},
    {"__readlinkat_chk",
     [](const char* path) {
       return linkBy(
           [&](char* to, size_t size) { return ::__readlinkat_chk(AT_FDCWD, path, to, size, size); });
     }},
    {"realpath", [](const char* path) { return pathFrom(::realpath(path, nullptr)); }},
    {"__realpath_chk",
     [](const char* path) {
       std::array<char, PATH_MAX> buffer{};
       return pathIn(::__realpath_chk(path, buffer.data(), buffer.size()));
     }},
    {"canonicalize_file_name", [](const char* path) { return pathFrom(::canonicalize_file_name(path)); }},
    {"getcwd", [](const char*) { return pathFrom(::getcwd(nullptr, 0)); }},
    {"__getcwd_chk",
     [](const char*) {
       std::array<char, PATH_MAX> buffer{};
       return pathIn(::__getcwd_chk(buffer.data(), buffer.size(), buffer.size()));
     }},
    {"get_current_dir_name", [](const char*) { return pathFrom(::get_current_dir_name()); }},

    {"opendir", [](const char* path) { return namesBy(path, nextName); }},
    {"fdopendir", namesOfDescriptor},
    {"readdir", [](const char* path) { return namesBy(path, nextName); }},
    {"readdir64", [](const char* path) { return namesBy(path, nextName64); }},
    {"readdir_r", [](const char* path) { return namesBy(path, nextNameReentrant); }},
    {"readdir64_r", [](const char* path) { return namesBy(path, nextNameReentrant64); }},
    {"closedir", [](const char* path) { return namesBy(path, nextName); }},
    {"rewinddir", namesAfterRewind},
    {"telldir", namesAfterReturn},
    {"seekdir", namesAfterReturn},
    {"dirfd", kindOfStream},
    {"scandir", scanned},
    {"scandir64", scanned64},

    {"getpid", [](const char*) { return number("number", ::getpid()); }},
    {"time", [](const char*) { return number("seconds", ::time(nullptr)); }},
    {"gettimeofday", [](const char*) { return timeOfDay(); }},
    {"clock_gettime", [](const char*) { return clockTime(); }},
    {"timespec_get", [](const char*) { return universalTime(); }},
    {"getrandom",
     [](const char*) {
       return bytesBy(
           [](void* to, size_t size) { return ::getrandom(to, size, 0) == static_cast<ssize_t>(size); });
     }},
    {"getentropy",
     [](const char*) { return bytesBy([](void* to, size_t n) { return ::getentropy(to, n) == 0; }); }},
    {"arc4random", [](const char*) { return bytesOf(::arc4random()); }},
    {"arc4random_uniform", [](const char*) { return bytesOf(::arc4random_uniform(1U << 30)); }},
    {"arc4random_buf",
     [](const char*) {
       return bytesBy([](void* to, size_t size) {
         ::arc4random_buf(to, size);
         return true;
       });
     }},
};
// NOLINTEND(modernize-avoid-c-arrays)

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

const char* fileCall(const char* function, const char* path) {
  static thread_local std::string description;
  description = "unknown function";
  for (const auto& call : kCalls) {
    if (std::strcmp(call.name, function) == 0) description = call.make(path);
  }
  return description.c_str();
}

const char* const* fileCallNames() {
  static const std::vector<const char*> names = [] {
    std::vector<const char*> list;
    for (const auto& call : kCalls) list.push_back(call.name);
    list.push_back(nullptr);
    return list;
  }();
  return names.data();
}

}  // extern "C"
#pragma GCC visibility pop
