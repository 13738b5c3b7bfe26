// The stored form of a BundleRecord.
//
//   bundle = record of magic "KBND" (record.h) with the sections
//     1 identity    digest 32 bytes, domain text
//     2 origin      name text, warmed at u64 (seconds since 1970)
//     3 contents    entries u64, bytes u64 of all their outputs
//     4 toolchains  list of (name text, frontend text, version text, language u16, identity 32 bytes,
//                   targets list of text)
//   Language is the value of Language. The order of either list is the record's own.
//
// History: 1 is the first.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "cache/record.h"
#include "jit/bundle_record.h"

namespace kiln {

inline constexpr std::uint16_t kBundleFormatVersion = 1;

std::string encodeBundle(const BundleRecord& bundle);
std::expected<BundleRecord, ParseError> parseBundle(Bytes bytes);

}  // namespace kiln
