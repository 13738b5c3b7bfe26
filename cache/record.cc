#include "cache/record.h"

namespace kiln {
namespace {

constexpr std::size_t kMagicSize = 4;
constexpr std::size_t kHeaderSize = kMagicSize + 2;
constexpr std::size_t kChecksumSize = 8;
constexpr std::size_t kUsualSize = 256;  // of a record without large values

std::unexpected<ParseError> refused(std::string message) {
  return std::unexpected(ParseError{std::move(message)});
}

}  // namespace

RecordWriter::RecordWriter(std::string_view magic, std::uint16_t version) {
  bytes_.reserve(kUsualSize);
  bytes_.raw(asBytes(magic));
  bytes_.u16(version);
}

std::string RecordWriter::finish() {
  bytes_.u64(xxh3Checksum(bytes_.view()));
  return bytes_.take();
}

std::expected<RecordReader, ParseError> RecordReader::open(Bytes record, std::string_view magic,
                                                           std::uint16_t version) {
  if (record.size() < kHeaderSize + kChecksumSize) return refused("it is shorter than any record");
  if (record.size() > kMaxRecordSize) return refused("it is longer than any record");
  auto content = record.first(record.size() - kChecksumSize);
  if (ByteReader(record.last(kChecksumSize)).u64() != xxh3Checksum(content)) {
    return refused("its checksum is wrong");
  }
  ByteReader bytes(content);
  if (asText(bytes.raw(kMagicSize)) != magic) return refused("it is no " + std::string(magic) + " record");
  if (auto found = bytes.u16(); found != version) {
    return refused("it has version " + std::to_string(found) + ", not " + std::to_string(version));
  }
  RecordReader reader;
  int lastTag = -1;
  while (!bytes.failed() && !bytes.atEnd()) {
    auto tag = bytes.u16();
    auto body = bytes.raw(bytes.u32());
    if (bytes.failed() || tag <= lastTag) return refused("its sections are damaged");
    lastTag = tag;
    reader.sections_.emplace_back(tag, body);
  }
  return reader;
}

bool RecordReader::has(std::uint16_t tag) const {
  for (const auto& [number, body] : sections_) {
    if (number == tag) return true;
  }
  return false;
}

}  // namespace kiln
