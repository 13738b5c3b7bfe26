// UTF-8 as the Unicode standard has it: no overlong forms, no surrogates, nothing above U+10FFFF. TOML holds
// nothing else.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace kiln::bundle {

struct Character {
  char32_t code;
  std::size_t bytes;
};

// The one that `text`, which is not empty, begins with; nothing if it begins with none.
std::optional<Character> characterAt(std::string_view text);

bool isUtf8(std::string_view text);

// For a person: each byte that is no part of a character as "\xNN".
std::string escapedToUtf8(std::string_view text);

}  // namespace kiln::bundle
