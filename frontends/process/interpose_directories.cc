// opendir and its family.
#undef _FORTIFY_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>

#include <cstring>

#include "frontends/process/interpose.h"
#include "frontends/process/raw_calls.h"

static_assert(sizeof(struct dirent) == sizeof(struct dirent64), "the two forms are one on 64-bit Linux");

namespace kiln {
namespace {

// The stream behind `handle` if it is one of kiln's.
DirectoryStream* streamOf(DIR* handle) {
  Answering answering;
  return answering ? answering.files().streams().find(handle) : nullptr;
}

void* readNext(DIR* handle, const char* realName) {
  if (auto* stream = streamOf(handle)) return stream->read();
  return reinterpret_cast<void* (*)(DIR*)>(realFunction(realName))(handle);
}

int readNextInto(DIR* handle, void* entry, void** result, const char* realName) {
  auto* stream = streamOf(handle);
  if (stream == nullptr) {
    return reinterpret_cast<int (*)(DIR*, void*, void**)>(realFunction(realName))(handle, entry, result);
  }
  const auto* next = stream->read();
  if (next != nullptr) std::memcpy(entry, next, sizeof *next);
  *result = next == nullptr ? nullptr : entry;
  return 0;
}

using Entry = struct dirent;
using Filter = int (*)(const Entry*);
using Compare = int (*)(const Entry**, const Entry**);

void release(Entry** entries, int count) {
  for (int i = 0; i < count; ++i) std::free(entries[i]);
  std::free(entries);
}

// A copy of each entry that the filter keeps, in memory that the caller frees with free(). The filter is the
// compiler's code, so nothing of kiln's is held while it runs.
int keepEntries(const std::vector<std::string>& names, Entry*** result, Filter filter, Compare compare) {
  auto** entries = static_cast<Entry**>(std::calloc(names.size() + 1, sizeof(Entry*)));
  if (entries == nullptr) return -ENOMEM;
  int count = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    Entry entry;
    if (!fill(entry, names[i], i) || (filter != nullptr && filter(&entry) == 0)) continue;
    entries[count] = static_cast<Entry*>(std::malloc(sizeof entry));
    if (entries[count] == nullptr) {
      release(entries, count);
      return -ENOMEM;
    }
    *entries[count++] = entry;
  }
  if (compare != nullptr) {
    ::qsort(entries, static_cast<std::size_t>(count), sizeof(Entry*),
            reinterpret_cast<int (*)(const void*, const void*)>(compare));
  }
  *result = entries;
  return count;
}

int scan(const char* path, Entry*** result, Filter filter, Compare compare, const char* realName) {
  std::vector<std::string> names;
  {
    Answering answering;
    if (!answering) {
      using Scan = int (*)(const char*, Entry***, Filter, Compare);
      return reinterpret_cast<Scan>(realFunction(realName))(path, result, filter, compare);
    }
    int descriptor = answering.files().list(path, names);
    if (descriptor < 0) return answering.result(descriptor);
    raw::call(SYS_close, descriptor);
  }
  return withErrno(keepEntries(names, result, filter, compare));
}

}  // namespace
}  // namespace kiln

#pragma GCC visibility push(default)
extern "C" {

DIR* opendir(const char* path) {
  kiln::Answering answering;
  if (!answering) return KILN_REAL(opendir)(path);
  std::vector<std::string> names;
  int descriptor = answering.result(answering.files().list(path, names));
  return descriptor < 0 ? nullptr : answering.files().streams().open(std::move(names), descriptor);
}

DIR* fdopendir(int descriptor) {
  kiln::Answering answering;
  if (!answering) return KILN_REAL(fdopendir)(descriptor);
  std::vector<std::string> names;
  if (answering.result(answering.files().list(descriptor, names)) < 0) return nullptr;
  return answering.files().streams().open(std::move(names), descriptor);
}

struct dirent* readdir(DIR* handle) { return static_cast<struct dirent*>(kiln::readNext(handle, "readdir")); }
struct dirent64* readdir64(DIR* handle) {
  return static_cast<struct dirent64*>(kiln::readNext(handle, "readdir64"));
}
int readdir_r(DIR* handle, struct dirent* entry, struct dirent** result) {
  return kiln::readNextInto(handle, entry, reinterpret_cast<void**>(result), "readdir_r");
}
int readdir64_r(DIR* handle, struct dirent64* entry, struct dirent64** result) {
  return kiln::readNextInto(handle, entry, reinterpret_cast<void**>(result), "readdir64_r");
}

int closedir(DIR* handle) {
  if (kiln::streamOf(handle) == nullptr) return KILN_REAL(closedir)(handle);
  kiln::Answering answering;
  answering.files().streams().close(handle);
  return 0;
}

void rewinddir(DIR* handle) noexcept {
  if (auto* stream = kiln::streamOf(handle)) return stream->seek(0);
  KILN_REAL(rewinddir)(handle);
}

long telldir(DIR* handle) noexcept {
  if (auto* stream = kiln::streamOf(handle)) return stream->position();
  return KILN_REAL(telldir)(handle);
}

void seekdir(DIR* handle, long position) noexcept {
  if (auto* stream = kiln::streamOf(handle)) return stream->seek(position);
  KILN_REAL(seekdir)(handle, position);
}

int dirfd(DIR* handle) noexcept {
  if (auto* stream = kiln::streamOf(handle)) return stream->descriptor();
  return KILN_REAL(dirfd)(handle);
}

int scandir(const char* path, struct dirent*** result, int (*filter)(const struct dirent*),
            int (*compare)(const struct dirent**, const struct dirent**)) {
  return kiln::scan(path, result, filter, compare, "scandir");
}
int scandir64(const char* path, struct dirent64*** result, int (*filter)(const struct dirent64*),
              int (*compare)(const struct dirent64**, const struct dirent64**)) {
  return kiln::scan(path, reinterpret_cast<struct dirent***>(result), reinterpret_cast<kiln::Filter>(filter),
                    reinterpret_cast<kiln::Compare>(compare), "scandir64");
}

}  // extern "C"
#pragma GCC visibility pop
