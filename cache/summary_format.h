// The stored form of an EntrySummary: what a listing reads in place of the entry.
//
//   summary = record of magic "KSUM" (record.h) with the sections
//     1 identity   key 16 bytes, domain text, request hash 16 bytes
//     2 names      source name text, target (target_format.h), toolchain name text
//     3 result     failure u16 (the value of FailureKind, 0 for an artifact), bytes u64 of all outputs
//     4 compile    milliseconds f64, created at u64 (seconds since 1970)
//
// History: 1 is the first.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "cache/record.h"
#include "jit/store.h"

namespace kiln {

inline constexpr std::uint16_t kSummaryFormatVersion = 1;

struct StoredSummary {
  EntrySummary summary;
  Hash128 requestHash;  // leads from an entry's key to its manifest

  bool operator==(const StoredSummary&) const = default;
};

std::string encodeSummary(const StoredSummary& stored);
std::expected<StoredSummary, ParseError> parseSummary(Bytes bytes);

}  // namespace kiln
