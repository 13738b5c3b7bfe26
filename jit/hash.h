// Digests and how they are made.
//
// Hash128 (XXH3-128) decides identity within a domain, where a forger could harm only himself. Sha256 stands
// beside it in every entry and decides wherever a domain's border is crossed. Both are plain values.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace kiln {

using Bytes = std::span<const std::byte>;

inline Bytes asBytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }
inline std::string_view asText(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A digest of N bytes, ordered and compared by its bytes.
template <std::size_t N>
struct Digest {
  std::array<std::uint8_t, N> bytes{};

  static constexpr std::size_t kSize = N;
  // Lower-case hexadecimal, 2 * N characters.
  [[nodiscard]] std::string hex() const;
  // Nothing unless `text` is exactly 2 * N hexadecimal digits.
  static std::optional<Digest> fromHex(std::string_view text);
  // Nothing unless `raw` is exactly N bytes.
  static std::optional<Digest> fromBytes(Bytes raw);
  [[nodiscard]] Bytes view() const { return std::as_bytes(std::span(bytes)); }
  [[nodiscard]] bool isZero() const { return *this == Digest{}; }

  auto operator<=>(const Digest&) const = default;
};

extern template struct Digest<16>;
extern template struct Digest<32>;

using Hash128 = Digest<16>;  // XXH3-128, canonical (big-endian) byte order
using Sha256 = Digest<32>;

// XXH3-128 of `bytes`.
Hash128 xxh3(Bytes bytes);
inline Hash128 xxh3(std::string_view text) { return xxh3(asBytes(text)); }

// XXH3-64 of `bytes`: checksums of stored formats.
std::uint64_t xxh3Checksum(Bytes bytes);

// `value` as 8 bytes, least significant first: how numbers enter hashes and stored formats.
constexpr std::array<std::uint8_t, 8> littleEndian(std::uint64_t value) {
  std::array<std::uint8_t, 8> bytes{};
  for (auto& byte : bytes) {
    byte = static_cast<std::uint8_t>(value);
    value >>= 8;
  }
  return bytes;
}

// What is hashed before a field's bytes, so that no two different sequences of fields give one input: its tag
// and its length (little-endian).
constexpr std::array<std::uint8_t, 9> fieldFrame(std::uint8_t tag, std::uint64_t length) {
  std::array<std::uint8_t, 9> frame{tag};
  std::ranges::copy(littleEndian(length), frame.begin() + 1);
  return frame;
}

// Hashes a sequence of fields, each with its frame. Not thread-safe.
class FieldHasher {
 public:
  FieldHasher();
  FieldHasher(const FieldHasher&) = delete;
  FieldHasher& operator=(const FieldHasher&) = delete;

  void field(std::uint8_t tag, Bytes value);
  void field(std::uint8_t tag, std::string_view value) { field(tag, asBytes(value)); }
  void field(std::uint8_t tag, std::uint64_t value);
  [[nodiscard]] Hash128 finish() const;

 private:
  static constexpr std::size_t kStateSize = 576, kStateAlignment = 64;
  alignas(kStateAlignment) std::array<std::byte, kStateSize> state_;  // XXH3's
};

}  // namespace kiln

template <std::size_t N>
struct std::hash<kiln::Digest<N>> {
  std::size_t operator()(const kiln::Digest<N>& digest) const noexcept {
    std::size_t value = 0;
    for (std::size_t i = 0; i < sizeof value; ++i) value = value << 8 | digest.bytes[i];
    return value;
  }
};
