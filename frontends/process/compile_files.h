// The file system that a compiler in this process sees while it compiles: what the C functions of
// interpose_*.cc answer from.
#pragma once

#include <sys/stat.h>

#include <expected>
#include <map>
#include <string>
#include <vector>

#include "frontends/process/answered_descriptors.h"
#include "frontends/process/client_view.h"
#include "frontends/process/directory_streams.h"
#include "frontends/process/file_classes.h"
#include "frontends/process/recorder.h"
#include "frontends/process/scratch.h"
#include "jit/request.h"

namespace kiln {

// Methods that take `directory` and `path` understand them as openat() does. Results follow the kernel:
// negative errno on failure. Not thread-safe: a compile is one thread (options that start more are refused).
class CompileFiles {
 public:
  // `job`, `request` and `habits` outlive this.
  CompileFiles(JobConnection& job, const Request& request, const FileHabits& habits,
               std::string toolchainDirectory);

  int open(int directory, const char* path, int flags, mode_t mode = 0);
  int status(int directory, const char* path, int flags, struct stat& result);
  int status(int descriptor, struct stat& result);
  int access(int directory, const char* path, int mode);
  int readLink(int directory, const char* path, std::string& text);
  int resolve(const char* path, std::string& text);
  // The names in a directory, "." and ".." first, the rest sorted; and a descriptor for it, unless
  // `descriptor` is one already.
  int list(const char* path, std::vector<std::string>& names);
  int list(int descriptor, std::vector<std::string>& names);
  [[nodiscard]] const std::string& workingDirectory() const { return workingDirectory_; }

  // Of these only what is in the compiler's scratch directories is done; all else is refused, and makes the
  // result unfit to be remembered.
  int makeDirectory(int directory, const char* path, mode_t mode);
  int setMode(int directory, const char* path, mode_t mode);
  int rename(int fromDirectory, const char* from, int toDirectory, const char* to);
  int link(int fromDirectory, const char* from, int toDirectory, const char* to);
  int symbolicLink(int directory, const char* path);
  int unlink(int directory, const char* path);
  int removeDirectory(int directory, const char* path);

  DirectoryStreams& streams() { return streams_; }

  [[nodiscard]] DependencySet dependencies() const { return recorder_.dependencies(); }
  // Whether what was read, or how, lets the request's names reach the output.
  [[nodiscard]] bool namesBind() const {
    return namesBind_ || (looksAtSource_ > ownLooksAtSource_ && mentionsSource_);
  }
  // Whether any text of the request, or of what was read, mentions the source by its name.
  [[nodiscard]] bool mentionsSource() const { return mentionsSource_; }
  // The first reason counts.
  void markUnclean(std::string reason);
  // What makes the result unfit to be remembered; empty if nothing does.
  [[nodiscard]] std::string unclean() const;

 private:
  struct Path : AskedPath {
    bool mustBeDirectory = false;  // "name/", "name/."
  };

  std::expected<Path, int> absolute(int directory, const char* path);
  std::expected<FileView, int> look(const Path& path);
  FileView view(const Path& path);
  FileView sourceView(const std::string& path);
  FileView clientView(const AskedPath& path);
  int refuseToWrite(const std::string& path);
  // The name of an open descriptor, where `path` is one in /proc/self/fd.
  [[nodiscard]] std::string nameOfDescriptor(const std::string& path) const;
  // A text that the compiler is given.
  void read(std::string_view text);
  int openForReading(const FileView& view, int flags);
  int openScratch(const std::string& path, int flags, mode_t mode);
  // `change` of the name that `path` means, if that is in a scratch directory.
  template <typename Change>
  int inScratch(int directory, const char* path, Change change);
  int handOver(const FileView& view, int result);

  const Request& request_;
  std::string workingDirectory_;
  FileClasses classes_;
  Recorder recorder_;
  ClientView client_;
  Scratch scratch_;
  AnsweredDescriptors descriptors_;
  DirectoryStreams streams_;
  std::map<std::string, std::uint64_t> ancestorNumbers_;
  const int ownLooksAtSource_;
  int looksAtSource_ = 0;
  bool mentionsSource_ = false;
  bool namesBind_ = false;
  std::string unclean_;
};

}  // namespace kiln
