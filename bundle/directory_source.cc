// Each step is one openat() that follows no link, with a name that is fixed or made from a digest: so nothing
// outside of the directory is read, whatever is put into it and when.
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "bundle/blob_name.h"
#include "bundle/layout_forms.h"
#include "bundle/oci_layout.h"

namespace kiln::bundle {
namespace {

Attempt<FileDescriptor> openIn(const FileDescriptor& directory, const std::string& name, int flags) {
  FileDescriptor file(
      openat(directory.number(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | flags));
  if (file.isOpen()) return file;
  if (errno == ENOENT) return damaged("there is no " + name + " in it");
  if (errno == ELOOP || ((flags & O_DIRECTORY) != 0 && errno == ENOTDIR)) {
    return problem("its " + name +
                   " is a link or no directory, and links are not followed; copy it with cp -rL");
  }
  return cannot("open its", name, errno);
}

struct OpenFile {
  FileDescriptor file;
  std::uint64_t size;
};

Attempt<OpenFile> openFile(const FileDescriptor& directory, const std::string& name) {
  auto file = openIn(directory, name, 0);
  if (!file) return std::unexpected(file.error());
  struct stat status;
  if (fstat(file->number(), &status) != 0) return cannot("look at its", name, errno);
  if (!S_ISREG(status.st_mode)) return damaged("its " + name + " is no regular file");
  return OpenFile{*std::move(file), static_cast<std::uint64_t>(status.st_size)};
}

class DirectorySource final : public LayoutSource {
 public:
  DirectorySource(FileDescriptor directory, FileDescriptor blobs)
      : directory_(std::move(directory)), blobs_(std::move(blobs)) {}

  [[nodiscard]] Attempt<std::string> document(std::string_view name) const override {
    auto opened = openFile(directory_, std::string(name));
    if (!opened) return std::unexpected(opened.error());
    if (opened->size > kMaxDocumentSize)
      return damaged("its " + std::string(name) + " is larger than 64 MiB");
    return readAt(opened->file, 0, opened->size, name);
  }

  [[nodiscard]] Attempt<std::string> blob(const Sha256& digest, std::uint64_t size) const override {
    auto opened = openFile(blobs_, digest.hex());
    if (!opened) return std::unexpected(opened.error());
    if (opened->size != size) return otherSize(digest, opened->size, size);
    return readAt(opened->file, 0, size, "a blob");
  }

 private:
  FileDescriptor directory_;
  FileDescriptor blobs_;
};

}  // namespace

Attempt<std::unique_ptr<LayoutSource>> openDirectory(FileDescriptor directory) {
  // Before its blobs, so that a directory of another kind is told as such.
  auto layout = openFile(directory, std::string(kLayoutName));
  if (!layout) return std::unexpected(layout.error());
  auto all = openIn(directory, "blobs", O_DIRECTORY);
  if (!all) return std::unexpected(all.error());
  auto blobs = openIn(*all, "sha256", O_DIRECTORY);
  if (!blobs) return std::unexpected(blobs.error());
  return std::make_unique<DirectorySource>(std::move(directory), *std::move(blobs));
}

}  // namespace kiln::bundle
