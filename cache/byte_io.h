// Writing values as bytes and reading them back from bytes that may be anything.
//
// Numbers are little-endian. A text is its length (u32), then its bytes. A list is its count (u32), then its
// items.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include "jit/hash.h"

namespace kiln {

class ByteWriter {
 public:
  void u8(std::uint8_t value) { number(value, 1); }
  void u16(std::uint16_t value) { number(value, 2); }
  void u32(std::uint32_t value) { number(value, 4); }
  void u64(std::uint64_t value) { number(value, 8); }
  void f64(double value) { u64(std::bit_cast<std::uint64_t>(value)); }
  void raw(Bytes value) { bytes_.append(asText(value)); }
  // Throws std::length_error for more than a u32 can count.
  void text(std::string_view value);
  void count(std::size_t value);
  // Writes over the count that lies at `place`.
  void setCount(std::size_t place, std::size_t value);

  void reserve(std::size_t size) { bytes_.reserve(size); }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] Bytes view() const { return asBytes(bytes_); }
  std::string take() { return std::move(bytes_); }

 private:
  void number(std::uint64_t value, std::size_t size) {
    const auto bytes = littleEndian(value);
    bytes_.append(reinterpret_cast<const char*>(bytes.data()), size);
  }

  std::string bytes_;
};

// Never reads past the end: once something does not fit, or fail() was called, failed() stays true and every
// further value is zero or empty. Keeps no copy: the bytes outlive it.
class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : rest_(bytes) {}

  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t u64() { return number(8); }
  double f64() { return std::bit_cast<double>(u64()); }
  Bytes raw(std::size_t size);
  std::string text() { return std::string(asText(raw(u32()))); }
  template <std::size_t N>
  Digest<N> digest() {
    return Digest<N>::fromBytes(raw(N)).value_or(Digest<N>{});
  }
  // The count of a list whose items take at least `minimumSize` bytes each: more than can follow is a
  // failure, so that a count decides no allocation larger than the bytes themselves.
  std::size_t count(std::size_t minimumSize);

  void fail();
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] bool atEnd() const { return rest_.empty(); }

 private:
  std::uint64_t number(std::size_t size);

  Bytes rest_;
  bool failed_ = false;
};

}  // namespace kiln
