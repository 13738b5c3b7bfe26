#include "jit/hash.h"

#include <catch2/catch.hpp>

#include "jit/sha256.h"

using namespace kiln;

TEST_CASE("A digest survives the way through hexadecimal text") {
  auto digest = xxh3("some text");
  REQUIRE(digest.hex().size() == 32);
  REQUIRE(Hash128::fromHex(digest.hex()) == digest);
  auto upper = digest.hex();
  for (auto& c : upper) c = static_cast<char>(std::toupper(c));
  REQUIRE(Hash128::fromHex(upper) == digest);
}

TEST_CASE("Text that is not exactly a digest's hexadecimal digits is refused") {
  auto hex = xxh3("x").hex();
  REQUIRE_FALSE(Hash128::fromHex(""));
  REQUIRE_FALSE(Hash128::fromHex(hex.substr(1)));
  REQUIRE_FALSE(Hash128::fromHex(hex + "0"));
  hex[7] = 'g';
  REQUIRE_FALSE(Hash128::fromHex(hex));
  REQUIRE_FALSE(Sha256::fromHex(xxh3("x").hex()));
}

TEST_CASE("A digest is read from exactly as many bytes as it has") {
  auto digest = xxh3("x");
  REQUIRE(Hash128::fromBytes(digest.view()) == digest);
  REQUIRE_FALSE(Hash128::fromBytes(digest.view().first(15)));
  REQUIRE_FALSE(Sha256::fromBytes(digest.view()));
}

TEST_CASE("Digests are those that the algorithms' authors publish") {
  REQUIRE(xxh3("").hex() == "99aa06d3014798d86001c324468d497f");
  REQUIRE(xxh3Checksum(asBytes("")) == 0x2d06800538d394c2);
  REQUIRE(sha256("").hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  REQUIRE(sha256("abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("SHA-256 in pieces is SHA-256 of the whole") {
  Sha256Hasher hasher;
  hasher.add(asBytes("a"));
  hasher.add(asBytes(""));
  hasher.add(asBytes("bc"));
  REQUIRE(hasher.finish() == sha256("abc"));
}

TEST_CASE("A field's tag and length keep neighbouring fields apart") {
  auto hashOf = [](auto... fields) {
    FieldHasher hasher;
    (hasher.field(fields.first, std::string_view(fields.second)), ...);
    return hasher.finish();
  };
  using Field = std::pair<std::uint8_t, const char*>;
  REQUIRE(hashOf(Field{1, "ab"}, Field{1, "c"}) != hashOf(Field{1, "a"}, Field{1, "bc"}));
  REQUIRE(hashOf(Field{1, "ab"}, Field{1, ""}) != hashOf(Field{1, "ab"}));
  REQUIRE(hashOf(Field{1, "ab"}) != hashOf(Field{2, "ab"}));
  REQUIRE(hashOf(Field{1, "ab"}) == hashOf(Field{1, "ab"}));
}

TEST_CASE("A number enters a hash as its eight bytes, least significant first") {
  FieldHasher number;
  number.field(1, std::uint64_t{0x0102030405060708});
  FieldHasher bytes;
  bytes.field(1, std::string_view("\x08\x07\x06\x05\x04\x03\x02\x01"));
  REQUIRE(number.finish() == bytes.finish());
}
