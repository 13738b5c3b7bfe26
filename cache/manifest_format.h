// The stored form of a Manifest.
//
//   manifest = record of magic "KMAN" (record.h) with the sections
//     1 entry         key 16 bytes, order u64
//     2 toolchain     identity 32 bytes, name text
//     3 names         digest 16 bytes: namesDigest() where names bind, zero where they do not
//     4 dependencies  dependency_format.h
//   Of two manifests of one store, the one used later has the higher order.
//
// History: 1 is the first.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "cache/record.h"
#include "jit/artifact.h"

namespace kiln {

inline constexpr std::uint16_t kManifestFormatVersion = 1;

struct StoredManifest {
  Manifest manifest;
  std::uint64_t order = 0;

  bool operator==(const StoredManifest&) const = default;
};

std::string encodeManifest(const StoredManifest& stored);
std::expected<StoredManifest, ParseError> parseManifest(Bytes bytes);

}  // namespace kiln
