#include "jit/binary/message_pack.h"

namespace kiln::binary {

std::string_view MessagePackReader::text() { return asText(take(valueOf(Kind::text))); }

void MessagePackReader::skip() {
  // A count of values to go, not a recursion: nesting costs no stack.
  for (std::uint64_t pending = 1; pending > 0 && !failed_; --pending) {
    auto [kind, value] = header();
    switch (kind) {
      case Kind::array:
        pending += value;
        break;
      case Kind::map:
        pending += 2 * value;
        break;
      case Kind::text:
      case Kind::other:
        take(value);
        break;
      case Kind::number:
      case Kind::boolean:
        break;
    }
  }
}

MessagePackReader::Header MessagePackReader::header() {
  const auto first = static_cast<std::uint8_t>(bigEndian(1));
  if (first <= 0x7f) return {Kind::number, first};
  if (first <= 0x8f) return {Kind::map, first & 0x0fu};
  if (first <= 0x9f) return {Kind::array, first & 0x0fu};
  if (first <= 0xbf) return {Kind::text, first & 0x1fu};
  switch (first) {
    case 0xc2:
    case 0xc3:
      return {Kind::boolean, first & 1u};
    case 0xc4:  // bytes
    case 0xc5:
    case 0xc6:
      return {Kind::other, bigEndian(1u << (first - 0xc4))};
    case 0xc7:  // an extension of a length that follows; its type is a byte more
    case 0xc8:
    case 0xc9:
      return {Kind::other, bigEndian(1u << (first - 0xc7)) + 1};
    case 0xca:  // floating point
    case 0xcb:
      return {Kind::other, 4u << (first - 0xca)};
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf:
      return {Kind::number, bigEndian(1u << (first - 0xcc))};
    case 0xd0:  // signed: no number here needs a sign
    case 0xd1:
    case 0xd2:
    case 0xd3:
      return {Kind::other, 1u << (first - 0xd0)};
    case 0xd4:  // an extension of 1 to 16 bytes
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
      return {Kind::other, (1u << (first - 0xd4)) + 1};
    case 0xd9:
    case 0xda:
    case 0xdb:
      return {Kind::text, bigEndian(1u << (first - 0xd9))};
    case 0xdc:
    case 0xdd:
      return {Kind::array, bigEndian(2u << (first - 0xdc))};
    case 0xde:
    case 0xdf:
      return {Kind::map, bigEndian(2u << (first - 0xde))};
    default:  // nil, the one byte that means nothing, and small negative numbers
      return {Kind::other, 0};
  }
}

std::uint64_t MessagePackReader::valueOf(Kind kind) {
  auto found = header();
  if (found.kind != kind) fail();
  return failed_ ? 0 : found.value;
}

std::uint64_t MessagePackReader::bigEndian(std::size_t size) {
  std::uint64_t value = 0;
  for (auto byte : take(size)) value = value << 8 | std::to_integer<std::uint64_t>(byte);
  return value;
}

Bytes MessagePackReader::take(std::uint64_t size) {
  if (size > rest_.size()) fail();
  if (failed_) return {};
  auto taken = rest_.first(size);
  rest_ = rest_.subspan(size);
  return taken;
}

void MessagePackReader::fail() {
  failed_ = true;
  rest_ = {};
}

}  // namespace kiln::binary
