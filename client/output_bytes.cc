#include <fcntl.h>
#include <kj/io.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "client/client.h"

namespace kiln::client {

struct OutputBytes::Buffer {
  std::string owned;
  void* mapped = nullptr;
  std::size_t mappedSize = 0;

  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() {
    if (mapped != nullptr) ::munmap(mapped, mappedSize);
  }
};

const std::byte* OutputBytes::data() const {
  if (!buffer_) return nullptr;
  const void* bytes = buffer_->mapped != nullptr ? buffer_->mapped : buffer_->owned.data();
  return static_cast<const std::byte*>(bytes);
}

std::size_t OutputBytes::size() const {
  if (!buffer_) return 0;
  return buffer_->mapped != nullptr ? buffer_->mappedSize : buffer_->owned.size();
}

OutputBytes OutputBytes::fromString(std::string bytes) {
  auto buffer = std::make_shared<Buffer>();
  buffer->owned = std::move(bytes);
  OutputBytes output;
  output.buffer_ = std::move(buffer);
  return output;
}

// Without the seals its other holder could change the bytes under the reader, or cut them off (SIGBUS).
std::optional<OutputBytes> OutputBytes::fromDescriptor(int descriptor, std::size_t size) {
  kj::AutoCloseFd owned(descriptor);
  constexpr int kNeeded = F_SEAL_WRITE | F_SEAL_SHRINK;
  int seals = ::fcntl(descriptor, F_GET_SEALS);
  if (seals < 0 || (seals & kNeeded) != kNeeded) return std::nullopt;
  struct stat status;
  if (::fstat(descriptor, &status) < 0 || static_cast<std::size_t>(status.st_size) != size)
    return std::nullopt;
  if (size == 0) return fromString({});

  auto buffer = std::make_shared<Buffer>();
  void* mapped = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (mapped == MAP_FAILED) return std::nullopt;
  buffer->mapped = mapped;
  buffer->mappedSize = size;
  OutputBytes output;
  output.buffer_ = std::move(buffer);
  return output;
}

}  // namespace kiln::client
