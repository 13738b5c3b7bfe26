// What a compiler does with files beside reading those of the client.
#pragma once

#include <string_view>
#include <vector>

namespace kiln {

struct FileHabits {
  // Whether any file of the client reaches the output. Where none does, none is there: what the compiler
  // looks at all the same, to note how large and how old it is, is no part of what it compiles.
  bool readsFiles = true;
  // How the names of the directories begin that it makes for itself: "/tmp/comgr-". Empty: it makes none.
  std::string_view scratch = {};
  // How often it looks for the source under its name where no text includes it.
  int looksAtSource = 1;
  // Where it looks for tools and headers of the machine that it runs on, as it spells them; with a slash at
  // the end, everything below too. None is there, so that no result hangs on what else a machine has.
  std::vector<std::string_view> probes = {};
};

}  // namespace kiln
