// Small binaries put together by hand, as no compiler writes them on demand: what a reader is given to
// refuse, and what a fuzzer starts from.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "cache/byte_io.h"
#include "jit/binary/elf.h"

namespace kiln::test {

struct SampleSection {
  std::string name;
  std::uint32_t type = 1;  // SHT_PROGBITS
  std::string content = {};
  std::uint32_t link = 0;
  std::uint64_t sizeWithoutContent = 0;
};

// The sections have the indexes 1, 2, ... in their order; the table of their names is behind them.
inline std::string sampleElf(std::uint16_t machine, std::vector<SampleSection> sections) {
  sections.insert(sections.begin(), SampleSection{"", 0});
  sections.push_back({".shstrtab", 3});
  std::string names;
  for (const auto& section : sections) names += section.name + '\0';
  sections.back().content = names;

  ByteWriter contents, headers;
  std::uint32_t nameAt = 0;
  constexpr std::uint64_t kHeaderSize = 64;
  for (const auto& section : sections) {
    headers.u32(nameAt);
    nameAt += static_cast<std::uint32_t>(section.name.size()) + 1;
    headers.u32(section.type);
    headers.u64(0);  // flags
    headers.u64(0);  // address
    headers.u64(kHeaderSize + contents.view().size());
    headers.u64(section.content.size() + section.sizeWithoutContent);
    headers.u32(section.link);
    headers.raw(asBytes(std::string(20, '\0')));  // info, alignment, size of an entry
    contents.raw(asBytes(section.content));
  }

  ByteWriter file;
  file.raw(
      asBytes("\x7f"
              "ELF\x02\x01\x01"));
  file.raw(asBytes(std::string(9, '\0')));
  file.u16(2);
  file.u16(machine);
  file.u32(1);
  file.u64(0);  // entry point
  file.u64(0);  // program headers
  file.u64(kHeaderSize + contents.view().size());
  file.u32(0);
  for (std::uint16_t number : {64, 0, 0, 64}) file.u16(number);
  file.u16(static_cast<std::uint16_t>(sections.size()));
  file.u16(static_cast<std::uint16_t>(sections.size() - 1));
  file.raw(contents.view());
  file.raw(headers.view());
  return file.take();
}

inline std::string sampleSymbol(std::uint32_t nameAt, std::uint8_t type, std::uint8_t other,
                                std::uint16_t section) {
  ByteWriter symbol;
  symbol.u32(nameAt);
  symbol.u8(type);
  symbol.u8(other);
  symbol.u16(section);
  symbol.u64(0);
  symbol.u64(0);
  return symbol.take();
}

// An attribute of .nv.info with a payload of numbers.
inline std::string sampleAttribute(std::uint8_t kind, std::initializer_list<std::uint32_t> payload) {
  ByteWriter attribute;
  attribute.u8(4);
  attribute.u8(kind);
  attribute.u16(static_cast<std::uint16_t>(4 * payload.size()));
  for (auto number : payload) attribute.u32(number);
  return attribute.take();
}

// A cubin of a kernel "k" and a function "f", its sections .strtab, .symtab, .nv.info, .nv.info.k and what
// more there is. `info` is that of k.
inline std::string sampleCubin(const std::string& info, std::vector<SampleSection> more = {}) {
  auto symbols = sampleSymbol(0, 0, 0, 0) + sampleSymbol(1, 2, 0x10, 3) + sampleSymbol(3, 2, 0, 3);
  auto infoOfAll = sampleAttribute(0x2f, {1, 40}) + sampleAttribute(0x2f, {2, 50}) +
                   sampleAttribute(0x12, {1, 96}) + std::string("\x01\x04\0\0", 4);
  std::vector<SampleSection> sections = {
      {".strtab", 3, std::string("\0k\0f\0", 5)}, {".symtab", binary::kSymbolTable, symbols, 1},
      {".nv.info", 0x70000000, infoOfAll},        {".nv.info.k", 0x70000000, info},
      {".nv.shared.k", 8, "", 0, 2048},           {".nv.constant0.k", 1, std::string(16, '\0')}};
  sections.insert(sections.end(), more.begin(), more.end());
  return sampleElf(190, sections);
}

inline std::string sampleCubin() {
  return sampleCubin(sampleAttribute(0x05, {8, 8, 4}) + sampleAttribute(0x55, {1, 0x90, 1, 0xb0}));
}

inline std::string packedText(std::string_view text) {
  return static_cast<char>(0xa0 + text.size()) + std::string(text);
}

inline std::string sampleNote(std::string_view vendor, std::uint32_t type, std::string_view content) {
  auto padded = [](std::string_view text) { return std::string(text) + std::string(-text.size() % 4, '\0'); };
  ByteWriter note;
  note.u32(static_cast<std::uint32_t>(vendor.size()));
  note.u32(static_cast<std::uint32_t>(content.size()));
  note.u32(type);
  note.raw(asBytes(padded(vendor)));
  note.raw(asBytes(padded(content)));
  return note.take();
}

// An hsaco with that metadata, behind a note of another vendor.
inline std::string sampleHsaco(std::string_view metadata) {
  auto notes = sampleNote(std::string_view("GNU\0", 4), 3, "build") +
               sampleNote(std::string_view("AMDGPU\0", 7), 32, metadata);
  return sampleElf(224, {{".note", binary::kNotes, notes}});
}

// Of a kernel "k" with 300 registers and a dynamic stack.
inline std::string sampleMetadata() {
  auto kernel = "\x83" + packedText(".name") + packedText("k") + packedText(".vgpr_count") +
                std::string("\xcd\x01\x2c", 3) + packedText(".uses_dynamic_stack") + "\xc3";
  return "\x82" + packedText("amdhsa.version") + "\x92\x01\x02" + packedText("amdhsa.kernels") + "\x91" +
         kernel;
}

}  // namespace kiln::test
