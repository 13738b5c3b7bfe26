// A compiler's log by its lines.
#pragma once

#include <algorithm>
#include <string_view>

namespace kiln {

// Whether `test` holds for a line of `log`.
template <typename Test>
bool anyLine(std::string_view log, Test test) {
  while (!log.empty()) {
    auto end = std::min(log.find('\n'), log.size());
    if (test(log.substr(0, end))) return true;
    log.remove_prefix(std::min(end + 1, log.size()));
  }
  return false;
}

}  // namespace kiln
