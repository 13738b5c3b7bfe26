#include "frontends/needed_libraries.h"

#include <elf.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <optional>
#include <string_view>

namespace kiln {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostBytes = 16 << 20;  // of one table; those of real libraries are far smaller

class ElfFile {
 public:
  explicit ElfFile(const fs::path& path) : file_(path, std::ios::binary) {}

  // `count` items of type Item at `offset`; nothing if the file does not hold them.
  template <typename Item>
  std::optional<std::vector<Item>> read(std::uint64_t offset, std::uint64_t count) {
    if (count > kMostBytes / sizeof(Item)) return std::nullopt;
    std::vector<Item> items(count);
    file_.clear();
    file_.seekg(static_cast<std::streamoff>(offset));
    file_.read(reinterpret_cast<char*>(items.data()), static_cast<std::streamsize>(count * sizeof(Item)));
    if (!file_) return std::nullopt;
    return items;
  }

 private:
  std::ifstream file_;
};

bool isReadable(const Elf64_Ehdr& header) {
  return std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && header.e_ident[EI_CLASS] == ELFCLASS64 &&
         header.e_ident[EI_DATA] == ELFDATA2LSB && header.e_shentsize == sizeof(Elf64_Shdr);
}

std::string_view textAt(const std::vector<char>& texts, std::uint64_t at) {
  if (at >= texts.size()) return {};
  const std::string_view rest(texts.data() + at, texts.size() - at);
  return rest.substr(0, rest.find('\0'));
}

void addDirectories(std::vector<fs::path>& directories, std::string_view list, const fs::path& origin) {
  while (!list.empty()) {
    const auto end = std::min(list.find(':'), list.size());
    std::string directory(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
    for (std::string_view spelling : {"${ORIGIN}", "$ORIGIN"}) {
      if (!directory.starts_with(spelling)) continue;
      directory.replace(0, spelling.size(), origin.string());
      break;
    }
    if (directory.starts_with('/')) directories.emplace_back(std::move(directory));
  }
}

}  // namespace

fs::path resolveIn(const std::string& name, const std::vector<fs::path>& directories) {
  for (const auto& directory : directories) {
    std::error_code error;
    auto canonical = fs::canonical(directory / name, error);
    if (!error) return canonical;
  }
  return {};
}

NeededLibraries neededBy(const fs::path& library) {
  ElfFile file(library);
  const auto header = file.read<Elf64_Ehdr>(0, 1);
  if (!header || !isReadable(header->front())) return {};
  const auto sections = file.read<Elf64_Shdr>(header->front().e_shoff, header->front().e_shnum);
  if (!sections) return {};
  const auto dynamic = std::ranges::find(*sections, Elf64_Word{SHT_DYNAMIC}, &Elf64_Shdr::sh_type);
  if (dynamic == sections->end() || dynamic->sh_link >= sections->size()) return {};
  const auto& table = (*sections)[dynamic->sh_link];
  const auto entries = file.read<Elf64_Dyn>(dynamic->sh_offset, dynamic->sh_size / sizeof(Elf64_Dyn));
  const auto texts = file.read<char>(table.sh_offset, table.sh_size);
  if (!entries || !texts) return {};

  NeededLibraries needed;
  for (const auto& entry : *entries) {
    const auto text = textAt(*texts, entry.d_un.d_val);
    if (entry.d_tag == DT_NULL) break;
    if (entry.d_tag == DT_NEEDED && !text.empty()) needed.names.emplace_back(text);
    if (entry.d_tag == DT_RUNPATH || entry.d_tag == DT_RPATH) {
      addDirectories(needed.directories, text, library.parent_path());
    }
  }
  return needed;
}

}  // namespace kiln
