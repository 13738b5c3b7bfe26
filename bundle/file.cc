#include "bundle/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <random>

namespace kiln::bundle {
namespace {

// Random, so that what another writer, or one that was killed, has there is left alone.
std::string unfinishedName() {
  std::random_device random;
  return ".kiln-unfinished-" + std::to_string(std::uint64_t{random()} << 32 | random());
}

struct Got {
  std::size_t bytes = 0;
  int error = 0;  // errno
};

// Less than `size` where the file ends before, or at an error.
Got readFully(char* bytes, const FileDescriptor& file, std::uint64_t offset, std::size_t size) noexcept {
  Got got;
  while (got.bytes < size) {
    auto now =
        pread(file.number(), bytes + got.bytes, size - got.bytes, static_cast<off_t>(offset + got.bytes));
    if (now < 0 && errno == EINTR) continue;
    if (now < 0) got.error = errno;
    if (now <= 0) break;
    got.bytes += static_cast<std::size_t>(now);
  }
  return got;
}

Attempt<void> whole(const Got& got, std::size_t size, std::string_view what) {
  if (got.error != 0) return cannot("read", what, got.error);
  if (got.bytes < size) return damaged(std::string(what) + " became shorter while it was read");
  return {};
}

std::string quoted(const std::filesystem::path& path) { return "'" + path.string() + "'"; }

struct RegularFile {
  FileDescriptor descriptor;
  std::uint64_t size;
};

Attempt<RegularFile> openRegular(const std::filesystem::path& path, Links links) {
  const auto what = quoted(path);
  const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  FileDescriptor file(open(path.c_str(), links == Links::refused ? flags | O_NOFOLLOW : flags));
  if (!file.isOpen() && errno == ELOOP) return problem(what + " is a link, and must be a regular file");
  if (!file.isOpen()) return cannot("open", what, errno);
  struct stat status;
  if (fstat(file.number(), &status) != 0) return cannot("look at", what, errno);
  if (!S_ISREG(status.st_mode)) return problem(what + " is no regular file");
  return RegularFile{std::move(file), static_cast<std::uint64_t>(status.st_size)};
}

}  // namespace

FileDescriptor::~FileDescriptor() { close(); }

int FileDescriptor::close() {
  if (number_ < 0) return 0;
  return ::close(std::exchange(number_, -1)) == 0 ? 0 : errno;
}

Attempt<void> readInto(char* bytes, const FileDescriptor& file, std::uint64_t offset, std::size_t size,
                       std::string_view what) {
  return whole(readFully(bytes, file, offset, size), size, what);
}

Attempt<std::string> readAt(const FileDescriptor& file, std::uint64_t offset, std::size_t size,
                            std::string_view what) {
  std::string bytes;
  Got got;
  bytes.resize_and_overwrite(size, [&](char* place, std::size_t) noexcept {
    got = readFully(place, file, offset, size);
    return got.bytes;
  });
  if (auto read = whole(got, size, what); !read) return std::unexpected(read.error());
  return bytes;
}

Attempt<std::string> readWhole(const std::filesystem::path& path, std::uint64_t most, Links links) {
  const auto file = openRegular(path, links);
  if (!file) return std::unexpected(file.error());
  const auto what = quoted(path);
  if (file->size > most) return problem(what + " is larger than " + std::to_string(most >> 20) + " MiB");
  return readAt(file->descriptor, 0, file->size, what);
}

Attempt<std::string> readStart(const std::filesystem::path& path, std::size_t size, Links links) {
  const auto file = openRegular(path, links);
  if (!file) return std::unexpected(file.error());
  return readAt(file->descriptor, 0, size, quoted(path));
}

int writeAll(const FileDescriptor& file, std::string_view bytes) {
  while (!bytes.empty()) {
    auto written = write(file.number(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

Unfinished::Unfinished(const std::filesystem::path& target)
    : target_(target), path_((target.has_parent_path() ? target.parent_path() : ".") / unfinishedName()) {}

Unfinished::~Unfinished() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

int Unfinished::moveIntoPlace(Replacing replacing) {
  unsigned flags = replacing == Replacing::directory ? RENAME_EXCHANGE : 0;
  return renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, target_.c_str(), flags) == 0 ? 0 : errno;
}

}  // namespace kiln::bundle
