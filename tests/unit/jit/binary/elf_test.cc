#include "jit/binary/elf.h"

#include <catch2/catch.hpp>

#include "tests/support/sample_binaries.h"

using namespace kiln;
using namespace kiln::binary;
using namespace kiln::test;

namespace {

const std::vector<SampleSection> kSections = {
    {".strtab", 3, std::string("\0one\0", 5)},
    {".symtab", kSymbolTable, sampleSymbol(0, 0, 0, 0) + sampleSymbol(1, 0x12, 0x10, 3), 1},
    {".text", 1, "code"},
    {".bss", 8, "", 0, 1000}};

std::string problemOf(const std::string& file) {
  auto elf = ElfFile::open(asBytes(file));
  REQUIRE_FALSE(elf);
  return elf.error().what;
}

// `file` with the bytes at `at` replaced.
std::string with(std::string file, std::size_t at, std::string_view bytes) {
  return file.replace(at, bytes.size(), bytes);
}

std::size_t headersOf(const std::string& file) { return numberAt<std::uint64_t>(asBytes(file), 40); }

}  // namespace

TEST_CASE("An ELF file tells its machine, its sections and its symbols") {
  auto file = sampleElf(190, kSections);
  auto elf = ElfFile::open(asBytes(file));
  REQUIRE(elf);
  CHECK(elf->machine() == 190);
  REQUIRE(elf->sections().size() == 6);
  CHECK(elf->sections()[3].name == ".text");
  CHECK(asText(elf->content(elf->sections()[3]).value()) == "code");
  CHECK(elf->sections()[4].size == 1000);
  auto symbols = elf->symbols();
  REQUIRE(symbols);
  REQUIRE(symbols->size() == 2);
  CHECK_FALSE(symbols->at(0).isDefined);
  CHECK(symbols->at(1).name == "one");
  CHECK(symbols->at(1).type == 2);
  CHECK(symbols->at(1).other == 0x10);
  CHECK(symbols->at(1).isDefined);
}

TEST_CASE("Sections may be counted in the first of their headers") {
  auto file = sampleElf(190, kSections);
  auto headers = headersOf(file);
  file = with(file, headers + 32, std::string("\x06\0\0\0", 4));
  file = with(file, headers + 40, std::string("\x05\0\0\0", 4));
  file = with(file, 60, std::string("\0\0\xff\xff", 4));
  auto elf = ElfFile::open(asBytes(file));
  REQUIRE(elf);
  CHECK(elf->sections().size() == 6);
  CHECK(elf->sections()[3].name == ".text");
}

TEST_CASE("What is no ELF file of 64 bits is said to be none") {
  auto file = sampleElf(190, kSections);
  CHECK(problemOf("") == "is no ELF file of 64 bits");
  CHECK(problemOf("bytes") == "is no ELF file of 64 bits");
  CHECK(problemOf(with(file, 4, "\x01")) == "is no ELF file of 64 bits");
  CHECK(problemOf(with(file, 5, "\x02")) == "is no ELF file of 64 bits");
}

TEST_CASE("Numbers that lead out of the file are refused") {
  auto file = sampleElf(190, kSections);
  auto headers = headersOf(file);
  const std::string huge(8, '\xff');
  CHECK(problemOf(with(file, 40, huge)) == "has no section headers");
  CHECK(problemOf(with(file, 60, "\xff\x7f")) == "is cut off in its section headers");
  CHECK(problemOf(with(file, 62, "\x06")) == "has no names of sections");
  CHECK(problemOf(with(file, headers + 5 * 64 + 24, huge)) == "is cut off in the section ''");
  CHECK(problemOf(with(file, headers + 3 * 64, "\xff")) == "has a section whose name is cut off");

  auto content = with(file, headers + 3 * 64 + 32, huge);
  auto elf = ElfFile::open(asBytes(content));
  REQUIRE(elf);
  CHECK(elf->content(elf->sections()[3]).error().what == "is cut off in the section '.text'");
}

TEST_CASE("Symbols that cannot be read are refused") {
  auto symbols = [](std::vector<SampleSection> sections) {
    auto file = sampleElf(190, std::move(sections));
    auto read = ElfFile::open(asBytes(file))->symbols();
    REQUIRE_FALSE(read);
    return read.error().what;
  };
  CHECK(symbols({}) == "has no symbol table");
  CHECK(symbols({{".symtab", kSymbolTable, "", 9}}) == "has no symbol table");
  CHECK(symbols({{".strtab", 3, "no end"}, {".symtab", kSymbolTable, sampleSymbol(0, 0, 0, 0), 1}}) ==
        "has a symbol whose name is cut off");
}

TEST_CASE("A file that is cut off anywhere is refused") {
  auto file = sampleElf(190, kSections);
  for (std::size_t length = 0; length < file.size(); ++length) {
    if (ElfFile::open(asBytes(file.substr(0, length)))) FAIL("accepted at " << length);
  }
}
