#include "bundle/blob_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "bundle/file.h"
#include "jit/sha256.h"

namespace kiln::bundle {
namespace {

BundleError cannotWrite(const std::filesystem::path& file, int error) {
  return {"cannot write '" + file.string() + "': " + std::strerror(error)};
}

constexpr std::string_view kUnfinished = ".XXXXXX";

// Where a file is written before it has its name.
FileDescriptor openUnfinished(std::string& path) {
  path += kUnfinished;
  return FileDescriptor(::mkostemp(path.data(), O_CLOEXEC));
}

// Of a content that is there whole, or was being written when somebody was killed; nothing for others.
std::optional<Sha256> digestIn(const std::string& name, bool& isUnfinished) {
  constexpr std::size_t kDigits = 2 * Sha256::kSize;
  isUnfinished = name.size() == kDigits + kUnfinished.size() && name[kDigits] == '.';
  return Sha256::fromHex(isUnfinished ? name.substr(0, kDigits) : name);
}

}  // namespace

BundleResult<void> writeFile(const std::filesystem::path& file, std::string_view content) {
  std::string unfinished = file;
  auto descriptor = openUnfinished(unfinished);
  if (!descriptor.isOpen()) return std::unexpected(cannotWrite(file, errno));
  int problem = writeAll(descriptor, content);
  if (problem == 0 && ::fchmod(descriptor.number(), 0644) != 0) problem = errno;
  if (const int closing = descriptor.close(); problem == 0) problem = closing;
  if (problem == 0 && ::rename(unfinished.c_str(), file.c_str()) != 0) problem = errno;
  if (problem == 0) return {};
  ::unlink(unfinished.c_str());
  return std::unexpected(cannotWrite(file, problem));
}

BundleResult<void> checkWritable(const std::filesystem::path& file) {
  struct stat status;
  if (::stat(file.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    return std::unexpected(
        BundleError{"cannot write '" + file.string() + "': it is no regular file; give another path"});
  }
  std::string unfinished = file;
  if (!openUnfinished(unfinished).isOpen()) return std::unexpected(cannotWrite(file, errno));
  ::unlink(unfinished.c_str());
  return {};
}

BundleResult<void> BlobFolder::checkWritable() const {
  std::error_code error;
  if (!std::filesystem::exists(std::filesystem::symlink_status(folder_, error))) return {};
  return bundle::checkWritable(folder_ / Sha256().hex());
}

BundleResult<void> BlobFolder::add(const Sha256& digest, std::string_view content) const {
  const auto file = folder_ / digest.hex();
  const auto known = readWhole(file, content.size(), Links::refused);
  if (known && *known == content) return {};
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) return std::unexpected(cannotWrite(folder_, error.value()));
  return writeFile(file, content);
}

void BlobFolder::keepOnly(const std::set<Sha256>& digests) const {
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(folder_, error)) {
    bool isUnfinished = false;
    const auto digest = digestIn(file.path().filename().string(), isUnfinished);
    if (digest && (isUnfinished || !digests.contains(*digest))) std::filesystem::remove(file.path(), error);
  }
}

BundleResult<std::string> BlobFolder::read(const Sha256& digest) const {
  const auto file = folder_ / digest.hex();
  auto content = readWhole(file, kMaxContentSize, Links::refused);
  if (!content) {
    return std::unexpected(BundleError{"cannot read a content that the lock names: " + content.error().text +
                                       "; record once more, or put back what was there"});
  }
  if (sha256(*content) != digest) {
    return std::unexpected(BundleError{"'" + file.string() +
                                       "' does not have the content that its name says; record once more"});
  }
  return *std::move(content);
}

}  // namespace kiln::bundle
