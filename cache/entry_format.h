// The stored form of an Entry.
//
//   entry = record of magic "KENT" (record.h) with the sections
//     1 identity      key 16 bytes, domain text, request hash 16 bytes, request SHA-256 32 bytes
//     2 toolchain     identity 32 bytes, name text
//     3 names         source text, working directory text, include directories list of text, bind u8 (0 or 1)
//     4 dependencies  dependency_format.h
//     5 artifact      outputs list of (kind u16, SHA-256 32 bytes, bytes text), log text,
//                     lowered names list of (expression text, lowered text),
//                     kernels list of (name text, figures list of (resource u16, amount u32)), problem text
//     6 failure       kind u16, message text, log text
//     7 compile       milliseconds f64, created at u64 (seconds since 1970)
//   Either 5 or 6 is there, never both. Kinds are the values of OutputKind and FailureKind, resources
//   those of Resource; figures ascend by them.
//
// SHA-256 of the outputs is stored and not computed again by a parse: within a domain the checksum vouches
// for it. That of the dependencies as a whole (dependenciesSha256()) follows from theirs and is not stored.
//
// History: 1 is the first. 2 adds kernels and problem to the artifact: its resource usage. An entry of 1 is
// refused like any record that does not verify, and compiled again.
#pragma once

#include <expected>
#include <string>

#include "cache/record.h"
#include "jit/artifact.h"

namespace kiln {

inline constexpr std::uint16_t kEntryFormatVersion = 2;

std::string encodeEntry(const Entry& entry);

// Verifies: checksum, version, sections, known kinds, sane indexes, and that the key is entryKey() of the
// rest.
std::expected<Entry, ParseError> parseEntry(Bytes bytes);

}  // namespace kiln
