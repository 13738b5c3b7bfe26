// Every stored format: what goes in comes out, and nothing else is let in.
#include <catch2/catch.hpp>

#include "cache/bundle_format.h"
#include "cache/entry_format.h"
#include "cache/manifest_format.h"
#include "cache/request_format.h"
#include "cache/summary_format.h"
#include "tests/support/samples.h"

using namespace kiln;
using namespace kiln::test;

namespace {

// `record` with its last eight bytes made the right checksum of the rest.
std::string sealed(std::string record) {
  record.resize(record.size() - 8);
  auto checksum = littleEndian(xxh3Checksum(asBytes(record)));
  return record.append(checksum.begin(), checksum.end());
}

std::string withoutChecksum(const std::string& record) { return record.substr(0, record.size() - 8); }

// A section of `body` to stand behind those of a record.
std::string section(std::uint16_t tag, std::string_view body) {
  ByteWriter bytes;
  bytes.u16(tag);
  bytes.text(body);
  return bytes.take();
}

// One encoded value of each format, and whether some bytes parse as that format.
struct Format {
  std::string name;
  std::string sample;
  bool (*accepts)(std::string_view bytes);
};

std::vector<Format> formats() {
  auto entry = sampleEntry(sampleRequest());
  auto failure = sampleFailureEntry(sampleRequest());
  auto acceptsEntry = [](std::string_view bytes) { return parseEntry(asBytes(bytes)).has_value(); };
  return {{"entry of an artifact", encodeEntry(entry), acceptsEntry},
          {"entry of a failure", encodeEntry(failure), acceptsEntry},
          {"manifest", encodeManifest({manifestOf(entry), 7}),
           [](std::string_view bytes) { return parseManifest(asBytes(bytes)).has_value(); }},
          {"request", encodeRequest(sampleRequest()),
           [](std::string_view bytes) { return parseRequest(asBytes(bytes)).has_value(); }},
          {"request with further inputs", encodeRequest(sampleLinkRequest()),
           [](std::string_view bytes) { return parseRequest(asBytes(bytes)).has_value(); }},
          {"summary", encodeSummary({summaryOf(entry, sampleRequest().target), entry.requestHash}),
           [](std::string_view bytes) { return parseSummary(asBytes(bytes)).has_value(); }},
          {"bundle", encodeBundle(sampleBundle()),
           [](std::string_view bytes) { return parseBundle(asBytes(bytes)).has_value(); }}};
}

}  // namespace

TEST_CASE("An entry is read back as it was written") {
  auto entry = sampleEntry(sampleRequest());
  REQUIRE(parseEntry(asBytes(encodeEntry(entry))).value() == entry);

  auto failure = sampleFailureEntry(sampleRequest());
  REQUIRE(parseEntry(asBytes(encodeEntry(failure))).value() == failure);

  entry.namesBind = true;
  entry.key = entryKey(entry);
  REQUIRE(parseEntry(asBytes(encodeEntry(entry))).value() == entry);
}

TEST_CASE("An entry with nothing in it is read back as it was written") {
  Entry entry;
  entry.key = entryKey(entry);
  REQUIRE(parseEntry(asBytes(encodeEntry(entry))).value() == entry);
}

TEST_CASE("A manifest, a request and a summary are read back as they were written") {
  StoredManifest manifest{manifestOf(sampleEntry(sampleRequest())), 0x0102030405060708};
  REQUIRE(parseManifest(asBytes(encodeManifest(manifest))).value() == manifest);
  REQUIRE(parseRequest(asBytes(encodeRequest(sampleRequest()))).value() == sampleRequest());
  REQUIRE(parseRequest(asBytes(encodeRequest(sampleLinkRequest()))).value() == sampleLinkRequest());
  REQUIRE(parseRequest(asBytes(encodeRequest({}))).value() == Request{});
  for (const auto& entry : {sampleEntry(sampleRequest()), sampleFailureEntry(sampleRequest())}) {
    StoredSummary summary{summaryOf(entry, sampleRequest().target), entry.requestHash};
    REQUIRE(parseSummary(asBytes(encodeSummary(summary))).value() == summary);
  }
}

