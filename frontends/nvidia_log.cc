#include "frontends/nvidia_log.h"

#include "frontends/log_lines.h"

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

bool logSaysOutOfMemory(std::string_view log) { return log.empty() || anyLine(log, saysOutOfMemory); }

}  // namespace kiln
