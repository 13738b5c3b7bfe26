#include "frontends/nvidia_log.h"

#include <algorithm>

namespace kiln {
namespace {

bool saysOutOfMemory(std::string_view line) {
  constexpr std::string_view kFrontEnd = "atastrophic error: ";  // with a capital where it has no place
  // ptxas says the second where it does not notice what it lacks.
  if (line == "ptxas fatal   : Memory allocation failure" ||
      line == "ptxas fatal   : Internal compiler error, please report") {
    return true;
  }
  // All that follows the first "catastrophic error: ", and not on a line that quotes the source, which begins
  // with a blank: a source that speaks of memory, in an #error say, is not mistaken.
  auto at = line.find(kFrontEnd);
  return at != std::string_view::npos && line.front() != ' ' &&
         line.substr(at + kFrontEnd.size()) == "out of memory";
}

}  // namespace

bool logSaysOutOfMemory(std::string_view log) {
  if (log.empty()) return true;
  while (!log.empty()) {
    auto end = std::min(log.find('\n'), log.size());
    if (saysOutOfMemory(log.substr(0, end))) return true;
    log.remove_prefix(std::min(end + 1, log.size()));
  }
  return false;
}

}  // namespace kiln