TEST_CASE("What is remembered of a bundle is read back as it was written") {
  for (const auto& bundle : {sampleBundle(), BundleRecord{}}) {
    REQUIRE(parseBundle(asBytes(encodeBundle(bundle))).value() == bundle);
  }
}

TEST_CASE("Every truncation of a record is refused") {
  for (const auto& format : formats()) {
    INFO(format.name);
    REQUIRE(format.accepts(format.sample));
    for (std::size_t length = 0; length < format.sample.size(); ++length) {
      if (format.accepts(std::string_view(format.sample).substr(0, length))) FAIL("accepted at " << length);
    }
  }
}

TEST_CASE("Every flip of a byte of a record is refused") {
  for (const auto& format : formats()) {
    INFO(format.name);
    for (std::size_t at = 0; at < format.sample.size(); ++at) {
      for (int flip : {0x01, 0x80, 0xff}) {
        auto damaged = format.sample;
        damaged[at] = static_cast<char>(damaged[at] ^ flip);
        if (format.accepts(damaged)) FAIL("accepted with byte " << at << " changed");
      }
    }
  }
}

TEST_CASE("A truncation with a right checksum is still refused") {
  for (const auto& format : formats()) {
    INFO(format.name);
    for (std::size_t length = 8; length < format.sample.size(); ++length) {
      if (format.accepts(sealed(format.sample.substr(0, length)))) FAIL("accepted at " << length);
    }
  }
}

TEST_CASE("A record with something behind it is refused") {
  for (const auto& format : formats()) {
    INFO(format.name);
    REQUIRE_FALSE(format.accepts(format.sample + '\0'));
    REQUIRE_FALSE(format.accepts(sealed(withoutChecksum(format.sample) + std::string(9, '\0'))));
  }
}

TEST_CASE("A record of another format, or of another version, is refused") {
  for (const auto& format : formats()) {
    INFO(format.name);
    auto other = format.sample;
    other[1] = 'X';
    REQUIRE_FALSE(format.accepts(sealed(other)));
    for (int change : {1, -1}) {
      auto version = format.sample;
      version[4] = static_cast<char>(version[4] + change);
      REQUIRE_FALSE(format.accepts(sealed(version)));
    }
  }
}

TEST_CASE("A section of a later kiln is skipped") {
  for (const auto& format : formats()) {
    INFO(format.name);
    REQUIRE(
        format.accepts(sealed(withoutChecksum(format.sample) + section(100, "registers: 12") + "checksum")));
  }
}

TEST_CASE("A section that comes twice or out of order is refused") {
  for (const auto& format : formats()) {
    INFO(format.name);
    REQUIRE_FALSE(format.accepts(sealed(withoutChecksum(format.sample) + section(1, "") + "checksum")));
    auto twice = section(100, "a") + section(100, "a");
    REQUIRE_FALSE(format.accepts(sealed(withoutChecksum(format.sample) + twice + "checksum")));
  }
}

TEST_CASE("An entry whose key is not that of its content is refused") {
  auto entry = sampleEntry(sampleRequest());
  entry.key.bytes[0] ^= 1;
  auto parsed = parseEntry(asBytes(encodeEntry(entry)));
  REQUIRE_FALSE(parsed);
  REQUIRE(parsed.error().message.find("key") != std::string::npos);
}

