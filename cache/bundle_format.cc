#include "cache/bundle_format.h"

namespace kiln {
namespace {

constexpr std::string_view kMagic = "KBND";

enum Section : std::uint16_t { kIdentity = 1, kOrigin = 2, kContents = 3, kToolchains = 4 };

void writeToolchain(ByteWriter& out, const BundledToolchain& toolchain) {
  out.text(toolchain.name);
  out.text(toolchain.frontend);
  out.text(toolchain.version);
  out.u16(static_cast<std::uint16_t>(toolchain.language));
  out.raw(toolchain.identity.view());
  out.count(toolchain.targets.size());
  for (const auto& target : toolchain.targets) out.text(target);
}

BundledToolchain readToolchain(ByteReader& in) {
  BundledToolchain toolchain;
  toolchain.name = in.text();
  toolchain.frontend = in.text();
  toolchain.version = in.text();
  auto language = languageFromNumber(in.u16());
  if (!language) in.fail();
  toolchain.language = language.value_or(Language::cuda);
  toolchain.identity = in.digest<Sha256::kSize>();
  toolchain.targets.resize(in.count(4));
  for (auto& target : toolchain.targets) target = in.text();
  return toolchain;
}

}  // namespace

std::string encodeBundle(const BundleRecord& bundle) {
  RecordWriter record(kMagic, kBundleFormatVersion);
  record.section(kIdentity, [&](ByteWriter& out) {
    out.raw(bundle.digest.view());
    out.text(bundle.domain);
  });
  record.section(kOrigin, [&](ByteWriter& out) {
    out.text(bundle.name);
    out.u64(bundle.warmedAt);
  });
  record.section(kContents, [&](ByteWriter& out) {
    out.u64(bundle.entries);
    out.u64(bundle.bytes);
  });
  record.section(kToolchains, [&](ByteWriter& out) {
    out.count(bundle.toolchains.size());
    for (const auto& toolchain : bundle.toolchains) writeToolchain(out, toolchain);
  });
  return record.finish();
}

std::expected<BundleRecord, ParseError> parseBundle(Bytes bytes) {
  auto record = RecordReader::open(bytes, kMagic, kBundleFormatVersion);
  if (!record) return std::unexpected(std::move(record.error()));
  BundleRecord bundle;
  auto readIdentity = [&](ByteReader& in) {
    bundle.digest = in.digest<Sha256::kSize>();
    bundle.domain = in.text();
  };
  auto readOrigin = [&](ByteReader& in) {
    bundle.name = in.text();
    bundle.warmedAt = in.u64();
  };
  auto readContents = [&](ByteReader& in) {
    bundle.entries = in.u64();
    bundle.bytes = in.u64();
  };
  auto readToolchains = [&](ByteReader& in) {
    bundle.toolchains.resize(in.count(4 + 4 + 4 + 2 + Sha256::kSize + 4));
    for (auto& toolchain : bundle.toolchains) toolchain = readToolchain(in);
  };
  bool good = record->section(kIdentity, readIdentity) && record->section(kOrigin, readOrigin) &&
              record->section(kContents, readContents) && record->section(kToolchains, readToolchains);
  if (!good) return std::unexpected(ParseError{"a section of the bundle's record is missing or damaged"});
  return bundle;
}

}  // namespace kiln
