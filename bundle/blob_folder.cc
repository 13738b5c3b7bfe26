#include "bundle/blob_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

#include "jit/sha256.h"

namespace kiln::bundle {
namespace {

BundleError cannotWrite(const std::filesystem::path& file, int error) {
  return {"cannot write '" + file.string() + "': " + std::strerror(error)};
}

// An errno; 0 if all went well.
int writeAll(int descriptor, std::string_view content) {
  while (!content.empty()) {
    const auto written = ::write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fchmod(descriptor, 0644) != 0 ? errno : 0;
}

}  // namespace

BundleResult<void> writeFile(const std::filesystem::path& file, std::string_view content) {
  auto unfinished = file.string() + ".XXXXXX";
  const int descriptor = ::mkostemp(unfinished.data(), O_CLOEXEC);
  if (descriptor < 0) return std::unexpected(cannotWrite(file, errno));
  int problem = writeAll(descriptor, content);
  if (::close(descriptor) != 0 && problem == 0) problem = errno;
  if (problem == 0 && ::rename(unfinished.c_str(), file.c_str()) != 0) problem = errno;
  if (problem == 0) return {};
  ::unlink(unfinished.c_str());
  return std::unexpected(cannotWrite(file, problem));
}

BundleResult<void> BlobFolder::add(const Sha256& digest, std::string_view content) const {
  const auto file = folder_ / digest.hex();
  std::error_code error;
  if (std::filesystem::exists(file, error)) return {};
  std::filesystem::create_directories(folder_, error);
  if (error) return std::unexpected(cannotWrite(folder_, error.value()));
  return writeFile(file, content);
}

void BlobFolder::keepOnly(const std::set<Sha256>& digests) const {
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(folder_, error)) {
    const auto digest = Sha256::fromHex(file.path().filename().string());
    if (digest && !digests.contains(*digest)) std::filesystem::remove(file.path(), error);
  }
}

BundleResult<std::string> BlobFolder::read(const Sha256& digest) const {
  const auto file = folder_ / digest.hex();
  std::ifstream in(file, std::ios::binary);
  std::string content(std::istreambuf_iterator<char>(in), {});
  if (!in.is_open() || in.bad()) {
    return std::unexpected(BundleError{"cannot read '" + file.string() +
                                       "', which the lock names; record once more, or put it back"});
  }
  if (sha256(content) != digest) {
    return std::unexpected(BundleError{"'" + file.string() +
                                       "' does not have the content that its name says; record once more"});
  }
  return content;
}

}  // namespace kiln::bundle
