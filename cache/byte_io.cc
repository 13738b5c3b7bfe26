#include "cache/byte_io.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace kiln {
namespace {

std::uint32_t counted(std::size_t value) {
  if (value > std::numeric_limits<std::uint32_t>::max()) {
    throw std::length_error("a field is larger than a stored record can hold");
  }
  return static_cast<std::uint32_t>(value);
}

}  // namespace

void ByteWriter::text(std::string_view value) {
  count(value.size());
  bytes_.append(value);
}

void ByteWriter::count(std::size_t value) { u32(counted(value)); }

void ByteWriter::setCount(std::size_t place, std::size_t value) {
  const auto bytes = littleEndian(counted(value));
  std::copy_n(bytes.begin(), sizeof(std::uint32_t), bytes_.begin() + static_cast<std::ptrdiff_t>(place));
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
