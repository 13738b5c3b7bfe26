#include "jit/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <new>
#include <type_traits>

namespace kiln {
namespace {

// What a hexadecimal digit is worth; -1 for what is none.
constexpr auto kHexValues = [] {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (int i = 0; i < 10; ++i) values[static_cast<std::size_t>('0' + i)] = static_cast<std::int8_t>(i);
  for (int i = 0; i < 6; ++i) {
    values[static_cast<std::size_t>('a' + i)] = static_cast<std::int8_t>(10 + i);
    values[static_cast<std::size_t>('A' + i)] = static_cast<std::int8_t>(10 + i);
  }
  return values;
}();

int hexValue(char c) { return kHexValues[static_cast<std::uint8_t>(c)]; }

Hash128 canonical(XXH128_hash_t hash) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, hash);
  Hash128 result;
  std::copy(std::begin(canonical.digest), std::end(canonical.digest), result.bytes.begin());
  return result;
}

XXH3_state_t* stateIn(std::byte* place) { return std::launder(reinterpret_cast<XXH3_state_t*>(place)); }
const XXH3_state_t* stateIn(const std::byte* place) {
  return std::launder(reinterpret_cast<const XXH3_state_t*>(place));
}

}  // namespace

template <std::size_t N>
std::string Digest<N>::hex() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * N);
  for (auto byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

template <std::size_t N>
std::optional<Digest<N>> Digest<N>::fromHex(std::string_view text) {
  if (text.size() != 2 * N) return std::nullopt;
  Digest digest;
  for (std::size_t i = 0; i < N; ++i) {
    const int high = hexValue(text[2 * i]);
    const int low = hexValue(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    digest.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return digest;
}

template <std::size_t N>
std::optional<Digest<N>> Digest<N>::fromBytes(Bytes raw) {
  if (raw.size() != N) return std::nullopt;
  Digest digest;
  std::transform(raw.begin(), raw.end(), digest.bytes.begin(),
                 [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
  return digest;
}

template struct Digest<16>;
template struct Digest<32>;

Hash128 xxh3(Bytes bytes) { return canonical(XXH3_128bits(bytes.data(), bytes.size())); }

std::uint64_t xxh3Checksum(Bytes bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

FieldHasher::FieldHasher() {
  static_assert(sizeof(XXH3_state_t) <= kStateSize && alignof(XXH3_state_t) <= kStateAlignment);
  static_assert(std::is_trivially_destructible_v<XXH3_state_t>);
  XXH3_128bits_reset(new (state_.data()) XXH3_state_t);
}

void FieldHasher::field(std::uint8_t tag, Bytes value) {
  auto* state = stateIn(state_.data());
  const auto frame = fieldFrame(tag, value.size());
  XXH3_128bits_update(state, frame.data(), frame.size());
  XXH3_128bits_update(state, value.data(), value.size());
}

void FieldHasher::field(std::uint8_t tag, std::uint64_t value) {
  auto bytes = littleEndian(value);
  field(tag, std::as_bytes(std::span(bytes)));
}

Hash128 FieldHasher::finish() const { return canonical(XXH3_128bits_digest(stateIn(state_.data()))); }

}  // namespace kiln
