// The files are not synced: a reader verifies them, so that what a power cut took is told and not believed.
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "bundle/blob_name.h"
#include "bundle/layout_forms.h"
#include "bundle/layout_json.h"

namespace kiln::bundle {
namespace {

namespace fs = std::filesystem;

enum class Present { nothing, emptyDirectory, layout };

// Whether all that lies in `path` belongs to a layout: the rest would be lost with it.
Attempt<Present> lookInto(const fs::path& path) {
  bool isEmpty = true;
  std::error_code error;
  for (fs::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
    isEmpty = false;
    auto name = entry->path().filename().string();
    if (name != kLayoutName && name != kIndexName && name != "blobs") {
      return problem("the directory that is there holds " + printable(name) +
                     " besides a layout, or holds none; move it away or give another path");
    }
  }
  if (error) return cannot("look into", "the directory that is there", error.value());
  if (isEmpty) return Present::emptyDirectory;
  FileDescriptor directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.isOpen()) return cannot("open", "the directory that is there", errno);
  auto source = openDirectory(std::move(directory));
  auto layout = source ? (*source)->document(kLayoutName) : std::unexpected(source.error());
  if (!layout || !checkLayout(*layout)) {
    return problem("the directory that is there holds no layout; move it away or give another path");
  }
  return Present::layout;
}

Attempt<Present> look(const fs::path& path) {
  struct stat status;
  if (lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return Present::nothing;
    return cannot("look at", "it", errno);
  }
  if (S_ISDIR(status.st_mode)) return lookInto(path);
  return problem("what is there is no directory; move it away or give another path");
}

class DirectoryTarget final : public LayoutTarget {
 public:
  explicit DirectoryTarget(const fs::path& path) : path_(path), unfinished_(path) {}

  Attempt<void> createDirectories() {
    const auto& root = unfinished_.path();
    for (const auto& path : {root, root / "blobs", root / "blobs" / "sha256"}) {
      if (mkdir(path.c_str(), 0755) == 0) continue;
      return cannot("create a directory in", path.parent_path().string(), errno);
    }
    root_ = FileDescriptor(open(unfinished_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!root_.isOpen()) return cannot("open", unfinished_.path().string(), errno);
    return {};
  }

  Attempt<void> addBlob(const Sha256& digest, std::string_view bytes) override {
    return writeFile(std::string(kBlobsPrefix) + digest.hex(), bytes);
  }

  Attempt<void> finish(std::string_view layout, std::string_view index) override {
    if (auto written = writeFile(std::string(kIndexName), index); !written) return written;
    if (auto written = writeFile(std::string(kLayoutName), layout); !written) return written;
    auto present = look(path_);
    if (!present) return std::unexpected(present.error());
    bool replaces = *present == Present::layout;
    int error = unfinished_.moveIntoPlace(replaces ? Unfinished::Replacing::directory
                                                   : Unfinished::Replacing::fileOrNothing);
    if (replaces && (error == EINVAL || error == ENOSYS || error == EXDEV)) {
      return problem("this file system cannot let two directories change places; remove what is there first");
    }
    if (error != 0) return cannot("rename", unfinished_.path().string() + " to it", error);
    return {};
  }

 private:
  Attempt<void> writeFile(const std::string& name, std::string_view bytes) {
    FileDescriptor file(openat(root_.number(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    int error = file.isOpen() ? writeAll(file, bytes) : errno;
    if (error == 0) error = file.close();
    if (error != 0) return cannot("write its", name, error);
    return {};
  }

  fs::path path_;
  Unfinished unfinished_;
  FileDescriptor root_;
};

}  // namespace

Attempt<std::unique_ptr<LayoutTarget>> createDirectory(const fs::path& path) {
  if (auto present = look(path); !present) return std::unexpected(present.error());
  auto target = std::make_unique<DirectoryTarget>(path);
  if (auto created = target->createDirectories(); !created) return std::unexpected(created.error());
  return target;
}

}  // namespace kiln::bundle
