#include "jit/binary/message_pack.h"

#include <catch2/catch.hpp>
#include <string>

using namespace kiln;
using namespace kiln::binary;

namespace {

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (auto value : values) text.push_back(static_cast<char>(value));
  return text;
}

template <typename Ask>
auto read(const std::string& packed, const Ask& ask) {
  MessagePackReader in(asBytes(packed));
  auto value = ask(in);
  REQUIRE_FALSE(in.failed());
  return value;
}

std::uint64_t number(const std::string& packed) {
  return read(packed, [](MessagePackReader& in) { return in.number(); });
}
std::string text(const std::string& packed) {
  return read(packed, [](MessagePackReader& in) { return std::string(in.text()); });
}

}  // namespace

TEST_CASE("Numbers of every width are read") {
  CHECK(number(bytes({0x7f})) == 127);
  CHECK(number(bytes({0xcc, 0xff})) == 255);
  CHECK(number(bytes({0xcd, 0x01, 0x02})) == 0x102);
  CHECK(number(bytes({0xce, 1, 2, 3, 4})) == 0x1020304);
  CHECK(number(bytes({0xcf, 1, 2, 3, 4, 5, 6, 7, 8})) == 0x102030405060708);
}

TEST_CASE("Texts, lists and truth are read, whatever width their lengths have") {
  CHECK(text(bytes({0xa2, 'a', 'b'})) == "ab");
  CHECK(text(bytes({0xd9, 1, 'a'})) == "a");
  CHECK(text(bytes({0xda, 0, 1, 'a'})) == "a");
  CHECK(text(bytes({0xdb, 0, 0, 0, 1, 'a'})) == "a");
  auto array = [](MessagePackReader& in) { return in.array(); };
  CHECK(read(bytes({0x93}), array) == 3);
  CHECK(read(bytes({0xdc, 1, 0}), array) == 256);
  CHECK(read(bytes({0xdd, 0, 1, 0, 0}), array) == 65536);
  auto map = [](MessagePackReader& in) { return in.map(); };
  CHECK(read(bytes({0x82}), map) == 2);
  CHECK(read(bytes({0xde, 1, 0}), map) == 256);
  CHECK(read(bytes({0xdf, 0, 1, 0, 0}), map) == 65536);
  auto boolean = [](MessagePackReader& in) { return in.boolean(); };
  CHECK(read(bytes({0xc3}), boolean));
  CHECK_FALSE(read(bytes({0xc2}), boolean));
}

TEST_CASE("Any value can be passed over") {
  const std::string values[] = {bytes({0x05}),
                                bytes({0xc0}),
                                bytes({0xff}),
                                bytes({0xc3}),
                                bytes({0xa1, 'x'}),
                                bytes({0xc4, 1, 9}),
                                bytes({0xc5, 0, 1, 9}),
                                bytes({0xc6, 0, 0, 0, 1, 9}),
                                bytes({0xc7, 1, 5, 9}),
                                bytes({0xc8, 0, 1, 5, 9}),
                                bytes({0xc9, 0, 0, 0, 1, 5, 9}),
                                bytes({0xca, 1, 2, 3, 4}),
                                bytes({0xcb, 1, 2, 3, 4, 5, 6, 7, 8}),
                                bytes({0xd0, 1}),
                                bytes({0xd1, 1, 2}),
                                bytes({0xd2, 1, 2, 3, 4}),
                                bytes({0xd3, 1, 2, 3, 4, 5, 6, 7, 8}),
                                bytes({0xd4, 5, 1}),
                                bytes({0xd5, 5, 1, 2}),
                                bytes({0xd6, 5, 1, 2, 3, 4}),
                                bytes({0xd7, 5, 1, 2, 3, 4, 5, 6, 7, 8}),
                                bytes({0xd8, 5}) + std::string(16, 'x'),
                                bytes({0x92, 0x81, 0xa1, 'k', 0x91, 0xc0, 0x01}),
                                bytes({0x80}),
                                bytes({0x90})};
  for (const auto& value : values) {
    INFO("a value that begins with " << int{static_cast<unsigned char>(value[0])});
    auto packed = value + bytes({0x2a});
    MessagePackReader in(asBytes(packed));
    in.skip();
    CHECK(in.number() == 42);
    CHECK_FALSE(in.failed());
    for (std::size_t length = 0; length < value.size(); ++length) {
      auto cut = value.substr(0, length);
      MessagePackReader reader(asBytes(cut));
      reader.skip();
      CHECK(reader.failed());
    }
  }
}

TEST_CASE("Nesting of any depth is passed over") {
  auto packed = std::string(10'000'000, '\x91') + bytes({0xc0, 0x2a});
  MessagePackReader in(asBytes(packed));
  in.skip();
  CHECK(in.number() == 42);
}

TEST_CASE("A value that is not what was asked for ends the reading") {
  auto packed = bytes({0xa1, 'x', 0x2a});
  MessagePackReader in(asBytes(packed));
  CHECK(in.number() == 0);
  CHECK(in.failed());
  CHECK(in.text().empty());
  CHECK(in.map() == 0);
}

TEST_CASE("A text that is longer than the bytes ends the reading") {
  auto packed = bytes({0xdb, 0xff, 0xff, 0xff, 0xff, 'x'});
  MessagePackReader in(asBytes(packed));
  CHECK(in.text().empty());
  CHECK(in.failed());
}
