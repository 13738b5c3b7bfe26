// Layouts in tars: as tools write them, and as nobody should.
#include "tests/unit/bundle/layouts.h"

using namespace kiln;
using namespace kiln::bundle;
using namespace kiln::test;

namespace {

std::string sampleMembers() { return tarText(sampleLayout()); }

std::string refusalWith(const TarMember& member) {
  return Place().refusalOfMembers(sampleMembers() + tarText(member));
}

// With a member whose extended header has this record.
std::string refusalWithExtended(const std::string& record, char type) {
  return Place().refusalOfMembers(sampleMembers() +
                                  tarText(TarMember{.name = "x", .content = record, .type = 'x'}) +
                                  tarText(TarMember{.name = "a", .type = type}));
}

}  // namespace

TEST_CASE_METHOD(Place, "A tar is read, whatever the order of its members") {
  auto files = sampleLayout();
  std::string reversed;
  for (auto file = files.rbegin(); file != files.rend(); ++file) {
    reversed += tarText(TarMember{.name = file->first, .content = file->second});
  }
  REQUIRE(refusalOfMembers(sampleMembers()) == "");
  REQUIRE(refusalOfMembers(reversed) == "");
}

TEST_CASE_METHOD(Place, "A tar may have folders, and names that begin with a dot and a slash") {
  std::string members = tarText(TarMember{.name = "./", .type = '5'}) +
                        tarText(TarMember{.name = "./blobs/", .type = '5'}) +
                        tarText(TarMember{.name = "blobs/sha256/", .type = '5'});
  for (const auto& [name, content] : sampleLayout()) {
    members += tarText(TarMember{.name = "./" + name, .content = content});
  }
  REQUIRE(refusalOfMembers(members) == "");
  for (const char* last : {".", "later/", "index.json/"}) {
    CAPTURE(last);
    REQUIRE(refusalOfMembers(members + tarText(TarMember{.name = last, .type = '5'})) == "");
  }
}

TEST_CASE_METHOD(Place, "Names and sizes of a tar may stand in extended headers") {
  std::string members;
  for (const auto& [name, content] : sampleLayout()) {
    members += tarText(TarMember{.name = "././@LongLink", .content = name + '\0', .type = 'L'});
    members += tarText(TarMember{.name = "cut off", .content = content});
  }
  REQUIRE(refusalOfMembers(members) == "");
}

TEST_CASE("Plain files in a tar that no layout has are ignored") {
  REQUIRE(refusalWith({.name = "README", .content = "text"}) == "");
  REQUIRE(refusalWith({.name = "blobs/sha512/" + std::string(80, 'a'), .content = "text"}) == "");
  REQUIRE(refusalWith({.name = "blobs/sha256/short", .content = "text"}) == "");
  REQUIRE(refusalWith({.name = "B\xc3\xa4r", .content = "text"}) == "");
  REQUIRE(refusalWithExtended("13 path=B\xc3\xa4r\n", '0') == "");
}

TEST_CASE("A member of a tar whose name leads elsewhere is refused") {
  for (const char* name :
       {"/etc/passwd", "/index.json", "../index.json", "blobs/../index.json", "blobs/..", "..",
        "blobs//sha256/x", "blobs/./sha256/x", "x/../../index.json", ".//index.json"}) {
    CAPTURE(name);
    REQUIRE_THAT(refusalWith({.name = name, .content = "text"}), says("a path that leads elsewhere"));
  }
  REQUIRE_THAT(refusalWith({.name = "../", .type = '5'}), says("a path that leads elsewhere"));
}

TEST_CASE("A member of a tar that is no plain file or folder is refused") {
  REQUIRE_THAT(refusalWith({.name = "a", .type = '1', .link = "index.json"}), says("'a' is a hard link"));
  REQUIRE_THAT(refusalWithExtended("17 linkpath=B\xc3\xa4r\n", '1'), says("which no layout has"));
  REQUIRE_THAT(refusalWith({.name = "a", .type = '2', .link = "/etc"}), says("'a' is a symbolic link"));
  REQUIRE_THAT(refusalWith({.name = "a", .type = '3'}), says("'a' is a device"));
  REQUIRE_THAT(refusalWith({.name = "a", .type = '4'}), says("'a' is a device"));
  REQUIRE_THAT(refusalWith({.name = "a", .type = '6'}), says("'a' is a FIFO"));
}

TEST_CASE("A name from a tar reaches messages without control characters") {
  REQUIRE_THAT(refusalWith({.name = "../\x1b[2J\n", .content = "text"}), says("'../?[2J?'"));
}

