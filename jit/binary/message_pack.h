// Reading MessagePack, by its specification (github.com/msgpack/msgpack/blob/master/spec.md), from bytes that
// may be anything.
#pragma once

#include <cstdint>
#include <string_view>

#include "jit/hash.h"

namespace kiln::binary {

// Reads value by value. Never reads past the end: once something is not what was asked for, failed() stays
// true and every further value is zero or empty. Keeps no copy: the bytes outlive it and the texts it gives.
class MessagePackReader {
 public:
  explicit MessagePackReader(Bytes bytes) : rest_(bytes) {}

  // Enters a map, or an array: how many pairs of values, or values, come next. Each is at least a byte long,
  // so that a loop over them which ends when failed() says so is bounded by the bytes.
  std::uint64_t map() { return valueOf(Kind::map); }
  std::uint64_t array() { return valueOf(Kind::array); }
  std::uint64_t number() { return valueOf(Kind::number); }  // not negative
  bool boolean() { return valueOf(Kind::boolean) != 0; }
  std::string_view text();
  // Passes over one value of any kind, whatever is nested in it.
  void skip();

  [[nodiscard]] bool failed() const { return failed_; }

 private:
  enum class Kind : std::uint8_t { number, boolean, text, array, map, other };
  struct Header {
    Kind kind = Kind::other;
    // The number; the length of a text, an array or a map; of anything else how many bytes follow.
    std::uint64_t value = 0;
  };

  Header header();
  std::uint64_t valueOf(Kind kind);
  std::uint64_t bigEndian(std::size_t size);
  Bytes take(std::uint64_t size);
  void fail();

  Bytes rest_;
  bool failed_ = false;
};

}  // namespace kiln::binary
