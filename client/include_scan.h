// Which headers a text includes, as far as a glance tells.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kiln::client {

struct Inclusion {
  std::string name;
  bool isQuoted = false;  // "name", looked for beside the includer first; <name> is not

  bool operator==(const Inclusion&) const = default;
};

// The operands of #include lines, in order. Conditionals and comments are not understood, and names that come
// from macros are left out: a guess at what a compiler will open, no more.
std::vector<Inclusion> inclusionsIn(std::string_view text);

}  // namespace kiln::client
