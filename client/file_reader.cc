#include "client/file_reader.h"

#include <dirent.h>
#include <fcntl.h>
#include <kj/io.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <expected>

namespace kiln::client {
namespace {

using Kind = FileAnswer::Kind;

std::string errorText(int error) {
  std::array<char, 128> buffer;
  return ::strerror_r(error, buffer.data(), buffer.size());
}

FileAnswer failed(const char* tried, const std::string& path, int error) {
  FileAnswer answer{Kind::failed};
  answer.error = error;
  answer.text = std::string("cannot ") + tried + " '" + path + "': " + errorText(error);
  return answer;
}

bool meansAbsent(int error) { return error == ENOENT || error == ENOTDIR; }

// The first of the directories on the way to `path` that is missing, or `path` itself.
std::string shallowestMissing(const std::string& path) {
  for (auto at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1)) {
    auto prefix = path.substr(0, at);
    struct stat status;
    if (::stat(prefix.c_str(), &status) < 0 && meansAbsent(errno)) return prefix;
  }
  return path;
}

FileAnswer absent(const std::string& path) {
  FileAnswer answer{Kind::absent};
  answer.text = shallowestMissing(path);
  return answer;
}

FileAnswer denied(const std::string& path) {
  FileAnswer answer{Kind::denied};
  answer.text =
      "'" + path +
      "' lies outside the request's include directories, the source's directory and the working "
      "directory; allow its directory with kiln_client_options_allow_directory or kiln compile --allow DIR";
  return answer;
}

FileAnswer noPath(const std::string& path) {
  FileAnswer answer{Kind::failed};
  answer.error = EINVAL;
  answer.text = "'" + path + "' is not an absolute path";
  return answer;
}

bool isPath(const std::string& path) { return path.starts_with('/') && path.find('\0') == std::string::npos; }

// Device and inode as one number: two files of one client get the same with a chance of 2^-64.
std::uint64_t identityOf(const struct stat& status) {
  std::array<std::uint64_t, 2> words{status.st_dev, status.st_ino};
  return xxh3Checksum(std::as_bytes(std::span(words)));
}

const char* describeOther(mode_t mode) {
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

struct OpenedFile {
  kj::AutoCloseFd descriptor;
  struct stat status;
};

// The regular file at `path`, as `status` has just told; an errno otherwise, or 0 if something else is there.
// So only a file that is swapped at that very moment could be opened and be a FIFO or a device; even then
// O_NONBLOCK keeps the open from waiting.
std::expected<OpenedFile, int> openRegular(LastDirectory::Place place, struct stat status) {
  if (!S_ISREG(status.st_mode)) return std::unexpected(0);
  constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  kj::AutoCloseFd descriptor(::openat(place.directory, place.name, kFlags));
  if (descriptor.get() < 0) return std::unexpected(errno);
  if (::fstat(descriptor.get(), &status) < 0) return std::unexpected(errno);
  if (!S_ISREG(status.st_mode)) return std::unexpected(0);
  return OpenedFile{kj::mv(descriptor), status};
}

// Bytes beyond the old size are whatever they are: they are about to be read into.
void setSize(std::string& content, std::size_t size) {
  content.resize_and_overwrite(size, [](char*, std::size_t all) { return all; });
}

// All of the file, whatever size it was said to have, into `content`, whose room is used again; an errno
// otherwise.
std::expected<void, int> readAll(const OpenedFile& file, std::string& content) {
  auto expected = static_cast<std::uint64_t>(file.status.st_size);
  if (expected > kLargestFile) return std::unexpected(EFBIG);
  setSize(content, expected + 1);
  std::size_t filled = 0;
  for (;;) {
    auto room = content.size() - filled;
    ssize_t count = ::read(file.descriptor.get(), content.data() + filled, room);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::unexpected(errno);
    filled += static_cast<std::size_t>(count);
    if (filled > kLargestFile) return std::unexpected(EFBIG);
    // A read that stops where the file is said to end need not be followed by one that gives nothing.
    bool isWhole = filled == expected && static_cast<std::size_t>(count) < room;
    if (count == 0 || isWhole) break;
    if (filled == content.size()) setSize(content, 2 * filled);
  }
  setSize(content, filled);
  return {};
}

std::expected<std::vector<std::string>, int> namesIn(const std::string& path) {
  auto* directory = ::opendir(path.c_str());
  if (directory == nullptr) return std::unexpected(errno);
  KJ_DEFER(::closedir(directory));
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    auto* entry = ::readdir(directory);
    if (entry == nullptr) break;
    std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return std::unexpected(errno);
  return names;
}

std::expected<std::string, int> linkText(const std::string& path) {
  std::string text(256, '\0');
  for (;;) {
    ssize_t length = ::readlink(path.c_str(), text.data(), text.size());
    if (length < 0) return std::unexpected(errno);
    if (static_cast<std::size_t>(length) < text.size()) {
      text.resize(static_cast<std::size_t>(length));
      return text;
    }
    text.resize(2 * text.size());
  }
}

std::expected<std::string, int> realPath(const std::string& path) {
  std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
  if (!real) return std::unexpected(errno);
  return std::string(real.get());
}

// How an answer of text or names turns out when the system call failed.
FileAnswer failure(const char* tried, const std::string& path, int error) {
  return meansAbsent(error) ? absent(path) : failed(tried, path, error);
}

// A path that may not be told of: absent if nothing is there, else denied.
FileAnswer outside(const std::string& path) {
  struct stat status;
  if (::lstat(path.c_str(), &status) < 0 && meansAbsent(errno)) return absent(path);
  return denied(path);
}

}  // namespace

FileReader::FileReader(FilePolicy policy, std::shared_ptr<DigestCache> cache)
    : policy_(std::move(policy)), cache_(std::move(cache)) {}

FileAnswer FileReader::look(const std::string& path) const {
  if (!isPath(path)) return noPath(path);
  auto access = policy_.judge(path);
  if (access == Access::outside) return outside(path);
  struct stat status;
  if (::stat(path.c_str(), &status) < 0) return failure("look at", path, errno);
  if (S_ISDIR(status.st_mode)) return {Kind::directory, identityOf(status)};
  if (access == Access::structure) return denied(path);

  auto file = openRegular({AT_FDCWD, path.c_str()}, status);
  if (!file && file.error() != 0) return failure("read", path, file.error());
  if (!file) {
    FileAnswer answer{Kind::other};
    answer.text = describeOther(status.st_mode);
    return answer;
  }
  FileAnswer answer{Kind::file, identityOf(file->status)};
  if (auto whole = readAll(*file, answer.text); !whole) return failed("read", path, whole.error());
  answer.size = answer.text.size();
  return answer;
}

FileAnswer FileReader::list(const std::string& path) const {
  if (!isPath(path)) return noPath(path);
  auto access = policy_.judge(path);
  if (access == Access::outside) return outside(path);
  if (access == Access::structure) return denied(path);
  auto names = namesIn(path);
  if (!names && names.error() == ENOENT) return absent(path);
  if (!names) return failed("list", path, names.error());
  FileAnswer answer{Kind::listing};
  answer.names = std::move(*names);
  return answer;
}

FileAnswer FileReader::readLink(const std::string& path) const {
  if (!isPath(path)) return noPath(path);
  if (policy_.judge(path) == Access::outside) return outside(path);
  auto text = linkText(path);
  if (!text) return failure("read the link", path, text.error());
  FileAnswer answer{Kind::text};
  answer.text = std::move(*text);
  return answer;
}

FileAnswer FileReader::resolve(const std::string& path) const {
  if (!isPath(path)) return noPath(path);
  if (policy_.judge(path) == Access::outside) return outside(path);
  auto real = realPath(path);
  if (!real) return failure("resolve", path, real.error());
  FileAnswer answer{Kind::text};
  answer.text = std::move(*real);
  return answer;
}

FileReader::Digests FileReader::digests(std::span<const DigestQuestion> questions) const {
  Scratch scratch;
  std::vector<std::optional<FileState>> states;
  states.reserve(questions.size());
  for (const auto& question : questions) states.push_back(digest(question, scratch));
  return {std::move(states), std::move(scratch.read)};
}

std::optional<FileState> FileReader::digest(const DigestQuestion& question, Scratch& scratch) const {
  if (!isPath(question.path)) return std::nullopt;
  auto access = policy_.judge(question.path);
  auto withText = [&](FileKind kind,
                      const std::expected<std::string, int>& text) -> std::optional<FileState> {
    if (text) return FileState{kind, 0, xxh3(*text), 0};
    return state(question.path, false, scratch);
  };
  if (access == Access::outside) {
    if (outside(question.path).kind == Kind::absent) return FileState{};
    return std::nullopt;
  }
  switch (question.kind) {
    case FileKind::link:
      return withText(FileKind::link, linkText(question.path));
    case FileKind::resolved:
      return withText(FileKind::resolved, realPath(question.path));
    case FileKind::listing: {
      if (access == Access::structure) return std::nullopt;
      auto names = namesIn(question.path);
      if (!names) return state(question.path, false, scratch);
      return FileState{FileKind::listing, 0, xxh3(listingText(std::move(*names))), 0};
    }
    default:
      return state(question.path, question.kind == FileKind::file && access == Access::allowed, scratch);
  }
}

std::optional<FileState> FileReader::state(const std::string& path, bool withDigest, Scratch& scratch) const {
  auto place = scratch.near.placeOf(path);
  struct stat status;
  if (::fstatat(place.directory, place.name, &status, 0) < 0) {
    if (meansAbsent(errno)) return FileState{};
    return std::nullopt;
  }
  if (S_ISDIR(status.st_mode)) return FileState{FileKind::directory, 0, {}, identityOf(status)};
  if (!S_ISREG(status.st_mode)) return FileState{FileKind::other, 0, {}, 0};
  if (!withDigest)
    return FileState{FileKind::file, static_cast<std::uint64_t>(status.st_size), {}, identityOf(status)};
  if (auto known = cache_->find(stampOf(status))) {
    return FileState{FileKind::file, static_cast<std::uint64_t>(status.st_size), *known, identityOf(status)};
  }
  return fileState(place, status, scratch);
}

std::optional<FileState> FileReader::fileState(LastDirectory::Place place, const struct stat& status,
                                               Scratch& scratch) const {
  auto& content = scratch.content;
  auto file = openRegular(place, status);
  if (!file) return std::nullopt;
  auto before = stampOf(file->status);
  bool settled = cache_->isSettled(before);
  if (!readAll(*file, content)) return std::nullopt;
  auto digest = xxh3(content);
  struct stat after;
  if (settled && ::fstat(file->descriptor.get(), &after) == 0 && stampOf(after) == before) {
    cache_->insert(before, digest);
    scratch.read.push_back({before, digest});
  }
  return FileState{FileKind::file, content.size(), digest, identityOf(file->status)};
}

}  // namespace kiln::client
