// Directories of a request that lie in one another, and whether a text leads from the outer to the inner.
//
// With "/p/k.cu" and -I /p/venv/include, what a compiler spells "/p/venv/include/a.h" is a.h of the include
// directory, or venv/include/a.h beside the source. It is the latter only if some text says so: an include
// that names a path from "venv" on. (An include of a macro, and a word that is split over two lines, bind the
// names, names_binding.h: then every asker has the same directories, and either reading is right.)
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "jit/request.h"

namespace kiln {

// Not thread-safe.
class NestedDirectories {
 public:
  explicit NestedDirectories(const Names& names);

  // A text that the compiler is given, an option included, or has read.
  void read(std::string_view text);

  // Whether what was read so far can lead from one directory to the other, both as compilers spell them in
  // front of what they find there; `inner` begins with `outer`. From a directory to itself: always.
  [[nodiscard]] bool isPathFrom(std::string_view outer, std::string_view inner) const;

 private:
  std::map<std::string, bool, std::less<>>
      mentioned_;  // what an include has to begin with, and whether one may
};

}  // namespace kiln
