// Blobs are kept in one file without a name until all are known, since the archive has them in the order of
// their digests.
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <vector>

#include "bundle/blob_name.h"
#include "bundle/layout_forms.h"

namespace kiln::bundle {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBlockSize = std::size_t{256} << 10;  // what is copied and written at once

struct Extent {
  std::uint64_t offset;
  std::uint64_t size;
};

Attempt<void> checkReplaceable(const fs::path& path) {
  struct stat status;
  if (lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return {};
    return cannot("look at", "it", errno);
  }
  if (S_ISREG(status.st_mode)) return {};
  return problem("what is there is no file; move it away or give another path");
}

Attempt<FileDescriptor> createFile(const fs::path& path, int access) {
  FileDescriptor file(open(path.c_str(), access | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file.isOpen()) return cannot("create a file in", path.parent_path().string(), errno);
  return file;
}

// A tar of plain files that say nothing of when, by whom and on what system they were written.
class TarWriter {
 public:
  explicit TarWriter(const FileDescriptor& file) : writer_(archive_write_new()), entry_(archive_entry_new()) {
    if (!writer_ || !entry_) throw std::bad_alloc();
    archive_write_set_format_ustar(writer_.get());
    archive_write_set_bytes_per_block(writer_.get(), kBlockSize);
    archive_write_set_bytes_in_last_block(writer_.get(), 1);
    check(archive_write_open_fd(writer_.get(), file.number()));
  }

  void begin(const std::string& name, std::uint64_t size) {
    archive_entry_clear(entry_.get());
    archive_entry_set_pathname(entry_.get(), name.c_str());
    archive_entry_set_filetype(entry_.get(), AE_IFREG);
    archive_entry_set_perm(entry_.get(), 0644);
    archive_entry_set_size(entry_.get(), static_cast<la_int64_t>(size));
    archive_entry_set_mtime(entry_.get(), 0, 0);
    check(archive_write_header(writer_.get(), entry_.get()));
  }
  void write(std::string_view bytes) {
    if (error_ == 0 && archive_write_data(writer_.get(), bytes.data(), bytes.size()) < 0)
      check(ARCHIVE_FATAL);
  }
  // errno of the first thing that went wrong, or 0.
  int finish() {
    check(archive_write_close(writer_.get()));
    return error_;
  }

 private:
  struct Free {
    void operator()(archive* writer) const { archive_write_free(writer); }
    void operator()(archive_entry* entry) const { archive_entry_free(entry); }
  };

  void check(int result) {
    if (result == ARCHIVE_OK || error_ != 0) return;
    error_ = archive_errno(writer_.get());
    if (error_ <= 0) error_ = EIO;
  }

  std::unique_ptr<archive, Free> writer_;
  std::unique_ptr<archive_entry, Free> entry_;
  int error_ = 0;
};

class ArchiveTarget final : public LayoutTarget {
 public:
  explicit ArchiveTarget(const fs::path& path) : path_(path), unfinished_(path) {}

  Attempt<void> createFiles() {
    auto kept = createFile(unfinished_.path(), O_RDWR);
    if (!kept) return std::unexpected(kept.error());
    unlink(unfinished_.path().c_str());
    auto file = createFile(unfinished_.path(), O_WRONLY);
    if (!file) return std::unexpected(file.error());
    kept_ = *std::move(kept);
    file_ = *std::move(file);
    return {};
  }

  Attempt<void> addBlob(const Sha256& digest, std::string_view bytes) override {
    if (int error = writeAll(kept_, bytes); error != 0) return cannot("write", blobName(digest), error);
    blobs_.emplace(digest, Extent{keptSize_, bytes.size()});
    keptSize_ += bytes.size();
    return {};
  }

  Attempt<void> finish(std::string_view layout, std::string_view index) override {
    if (auto written = writeTar(layout, index); !written) return written;
    int error = fsync(file_.number()) == 0 ? file_.close() : errno;
    if (error != 0) return cannot("write", "it", error);
    if (auto replaceable = checkReplaceable(path_); !replaceable) return replaceable;
    error = unfinished_.moveIntoPlace(Unfinished::Replacing::fileOrNothing);
    if (error != 0) return cannot("rename", unfinished_.path().string() + " to it", error);
    return {};
  }

 private:
  Attempt<void> writeTar(std::string_view layout, std::string_view index) {
    TarWriter tar(file_);
    for (const auto& [name, text] : {std::pair(kLayoutName, layout), std::pair(kIndexName, index)}) {
      tar.begin(std::string(name), text.size());
      tar.write(text);
    }
    for (const auto& [digest, extent] : blobs_) {
      tar.begin(std::string(kBlobsPrefix) + digest.hex(), extent.size);
      if (auto copied = copyBlob(tar, extent); !copied) return copied;
    }
    if (int error = tar.finish(); error != 0) return cannot("write", "it", error);
    return {};
  }

  Attempt<void> copyBlob(TarWriter& tar, const Extent& extent) {
    for (std::uint64_t done = 0; done < extent.size;) {
      auto size = static_cast<std::size_t>(std::min<std::uint64_t>(extent.size - done, block_.size()));
      auto read = readInto(block_.data(), kept_, extent.offset + done, size, "a blob");
      if (!read) return read;
      tar.write({block_.data(), size});
      done += size;
    }
    return {};
  }

  fs::path path_;
  Unfinished unfinished_;
  FileDescriptor kept_;  // every blob, one behind the other
  std::uint64_t keptSize_ = 0;
  std::map<Sha256, Extent> blobs_;
  FileDescriptor file_;
  std::vector<char> block_ = std::vector<char>(kBlockSize);
};

}  // namespace

Attempt<std::unique_ptr<LayoutTarget>> createArchive(const fs::path& path) {
  if (auto replaceable = checkReplaceable(path); !replaceable) return std::unexpected(replaceable.error());
  auto target = std::make_unique<ArchiveTarget>(path);
  if (auto created = target->createFiles(); !created) return std::unexpected(created.error());
  return target;
}

}  // namespace kiln::bundle
