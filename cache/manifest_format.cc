#include "cache/manifest_format.h"

#include <limits>

#include "cache/dependency_format.h"

namespace kiln {
namespace {

constexpr std::string_view kMagic = "KMAN";

enum Section : std::uint16_t { kEntry = 1, kToolchain = 2, kNames = 3, kDependencies = 4 };

// A manifest does not know how many include directories its request has; resolve() knows what to do with a
// role path beyond an asker's.
constexpr auto kAnyIncludeDirectory = std::numeric_limits<std::uint32_t>::max();

}  // namespace

std::string encodeManifest(const StoredManifest& stored) {
  const auto& manifest = stored.manifest;
  RecordWriter record(kMagic, kManifestFormatVersion);
  record.section(kEntry, [&](ByteWriter& out) {
    out.raw(manifest.key.view());
    out.u64(stored.order);
  });
  record.section(kToolchain, [&](ByteWriter& out) {
    out.raw(manifest.toolchainIdentity.view());
    out.text(manifest.toolchainName);
  });
  record.section(kNames, [&](ByteWriter& out) { out.raw(manifest.boundNames.view()); });
  record.section(kDependencies, [&](ByteWriter& out) { writeDependencies(out, manifest.dependencies); });
  return record.finish();
}

std::expected<StoredManifest, ParseError> parseManifest(Bytes bytes) {
  auto record = RecordReader::open(bytes, kMagic, kManifestFormatVersion);
  if (!record) return std::unexpected(std::move(record.error()));
  StoredManifest stored;
  auto& manifest = stored.manifest;
  auto readEntry = [&](ByteReader& in) {
    manifest.key = in.digest<EntryKey::kSize>();
    stored.order = in.u64();
  };
  auto readToolchain = [&](ByteReader& in) {
    manifest.toolchainIdentity = in.digest<Sha256::kSize>();
    manifest.toolchainName = in.text();
  };
  bool good =
      record->section(kEntry, readEntry) && record->section(kToolchain, readToolchain) &&
      record->section(kNames, [&](ByteReader& in) { manifest.boundNames = in.digest<Hash128::kSize>(); }) &&
      record->section(kDependencies, [&](ByteReader& in) {
        manifest.dependencies = readDependencies(in, kAnyIncludeDirectory);
      });
  if (!good) return std::unexpected(ParseError{"a section of the manifest is missing or damaged"});
  return stored;
}

}  // namespace kiln
