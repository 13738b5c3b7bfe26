// The stored form of a Lock: a text that people read, and review as a diff.
//
//   # a comment that says what it is
//   version = 1
//
//   [[kernel]]
//   name = "saxpy.cu: saxpy"
//   language = "cuda"
//   targets = ["sm_80", "sm_90"]
//   ...
//   files = [
//     { role = "include 1", path = "v.h", kind = "file", size = 12, sha256 = "6a...", file = 1 },
//   ]
//
//   [[uncaptured]]
//   name = "k.cu"
//   reason = "..."
//
// It is TOML 1.0. The keys are those that writeLock() writes; one that is left out has the value of a Lock
// that was made anew. Digests are hexadecimal SHA-256. The contents that they name lie beside the lock
// (blob_folder.h).
//
// History: 1 is the first.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "bundle/lock.h"
#include "bundle/result.h"

namespace kiln::bundle {

inline constexpr int kLockVersion = 1;
// More is not read into memory.
inline constexpr std::uint64_t kMaxLockSize = std::uint64_t{256} << 20;

std::string writeLock(const Lock& lock);

// `file` names the text in errors, which tell the line. What is read is checked as far as the text tells:
// known languages, targets and kinds, digests, order where the Lock has one. A lock that was edited may have
// its kernels in any order.
BundleResult<Lock> parseLock(std::string_view text, const std::string& file);

BundleResult<Lock> readLock(const std::filesystem::path& file);

// Whether a file begins as those that writeLock() writes; false where it cannot be read.
bool looksLikeLock(const std::filesystem::path& file);

}  // namespace kiln::bundle
