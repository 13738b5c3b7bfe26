// The frame that every stored value shares.
//
//   record  = magic version section* checksum
//   magic   = 4 bytes             which format it is: "KBND", "KENT", "KMAN", "KREQ", "KSUM"
//   version = u16                 of that format
//   section = tag length body     in order of tag, each tag at most once
//   tag     = u16
//   length  = u32                 of the body
//   checksum = u64                XXH3-64 of all bytes before it
//
// A reader skips sections whose tags it does not know, so a section may be added without a new version. What
// a reader of the old kind would misunderstand is a new version, and is refused by it.
//
// Parsing is verifying: nothing is read from a record before its checksum was found right, and no format has
// another way in.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cache/byte_io.h"

namespace kiln {

// Why bytes are not a record of the format: for logs and tests.
struct ParseError {
  std::string message;
};

inline constexpr std::size_t kMaxRecordSize = std::size_t{1} << 30;

class RecordWriter {
 public:
  // `magic` has 4 characters.
  RecordWriter(std::string_view magic, std::uint16_t version);

  // Adds what `write(ByteWriter&)` writes as the section `tag`; tags ascend.
  template <typename Write>
  void section(std::uint16_t tag, const Write& write) {
    bytes_.u16(tag);
    const auto length = bytes_.size();
    bytes_.count(0);
    const auto start = bytes_.size();
    write(bytes_);
    bytes_.setCount(length, bytes_.size() - start);
  }
  std::string finish();

 private:
  ByteWriter bytes_;
};

class RecordReader {
 public:
  static std::expected<RecordReader, ParseError> open(Bytes record, std::string_view magic,
                                                      std::uint16_t version);

  [[nodiscard]] bool has(std::uint16_t tag) const;

  // Whether the section is there and `read(ByteReader&)` found in it exactly what it wanted.
  template <typename Read>
  bool section(std::uint16_t tag, const Read& read) const {
    for (const auto& [number, body] : sections_) {
      if (number != tag) continue;
      ByteReader reader(body);
      read(reader);
      return !reader.failed() && reader.atEnd();
    }
    return false;
  }

 private:
  std::vector<std::pair<std::uint16_t, Bytes>> sections_;
};

}  // namespace kiln
