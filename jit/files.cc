#include "jit/files.h"

#include <algorithm>

namespace kiln {

std::string listingText(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  std::string text;
  for (const auto& name : names) text.append(name).push_back('\0');
  return text;
}

}  // namespace kiln
