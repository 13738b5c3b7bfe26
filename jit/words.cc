#include "jit/words.h"

namespace kiln {

bool holdsWord(std::string_view text, std::string_view word) {
  if (word.empty()) return false;
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    auto end = at + word.size();
    bool begins = at == 0 || !isWordCharacter(text[at - 1]) || !isWordCharacter(word.front());
    bool ends = end == text.size() || !isWordCharacter(text[end]) || !isWordCharacter(word.back());
    if (begins && ends) return true;
  }
  return false;
}

}  // namespace kiln
