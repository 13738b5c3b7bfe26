// ELF files as compilers for GPUs write them: 64 bits, little-endian, with section headers.
//
// Source: System V Application Binary Interface, chapter 4 (Object Files), extended section numbering
// included. The bytes may be anything. Nothing is read beyond their end; no number in them decides an
// allocation larger than they are.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "jit/hash.h"

namespace kiln::binary {

// What is wrong with a binary, as the end of a sentence that begins with the binary: "has no symbol table".
struct Unreadable {
  std::string what;
};

template <typename T>
using Read = std::expected<T, Unreadable>;

// The number at `at`, least significant byte first. The bytes reach that far.
template <typename T>
T numberAt(Bytes bytes, std::size_t at) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(value | std::to_integer<T>(bytes[at + i]) << (8 * i));
  }
  return value;
}

struct ElfSection {
  std::string_view name;
  std::uint32_t type = 0;
  std::uint64_t offset = 0;  // in the file
  std::uint64_t size = 0;    // which of some types the file does not hold
  std::uint32_t link = 0;
};

inline constexpr std::uint32_t kSymbolTable = 2;  // SHT_SYMTAB
inline constexpr std::uint32_t kNotes = 7;        // SHT_NOTE

struct ElfSymbol {
  std::string_view name;
  std::uint8_t type = 0;
  std::uint8_t other = 0;
  bool isDefined = false;
};

// Keeps no copy: the bytes outlive it and what it gives.
class ElfFile {
 public:
  static Read<ElfFile> open(Bytes file);

  [[nodiscard]] std::uint16_t machine() const { return machine_; }
  [[nodiscard]] const std::vector<ElfSection>& sections() const { return sections_; }
  // Unreadable where it does not lie within the file.
  [[nodiscard]] Read<Bytes> content(const ElfSection& section) const;
  // Of the first symbol table, at their own indexes.
  [[nodiscard]] Read<std::vector<ElfSymbol>> symbols() const;

 private:
  Bytes file_;
  std::uint16_t machine_ = 0;
  std::vector<ElfSection> sections_;
};

}  // namespace kiln::binary
