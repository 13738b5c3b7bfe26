#include "frontends/process/compile_files.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstring>

#include "frontends/process/raw_calls.h"
#include "jit/names_binding.h"
#include "jit/role_path.h"

namespace kiln {
namespace {

constexpr std::uint64_t kSourceNumber = 1;  // Recorder::numberOf counts from 2
constexpr std::uint64_t kFirstAncestorNumber = 1ull << 32;
constexpr dev_t kDevice = 0x6b696c6e;  // "kiln"
constexpr mode_t kFileMode = S_IFREG | 0444;
constexpr mode_t kDirectoryMode = S_IFDIR | 0555;

mode_t modeOf(const std::string& what) {
  if (what.find("FIFO") != std::string::npos) return S_IFIFO | 0444;
  if (what.find("socket") != std::string::npos) return S_IFSOCK | 0444;
  return S_IFCHR | 0444;
}

bool opensForWriting(int flags) {
  return (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC | O_APPEND)) != 0 ||
         (flags & O_TMPFILE) == O_TMPFILE;
}

// Kind, size and identity, and nothing that another machine or another day would see differently.
void fill(struct stat& status, const FileView& view) {
  status = {};
  status.st_dev = kDevice;
  status.st_ino = view.number;
  status.st_mode = view.mode;
  status.st_nlink = 1;
  status.st_size = static_cast<off_t>(view.content.size());
  status.st_blksize = 4096;
  status.st_blocks = (status.st_size + 511) / 512;
}

// Whether the client says what links lead to: for all that is not kiln's own or the toolchain's.
bool isAskedOfClient(FileClass kind) {
  return kind == FileClass::client || kind == FileClass::roleDirectory || kind == FileClass::ancestor;
}

void forgetTimes(struct stat& status) { status.st_atim = status.st_mtim = status.st_ctim = {}; }

}  // namespace

CompileFiles::CompileFiles(JobConnection& job, const Request& request, const FileHabits& habits,
                           std::string toolchainDirectory)
    : request_(request),
      workingDirectory_(absolutePath("", request.names.workingDirectory)),
      classes_(request, habits, std::move(toolchainDirectory)),
      recorder_(request.names),
      client_(job, recorder_),
      scratch_(habits.scratch),
      ownLooksAtSource_(habits.looksAtSource) {
  read(request.source);
  for (const auto& option : request.options) read(option);
  for (const auto& header : request.headers) read(header.content);
  for (const auto& expression : request.nameExpressions) read(expression);
}

int CompileFiles::open(int directory, const char* path, int flags, mode_t mode) {
  auto where = absolute(directory, path);
  if (!where) return -where.error();
  if (classes_.classify(where->absolute) == FileClass::nullDevice) {
    return raw::openAt(AT_FDCWD, where->absolute.c_str(), flags, mode);
  }
  if (scratch_.holds(where->absolute)) return openScratch(where->absolute, flags, mode);
  if (opensForWriting(flags)) return refuseToWrite(where->absolute);
  if ((flags & O_NOFOLLOW) != 0) {
    std::string text;
    if (readLink(directory, path, text) >= 0) return -ELOOP;
  }
  auto found = look(*where);
  if (!found) return -found.error();
  return openForReading(*found, flags);
}

int CompileFiles::openScratch(const std::string& path, int flags, mode_t mode) {
  struct stat status;
  const bool isDirectory = scratch_.status(path, status) >= 0 && S_ISDIR(status.st_mode);
  if (!isDirectory || opensForWriting(flags)) return scratch_.open(path, flags, mode);
  return descriptors_.openDirectory({FileView::Kind::directory, status.st_mode, status.st_ino, {}, path});
}

int CompileFiles::openForReading(const FileView& view, int flags) {
  bool wantsDirectory = (flags & O_DIRECTORY) != 0;
  switch (view.kind) {
    case FileView::Kind::real:
      return raw::openAt(AT_FDCWD, view.path.c_str(), flags);
    case FileView::Kind::directory:
      return handOver(view, descriptors_.openDirectory(view));
    case FileView::Kind::other:
      if (wantsDirectory) return -ENOTDIR;
      client_.refuseToOpen(view.path, client_.look({view.path}));
    case FileView::Kind::file:
      if (wantsDirectory) return -ENOTDIR;
      namesBind_ = namesBind_ || textBindsNames(view.content);
      read(view.content);
      return handOver(view, descriptors_.openFile(view));
    case FileView::Kind::absent:
      break;
  }
  return -ENOENT;
}