TEST_CASE("Two members of a tar with one name are refused") {
  REQUIRE_THAT(refusalWith({.name = "index.json", .content = "{}"}),
               says("two members with the name 'index.json'"));
  REQUIRE_THAT(refusalWith({.name = "./oci-layout", .content = "{}"}), says("two members with the name"));
  REQUIRE_THAT(refusalWith({.name = blobPath("first"), .content = "first"}),
               says("two members with the name"));
  REQUIRE(Place().refusalOfMembers(sampleMembers() + tarText(TarMember{"a"}) + tarText(TarMember{"a"})) ==
          "");
}

TEST_CASE_METHOD(Place, "A blob under a name with upper-case digits is none") {
  auto files = sampleLayout();
  auto node = files.extract(blobPath("first"));
  for (auto& c : node.key()) c = static_cast<char>(c >= 'a' && c <= 'f' ? c - 'a' + 'A' : c);
  node.key().replace(0, 13, "blobs/sha256/");
  files.insert(std::move(node));
  REQUIRE_THAT(refusalOfMembers(tarText(files)), says(sha256("first").hex() + " is not in it"));
}

TEST_CASE("Sizes that a tar cannot have are refused, however large") {
  for (auto size :
       {std::uint64_t{2000}, std::uint64_t{1} << 32, std::uint64_t{1} << 40, std::uint64_t{1} << 60}) {
    CAPTURE(size);
    REQUIRE_THAT(refusalWith({.name = "large", .claimedSize = size}),
                 says("ends behind the end of the file"));
  }
  REQUIRE_THAT(refusalWith({.name = "large", .claimedSize = ~std::uint64_t{0}}),
               says("cannot be read as a tar"));
}

TEST_CASE_METHOD(Place, "A document of more than 64 MiB is not read from a tar") {
  auto files = sampleLayout();
  files.erase("index.json");
  constexpr std::uint64_t kSize = (64 << 20) + 1;
  auto bytes = tarText(files) + tarText(TarMember{.name = "index.json", .claimedSize = kSize});
  writeFile(path, bytes);
  std::filesystem::resize_file(path, bytes.size() + kSize + 4096);
  REQUIRE_THAT(refusal(), says("its index.json is larger than 64 MiB"));
}

TEST_CASE_METHOD(Place, "A tar that was cut off anywhere is refused") {
  auto whole = sampleMembers() + kTarEnd;
  REQUIRE(refusalOfTar(whole) == "");
  for (auto size = whole.size(); size-- > 0;) {
    std::filesystem::resize_file(path, size);
    if (refusal().empty()) FAIL("cut off after " << size << " bytes");
  }
}

TEST_CASE_METHOD(Place, "A flipped bit in a tar is told, or changes nothing that is read") {
  auto whole = sampleMembers() + kTarEnd;
  writeFile(path, whole);
  auto right = LayoutReader::open(path).value();
  const auto layers = right->manifest().layers;
  int refused = 0;
  for (std::size_t bit = 0; bit < whole.size() * 8; bit += 3) {  // every byte, not every bit
    FlippedBit flipped(path, bit);
    auto reader = LayoutReader::open(path);
    if (!reader) {
      ++refused;
      continue;
    }
    CAPTURE(bit);
    REQUIRE((*reader)->digest() == right->digest());
    REQUIRE((*reader)->manifest() == right->manifest());
    for (const auto& layer : layers) {
      auto bytes = (*reader)->read(layer);
      if (bytes && sha256(*bytes) != layer.digest) FAIL("wrong bytes");
    }
  }
  REQUIRE(refused > 1000);
}

TEST_CASE_METHOD(Place, "A compressed tar is refused by the name of its compression") {
  const std::pair<std::string, std::string> kStarts[] = {{"\x1f\x8b\x08", "gzip"},
                                                         {"\x28\xb5\x2f\xfd", "zstd"},
                                                         {"\xfd\x37zXZ", "xz"},
                                                         {"BZh9", "bzip2"},
                                                         {"\x04\x22\x4d\x18", "lz4"}};
  for (const auto& [start, name] : kStarts) {
    REQUIRE_THAT(refusalOfTar(start + std::string(2000, 'x')),
                 says("compressed with " + name + "; decompress it first"));
  }
}

TEST_CASE_METHOD(Place, "A file that is no tar is refused") {
  REQUIRE_THAT(refusalOfTar(""), says("cannot be read as a tar"));
  REQUIRE_THAT(refusalOfTar(std::string(5000, 'x')), says("cannot be read as a tar"));
  REQUIRE_THAT(refusalOfTar(kTarEnd), says("there is no oci-layout in it"));
}

TEST_CASE("Headers that only lead to other headers do not exhaust the stack") {
  std::string members;
  for (int i = 0; i < 50'000; ++i)
    members += tarText(TarMember{.name = "././@LongLink", .content = "a", .type = 'L'});
  REQUIRE_THAT(Place().refusalOfMembers(members),
               says("of an unknown kind") || says("cannot be read as a tar"));
}