TEST_CASE("Indexes and kinds that nothing has are refused") {
  auto refused = [](auto change) {
    auto entry = sampleEntry(sampleRequest());
    change(entry);
    entry.key = entryKey(entry);
    return !parseEntry(asBytes(encodeEntry(entry)));
  };
  REQUIRE_FALSE(refused([](Entry&) {}));
  REQUIRE(
      refused([](Entry& e) { e.dependencies[0].path.index = 2; }));  // the sample has two include directories
  REQUIRE(refused([](Entry& e) { e.dependencies.back().path.index = 1; }));
  REQUIRE(refused([](Entry& e) { e.dependencies[0].path.role = static_cast<FileRole>(5); }));
  REQUIRE(refused([](Entry& e) { e.dependencies[0].kind = static_cast<FileKind>(8); }));
  REQUIRE(refused([](Entry& e) { e.dependencies[1].fileNumber = 5; }));
  REQUIRE(
      refused([](Entry& e) { std::get<Artifact>(e.result).outputs[0].kind = static_cast<OutputKind>(9); }));
  REQUIRE(refused([](Entry& e) {
    std::get<Artifact>(e.result).resources.kernels[0].figures.emplace(static_cast<Resource>(14), 1);
  }));
  REQUIRE(refused([](Entry& e) { e.result = Failure{static_cast<FailureKind>(99), ""}; }));

  auto request = sampleRequest();
  request.target.kind = static_cast<Target::Kind>(5);
  REQUIRE_FALSE(parseRequest(asBytes(encodeRequest(request))));
  request = sampleRequest();
  request.language = static_cast<Language>(6);
  REQUIRE_FALSE(parseRequest(asBytes(encodeRequest(request))));
  auto bundle = sampleBundle();
  bundle.toolchains[1].language = static_cast<Language>(6);
  REQUIRE_FALSE(parseBundle(asBytes(encodeBundle(bundle))));
}

TEST_CASE("Figures that come twice or out of order are refused") {
  auto figure = [](std::uint16_t resource, std::uint32_t amount) {
    ByteWriter bytes;
    bytes.u16(resource);
    bytes.u32(amount);
    return bytes.take();
  };
  const auto registers = figure(1, 24), shared = figure(7, 1024);
  auto entry = encodeEntry(sampleEntry(sampleRequest()));
  auto at = entry.find(registers + shared);
  REQUIRE(at != std::string::npos);
  auto with = [&](const std::string& figures) { return sealed(std::string(entry).replace(at, 12, figures)); };
  REQUIRE(parseEntry(asBytes(with(registers + shared))));
  REQUIRE_FALSE(parseEntry(asBytes(with(shared + registers))));
  REQUIRE_FALSE(parseEntry(asBytes(with(registers + registers))));
}

TEST_CASE("A count that the bytes cannot hold is refused before anything is allocated for it") {
  ByteWriter bytes;
  bytes.u32(0xffffffff);
  bytes.u64(0);
  ByteReader reader(bytes.view());
  REQUIRE(reader.count(4) == 0);
  REQUIRE(reader.failed());
}

TEST_CASE("A reader that failed gives nothing more") {
  std::string bytes(16, 'x');
  ByteReader reader(asBytes(bytes));
  reader.fail();
  REQUIRE(reader.u64() == 0);
  REQUIRE(reader.text().empty());
  REQUIRE(reader.raw(1).empty());
  REQUIRE(reader.failed());
}

// A change of any of these makes stored values unreadable: it needs a new version of the format.
TEST_CASE("Stored formats are pinned by golden checksums") {
  std::vector<std::string> checksums;
  for (const auto& format : formats()) checksums.push_back(xxh3(format.sample).hex());
  REQUIRE(checksums ==
          std::vector<std::string>{"b203e17c060a316fe62d6c38d61d1848", "d583281cb8b46fb1f3faeecf9714f1fb",
                                   "3da30834375c98eaf2d4fcf42d361b40", "40e2fba14df0cb0d6ff5f94748fc50cb",
                                   "08467f4369d7e0e386df06b0d1650861", "2179439fcf6ce6004912404369883ab9",
                                   "c2c3402ae530fa2fd0e4529afcec71ef"});
}
