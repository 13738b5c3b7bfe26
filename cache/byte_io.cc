#include "cache/byte_io.h"

#include <limits>
#include <stdexcept>

namespace kiln {

void ByteWriter::text(std::string_view value) {
  count(value.size());
  bytes_.append(value);
}

void ByteWriter::count(std::size_t value) {
  if (value > std::numeric_limits<std::uint32_t>::max()) {
    throw std::length_error("a field is larger than a stored record can hold");
  }
  u32(static_cast<std::uint32_t>(value));
}

void ByteWriter::number(std::uint64_t value, int size) {
  for (int i = 0; i < size; ++i) bytes_.push_back(static_cast<char>(value >> (8 * i)));
}

Bytes ByteReader::raw(std::size_t size) {
  if (size > rest_.size()) fail();
  if (failed_) return {};
  auto taken = rest_.first(size);
  rest_ = rest_.subspan(size);
  return taken;
}

std::size_t ByteReader::count(std::size_t minimumSize) {
  std::size_t value = u32();
  if (value > rest_.size() / minimumSize) fail();
  return failed_ ? 0 : value;
}

void ByteReader::fail() {
  failed_ = true;
  rest_ = {};
}

std::uint64_t ByteReader::number(std::size_t size) {
  std::uint64_t value = 0;
  int shift = 0;
  for (auto byte : raw(size)) {
    value |= std::to_integer<std::uint64_t>(byte) << shift;
    shift += 8;
  }
  return value;
}

}  // namespace kiln
