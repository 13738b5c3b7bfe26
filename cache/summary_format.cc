#include "cache/summary_format.h"

#include "cache/target_format.h"

namespace kiln {
namespace {

constexpr std::string_view kMagic = "KSUM";

enum Section : std::uint16_t { kIdentity = 1, kNames = 2, kResult = 3, kCompile = 4 };

}  // namespace

std::string encodeSummary(const StoredSummary& stored) {
  const auto& summary = stored.summary;
  RecordWriter record(kMagic, kSummaryFormatVersion);
  record.section(kIdentity, [&](ByteWriter& out) {
    out.raw(summary.key.view());
    out.text(summary.domain);
    out.raw(stored.requestHash.view());
  });
  record.section(kNames, [&](ByteWriter& out) {
    out.text(summary.sourceName);
    writeTarget(out, summary.target);
    out.text(summary.toolchainName);
  });
  record.section(kResult, [&](ByteWriter& out) {
    out.u16(summary.failure ? static_cast<std::uint16_t>(*summary.failure) : 0);
    out.u64(summary.bytes);
  });
  record.section(kCompile, [&](ByteWriter& out) {
    out.f64(summary.compileMilliseconds);
    out.u64(summary.createdAt);
  });
  return record.finish();
}

std::expected<StoredSummary, ParseError> parseSummary(Bytes bytes) {
  auto record = RecordReader::open(bytes, kMagic, kSummaryFormatVersion);
  if (!record) return std::unexpected(std::move(record.error()));
  StoredSummary stored;
  auto& summary = stored.summary;
  auto readIdentity = [&](ByteReader& in) {
    summary.key = in.digest<EntryKey::kSize>();
    summary.domain = in.text();
    stored.requestHash = in.digest<Hash128::kSize>();
  };
  auto readNames = [&](ByteReader& in) {
    summary.sourceName = in.text();
    summary.target = readTarget(in);
    summary.toolchainName = in.text();
  };
  auto readResult = [&](ByteReader& in) {
    auto number = in.u16();
    summary.failure = failureKindFromNumber(number);
    if (number != 0 && !summary.failure) in.fail();
    summary.bytes = in.u64();
  };
  auto readCompile = [&](ByteReader& in) {
    summary.compileMilliseconds = in.f64();
    summary.createdAt = in.u64();
  };
  bool good = record->section(kIdentity, readIdentity) && record->section(kNames, readNames) &&
              record->section(kResult, readResult) && record->section(kCompile, readCompile);
  if (!good) return std::unexpected(ParseError{"a section of the summary is missing or damaged"});
  return stored;
}

}  // namespace kiln