void CompileFiles::read(std::string_view text) {
  mentionsSource_ = mentionsSource_ || kiln::mentionsSource(text, request_.names);
  recorder_.read(text);
}

// What fails here is kiln's, and the compiler would take it for the file's.
int CompileFiles::handOver(const FileView& view, int result) {
  if (result < 0)
    markUnclean("kiln could not hand '" + view.path + "' to the compiler: " + std::strerror(-result));
  return result;
}

int CompileFiles::status(int directory, const char* path, int flags, struct stat& result) {
  if ((flags & AT_EMPTY_PATH) != 0 && (path == nullptr || *path == '\0') && directory != AT_FDCWD) {
    return status(directory, result);
  }
  auto where = absolute(directory, path);
  if (where && scratch_.holds(where->absolute)) return scratch_.status(where->absolute, result);
  if ((flags & AT_SYMLINK_NOFOLLOW) != 0) {
    std::string text;
    if (readLink(directory, path, text) >= 0) {
      FileView link{FileView::Kind::other, S_IFLNK | 0777, 0, text};
      fill(result, link);
      return 0;
    }
  }
  if (!where) return -where.error();
  auto found = look(*where);
  if (!found) return -found.error();
  if (found->kind == FileView::Kind::real) {
    int outcome = raw::status(AT_FDCWD, found->path.c_str(), result, 0);
    forgetTimes(result);
    return outcome;
  }
  fill(result, *found);
  return 0;
}

int CompileFiles::status(int descriptor, struct stat& result) {
  if (const auto* view = descriptors_.find(descriptor)) {
    fill(result, *view);
    return 0;
  }
  if (scratch_.status(descriptor, result) >= 0) return 0;
  int outcome = raw::status(descriptor, result);
  if (outcome >= 0) forgetTimes(result);
  return outcome;
}

int CompileFiles::access(int directory, const char* path, int mode) {
  auto where = absolute(directory, path);
  if (!where) return -where.error();
  if (struct stat status; scratch_.holds(where->absolute)) return scratch_.status(where->absolute, status);
  auto found = look(*where);
  if (!found) return -found.error();
  if (found->kind == FileView::Kind::real) return raw::access(AT_FDCWD, found->path.c_str(), mode);
  if ((mode & W_OK) != 0) return -EROFS;
  bool executable = found->kind == FileView::Kind::directory;
  return (mode & X_OK) != 0 && !executable ? -EACCES : 0;
}

int CompileFiles::readLink(int directory, const char* path, std::string& text) {
  auto where = absolute(directory, path);
  if (!where) return -where.error();
  if (text = nameOfDescriptor(where->absolute); !text.empty()) return 0;
  if (struct stat status; scratch_.holds(where->absolute)) {
    int outcome = scratch_.status(where->absolute, status);
    return outcome < 0 ? outcome : -EINVAL;
  }
  auto kind = classes_.classify(where->absolute);
  // A link with a slash behind it is the directory that it leads to.
  if (!isAskedOfClient(kind) || where->mustBeDirectory) {
    auto found = look(*where);
    return found ? -EINVAL : -found.error();
  }
  const auto& answer = client_.readLink(*where);
  if (answer.kind == FileAnswer::Kind::absent) return -ENOENT;
  namesBind_ = true;
  if (answer.kind != FileAnswer::Kind::text) return -EINVAL;
  text = answer.text;
  return 0;
}

// A compiler that has opened a file may ask under what name. It is told the one by which it opened it.
std::string CompileFiles::nameOfDescriptor(const std::string& path) const {
  constexpr std::string_view kDescriptors = "/proc/self/fd/";
  if (!path.starts_with(kDescriptors)) return {};
  int descriptor = -1;
  const auto* begin = path.data() + kDescriptors.size();
  const auto* end = path.data() + path.size();
  if (std::from_chars(begin, end, descriptor).ptr != end) return {};
  if (const auto* view = descriptors_.find(descriptor)) return view->path;
  return scratch_.pathOf(descriptor);
}

