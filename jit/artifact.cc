#include "jit/artifact.h"

#include "jit/names_binding.h"
#include "jit/request_hash.h"
#include "jit/sha256.h"

namespace kiln {
namespace {

// Gives each field of the set to `field(tag, bytes or number)`.
template <typename Field>
void forEachField(const DependencySet& dependencies, const Field& field) {
  auto number = [&](std::uint8_t tag, std::uint64_t value) {
    auto bytes = littleEndian(value);
    field(tag, std::as_bytes(std::span(bytes)));
  };
  number(1, dependencies.size());
  for (const auto& dependency : dependencies) {
    number(2, static_cast<std::uint64_t>(dependency.path.role));
    number(3, dependency.path.index);
    field(4, asBytes(dependency.path.path));
    number(5, static_cast<std::uint64_t>(dependency.kind));
    number(6, dependency.size);
    field(7, dependency.xxh3.view());
    field(8, dependency.sha256.view());
    number(9, dependency.fileNumber);
  }
}

}  // namespace

Sha256 dependenciesSha256(const DependencySet& dependencies) {
  Sha256Hasher hasher;
  forEachField(dependencies, [&](std::uint8_t tag, Bytes value) { hasher.field(tag, value); });
  return hasher.finish();
}

Sha256 requestSha256(const Request& request) {
  Sha256Hasher hasher;
  forEachRequestField(request, [&](std::uint8_t tag, Bytes value) { hasher.field(tag, value); });
  return hasher.finish();
}

Manifest manifestOf(const Entry& entry) {
  return {entry.key, entry.toolchainIdentity, entry.toolchainName,
          entry.namesBind ? namesDigest(entry.names) : Hash128{}, entry.dependencies};
}

EntryKey entryKey(const Entry& entry) {
  FieldHasher dependencies;
  forEachField(entry.dependencies, [&](std::uint8_t tag, Bytes value) { dependencies.field(tag, value); });
  FieldHasher hasher;
  hasher.field(1, entry.domain);
  hasher.field(2, entry.toolchainIdentity.view());
  hasher.field(3, entry.requestHash.view());
  hasher.field(4, dependencies.finish().view());
  if (entry.namesBind) hasher.field(5, namesDigest(entry.names).view());
  return hasher.finish();
}

}  // namespace kiln
