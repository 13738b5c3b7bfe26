#include "rpc/sealed_outputs.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <utility>

namespace kiln {
namespace {

bool writeAll(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    auto written = write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

SealedOutputs::Descriptor sealedMemory(std::string_view bytes) {
  constexpr int kSeals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  int raw = memfd_create("kiln-output", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (raw < 0) return nullptr;
  auto descriptor = std::make_shared<const kj::AutoCloseFd>(raw);
  if (!writeAll(raw, bytes) || fcntl(raw, F_ADD_SEALS, kSeals) != 0) return nullptr;
  return descriptor;
}

}  // namespace

SealedOutputs::Descriptor SealedOutputs::of(const Output& output) {
  if (const auto* known = items_.find(output.sha256)) return known->descriptor;
  auto descriptor = sealedMemory(output.bytes);
  if (descriptor == nullptr || output.sha256.isZero()) return descriptor;
  items_.insert(output.sha256, {output.bytes.size(), descriptor});
  bytes_ += output.bytes.size();
  while (bytes_ > maxBytes_ || items_.size() > maxCount_) bytes_ -= items_.popOldest().size;
  return descriptor;
}

}  // namespace kiln