int CompileFiles::resolve(const char* path, std::string& text) {
  auto where = absolute(AT_FDCWD, path);
  if (!where) return -where.error();
  if (struct stat status; scratch_.holds(where->absolute)) {
    text = where->absolute;
    return scratch_.status(where->absolute, status);
  }
  auto kind = classes_.classify(where->absolute);
  auto found = look(*where);
  if (!found) return -found.error();
  text = where->absolute;
  if (!isAskedOfClient(kind)) return 0;
  const auto& answer = client_.resolve(*where);
  if (answer.kind == FileAnswer::Kind::absent) return -ENOENT;
  namesBind_ = true;
  text = answer.text;
  return text.size() < PATH_MAX ? 0 : -ENAMETOOLONG;
}

int CompileFiles::list(const char* path, std::vector<std::string>& names) {
  int descriptor = open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return descriptor;
  int result = list(descriptor, names);
  if (result >= 0) return descriptor;
  raw::call(SYS_close, descriptor);
  return result;
}

int CompileFiles::list(int descriptor, std::vector<std::string>& names) {
  const auto* view = descriptors_.find(descriptor);
  if (view == nullptr || view->kind != FileView::Kind::directory) return -ENOTDIR;
  names = {".", ".."};
  if (scratch_.holds(view->path)) {
    int outcome = scratch_.list(view->path, names);
    return outcome < 0 ? outcome : descriptor;
  }
  const auto& answer = client_.list({view->path});
  if (answer.kind != FileAnswer::Kind::listing) return -ENOENT;
  names.insert(names.end(), answer.names.begin(), answer.names.end());
  return descriptor;
}

int CompileFiles::makeDirectory(int directory, const char* path, mode_t mode) {
  auto where = absolute(directory, path);
  if (!where) return -where.error();
  const bool isScratch = scratch_.holds(where->absolute) || scratch_.mayMake(where->absolute);
  return isScratch ? scratch_.makeDirectory(where->absolute, mode) : refuseToWrite(where->absolute);
}

int CompileFiles::setMode(int directory, const char* path, mode_t mode) {
  return inScratch(directory, path, [&](const std::string& name) { return scratch_.setMode(name, mode); });
}

int CompileFiles::unlink(int directory, const char* path) {
  return inScratch(directory, path, [&](const std::string& name) { return scratch_.unlink(name); });
}

int CompileFiles::removeDirectory(int directory, const char* path) {
  return inScratch(directory, path, [&](const std::string& name) { return scratch_.removeDirectory(name); });
}

int CompileFiles::rename(int fromDirectory, const char* from, int toDirectory, const char* to) {
  return inScratch(fromDirectory, from, [&](const std::string& source) {
    return inScratch(toDirectory, to,
                     [&](const std::string& target) { return scratch_.rename(source, target); });
  });
}

int CompileFiles::link(int fromDirectory, const char* from, int toDirectory, const char* to) {
  return inScratch(fromDirectory, from, [&](const std::string& source) {
    return inScratch(toDirectory, to,
                     [&](const std::string& target) { return scratch_.link(source, target); });
  });
}

// As on a file system that has no symbolic links.
int CompileFiles::symbolicLink(int directory, const char* path) {
  return inScratch(directory, path, [](const std::string&) { return -EPERM; });
}

template <typename Change>
int CompileFiles::inScratch(int directory, const char* path, Change change) {
  auto where = absolute(directory, path);
  if (!where) return -where.error();
  return scratch_.holds(where->absolute) ? change(where->absolute) : refuseToWrite(where->absolute);
}

