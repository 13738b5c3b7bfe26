// SHA-256, apart from hash.h so that libkiln, which never computes one, links no cryptographic library.
#pragma once

#include "jit/hash.h"

namespace kiln {

Sha256 sha256(Bytes bytes);
inline Sha256 sha256(std::string_view text) { return sha256(asBytes(text)); }

// SHA-256 of data that arrives in pieces. Not thread-safe.
class Sha256Hasher {
 public:
  Sha256Hasher();
  ~Sha256Hasher();
  Sha256Hasher(const Sha256Hasher&) = delete;
  Sha256Hasher& operator=(const Sha256Hasher&) = delete;

  void add(Bytes bytes);
  // A field with its frame, as FieldHasher does it.
  void field(std::uint8_t tag, Bytes value);
  // The digest of all that was added; nothing can be added afterwards.
  Sha256 finish();

 private:
  void* context_;
};

}  // namespace kiln
