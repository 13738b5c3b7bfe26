#include "bundle/utf8.h"

#include <cstdint>

namespace kiln::bundle {

std::optional<Character> characterAt(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t length = first < 0x80       ? 1
                             : first >> 5 == 6  ? 2
                             : first >> 4 == 14 ? 3
                             : first >> 3 == 30 ? 4
                                                : 0;
  if (length == 1) return Character{first, 1};
  if (length == 0 || length > text.size()) return std::nullopt;
  std::uint32_t character = first & (0xff >> (length + 1));
  for (const char c : text.substr(1, length - 1)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >> 6 != 2) return std::nullopt;
    character = character << 6 | (byte & 0x3f);
  }
  const std::uint32_t least = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000;
  const bool isSurrogate = character >= 0xd800 && character <= 0xdfff;
  if (character < least || character > 0x10ffff || isSurrogate) return std::nullopt;
  return Character{character, length};
}

bool isUtf8(std::string_view text) {
  while (!text.empty()) {
    const auto character = characterAt(text);
    if (!character) return false;
    text.remove_prefix(character->bytes);
  }
  return true;
}

std::string escapedToUtf8(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string result;
  while (!text.empty()) {
    const auto character = characterAt(text);
    const auto length = character ? character->bytes : 1;
    if (!character) {
      const auto byte = static_cast<unsigned char>(text.front());
      ((result += "\\x") += kDigits[byte >> 4]) += kDigits[byte & 15];
    } else {
      result += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return result;
}

}  // namespace kiln::bundle