std::expected<CompileFiles::Path, int> CompileFiles::absolute(int directory, const char* path) {
  if (path == nullptr) return std::unexpected(EFAULT);
  std::string_view text(path);
  if (text.empty()) return std::unexpected(ENOENT);
  std::string base = workingDirectory_;
  if (!text.starts_with('/') && directory != AT_FDCWD) {
    const auto* view = descriptors_.find(directory);
    if (view == nullptr || view->kind != FileView::Kind::directory) {
      markUnclean("the compiler used '" + std::string(text) +
                  "' relative to a directory that kiln does not know");
      return std::unexpected(ENOSYS);
    }
    base = view->path;
  }
  if (directory == AT_FDCWD && classes_.isProbe(text, absolutePath(text, base)))
    return std::unexpected(ENOENT);
  bool mustBeDirectory = text.ends_with('/') || text.ends_with("/.");
  // Relative to an open directory it tells nothing of how the compiler came to it.
  std::string spelling(directory == AT_FDCWD || text.starts_with('/') ? text : "");
  return Path{{classes_.asNamed(absolutePath(text, base)), std::move(spelling)}, mustBeDirectory};
}

std::expected<FileView, int> CompileFiles::look(const Path& path) {
  auto found = view(path);
  if (found.kind == FileView::Kind::absent) return std::unexpected(ENOENT);
  bool mayBeDirectory = found.kind == FileView::Kind::directory || found.kind == FileView::Kind::real;
  if (path.mustBeDirectory && !mayBeDirectory) return std::unexpected(ENOTDIR);
  return found;
}

FileView CompileFiles::view(const Path& path) {
  switch (classes_.classify(path.absolute)) {
    case FileClass::source:
      return sourceView(path.absolute);
    case FileClass::ancestor: {
      auto next = kFirstAncestorNumber + ancestorNumbers_.size();
      auto number = ancestorNumbers_.try_emplace(path.absolute, next).first->second;
      return {FileView::Kind::directory, kDirectoryMode, number, {}, path.absolute};
    }
    case FileClass::nullDevice:
    case FileClass::toolchain:
      if (raw::access(AT_FDCWD, path.absolute.c_str(), F_OK) < 0) return {};
      return {FileView::Kind::real, 0, 0, {}, path.absolute};
    case FileClass::hidden:
      return {};
    case FileClass::roleDirectory:
    case FileClass::client:
      break;
  }
  return clientView(path);
}

// A compiler looks once at what it compiles; NVRTC does it twice where no kernel gives the module a name. One
// more look may come from the text itself, whose meaning then hangs on how the source is called.
FileView CompileFiles::sourceView(const std::string& path) {
  ++looksAtSource_;
  return {FileView::Kind::file, kFileMode, kSourceNumber, request_.source, path};
}

FileView CompileFiles::clientView(const AskedPath& asked) {
  const auto& path = asked.absolute;
  const auto& answer = client_.look(asked);
  switch (answer.kind) {
    case FileAnswer::Kind::file:
      return {FileView::Kind::file, kFileMode, recorder_.numberOf(answer.identity), answer.text, path};
    case FileAnswer::Kind::directory:
      return {FileView::Kind::directory, kDirectoryMode, recorder_.numberOf(answer.identity), {}, path};
    case FileAnswer::Kind::other:
      return {FileView::Kind::other, modeOf(answer.text), 0, {}, path};
    case FileAnswer::Kind::absent:
    case FileAnswer::Kind::denied:
    case FileAnswer::Kind::failed:
    case FileAnswer::Kind::listing:
    case FileAnswer::Kind::text:
      break;
  }
  return {};
}

int CompileFiles::refuseToWrite(const std::string& path) {
  markUnclean("the compiler tried to write '" + path + "'");
  return -EROFS;
}

std::string CompileFiles::unclean() const {
  if (!unclean_.empty()) return unclean_;
  if (scratch_.error() != 0) {
    return std::string("the system refused the compiler a file of its own: ") +
           std::strerror(scratch_.error());
  }
  if (!scratch_.overflowed()) return {};
  return "the compiler wanted more room for files of its own than a compile is given (" +
         std::to_string(Scratch::kMostBytes >> 20) + " MiB, " + std::to_string(Scratch::kMostFiles) +
         " files)";
}

void CompileFiles::markUnclean(std::string reason) {
  if (unclean_.empty()) unclean_ = std::move(reason);
}

}  // namespace kiln
