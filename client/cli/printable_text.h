// Text of others as it is shown on a terminal: names in locks and bundles may hold anything.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace kiln::cli {

// Control characters and what is no UTF-8 as escapes ("\n", "\x1b"), so that no text forges a line or moves
// the cursor.
std::string onOneLine(std::string_view text);
// The same, but newlines and tabs stay: for what a compiler wrote.
std::string onLines(std::string_view text);
// As many whole characters of `text` as fit into `columns`. A character that some terminals show as two
// columns wide counts as two.
std::string cutTo(std::string_view text, std::size_t columns);

}  // namespace kiln::cli
