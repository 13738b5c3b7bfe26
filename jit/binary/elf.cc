#include "jit/binary/elf.h"

#include <algorithm>
#include <optional>

namespace kiln::binary {
namespace {

constexpr std::string_view kIdentification =
    "\x7f"
    "ELF\x02\x01";  // 64 bits, little-endian
constexpr std::size_t kHeaderSize = 64;
constexpr std::size_t kSectionHeaderSize = 64;
constexpr std::size_t kSymbolSize = 24;
constexpr std::uint16_t kIndexElsewhere = 0xffff;  // SHN_XINDEX

std::unexpected<Unreadable> unreadable(std::string what) {
  return std::unexpected(Unreadable{std::move(what)});
}

// The text at `at` up to its NUL.
std::optional<std::string_view> textAt(Bytes table, std::uint64_t at) {
  auto text = asText(table);
  if (at >= text.size()) return std::nullopt;
  auto end = text.find('\0', at);
  if (end == std::string_view::npos) return std::nullopt;
  return text.substr(at, end - at);
}

ElfSection sectionAt(Bytes file, std::uint64_t at) {
  ElfSection section;
  section.type = numberAt<std::uint32_t>(file, at + 4);
  section.offset = numberAt<std::uint64_t>(file, at + 24);
  section.size = numberAt<std::uint64_t>(file, at + 32);
  section.link = numberAt<std::uint32_t>(file, at + 40);
  return section;
}

}  // namespace

Read<ElfFile> ElfFile::open(Bytes file) {
  if (file.size() < kHeaderSize || !asText(file).starts_with(kIdentification)) {
    return unreadable("is no ELF file of 64 bits");
  }
  ElfFile elf;
  elf.file_ = file;
  elf.machine_ = numberAt<std::uint16_t>(file, 18);
  auto headers = numberAt<std::uint64_t>(file, 40);
  if (numberAt<std::uint16_t>(file, 58) != kSectionHeaderSize || headers > file.size() ||
      file.size() - headers < kSectionHeaderSize) {
    return unreadable("has no section headers");
  }
  const auto first = sectionAt(file, headers);
  std::uint64_t count = numberAt<std::uint16_t>(file, 60);
  std::uint32_t namesAt = numberAt<std::uint16_t>(file, 62);
  if (count == 0) count = first.size;
  if (namesAt == kIndexElsewhere) namesAt = first.link;
  if (count > (file.size() - headers) / kSectionHeaderSize)
    return unreadable("is cut off in its section headers");
  for (std::uint64_t i = 0; i < count; ++i) {
    elf.sections_.push_back(sectionAt(file, headers + i * kSectionHeaderSize));
  }
  if (namesAt >= count) return unreadable("has no names of sections");
  auto names = elf.content(elf.sections_[namesAt]);
  if (!names) return std::unexpected(names.error());
  for (std::uint64_t i = 0; i < count; ++i) {
    auto name = textAt(*names, numberAt<std::uint32_t>(file, headers + i * kSectionHeaderSize));
    if (!name) return unreadable("has a section whose name is cut off");
    elf.sections_[i].name = *name;
  }
  return elf;
}

Read<Bytes> ElfFile::content(const ElfSection& section) const {
  if (section.offset > file_.size() || section.size > file_.size() - section.offset) {
    return unreadable("is cut off in the section '" + std::string(section.name) + "'");
  }
  return file_.subspan(section.offset, section.size);
}

Read<std::vector<ElfSymbol>> ElfFile::symbols() const {
  auto table = std::find_if(sections_.begin(), sections_.end(),
                            [](const ElfSection& section) { return section.type == kSymbolTable; });
  if (table == sections_.end() || table->link >= sections_.size()) return unreadable("has no symbol table");
  auto entries = content(*table);
  if (!entries) return std::unexpected(entries.error());
  auto names = content(sections_[table->link]);
  if (!names) return std::unexpected(names.error());
  std::vector<ElfSymbol> symbols(entries->size() / kSymbolSize);
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    auto entry = entries->subspan(i * kSymbolSize, kSymbolSize);
    auto name = textAt(*names, numberAt<std::uint32_t>(entry, 0));
    if (!name) return unreadable("has a symbol whose name is cut off");
    symbols[i] = {*name, static_cast<std::uint8_t>(numberAt<std::uint8_t>(entry, 4) & 0xf),
                  numberAt<std::uint8_t>(entry, 5), numberAt<std::uint16_t>(entry, 6) != 0};
  }
  return symbols;
}

}  // namespace kiln::binary
