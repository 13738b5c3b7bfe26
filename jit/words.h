// Words in a text, and the last one of a path.
#pragma once

#include <string_view>

namespace kiln {

inline bool isDigit(char c) { return c >= '0' && c <= '9'; }

// Whether `c` can stand in an identifier.
inline bool isWordCharacter(char c) {
  return isDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

// Whether `word` stands in `text` by itself, not as part of a longer word.
bool holdsWord(std::string_view text, std::string_view word);

// What follows the last slash; all of `path` if there is none.
inline std::string_view lastComponent(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace kiln
