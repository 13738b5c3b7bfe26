#include "frontends/hiprtc/log.h"

#include <algorithm>
#include <array>

#include "frontends/hiprtc/files.h"
#include "frontends/log_lines.h"

namespace kiln::hiprtc {

std::string withOwnNames(std::string_view log, std::string_view source) {
  constexpr std::string_view kSource = "/input/CompileSource";
  constexpr std::string_view kHeaders = "/include/";
  constexpr std::size_t kRandomDigits = 6;
  std::string result;
  for (auto at = log.find(kScratchPrefix); at != std::string_view::npos; at = log.find(kScratchPrefix)) {
    const auto start = at + kScratchPrefix.size();
    const auto end = std::min(log.find_first_not_of("0123456789abcdef", start), log.size());
    const auto rest = end - start == kRandomDigits ? log.substr(end) : std::string_view();
    result.append(log.substr(0, at));
    if (rest.starts_with(kSource)) {
      result.append(source);
      log.remove_prefix(end + kSource.size());
    } else if (rest.starts_with(kHeaders)) {
      log.remove_prefix(end + kHeaders.size());
    } else {
      result.append(log.substr(at, end - at));
      log.remove_prefix(end);
    }
  }
  return result.append(log);
}

bool saysBadOption(std::string_view log) {
  constexpr std::array<std::string_view, 5> kSayings = {
      "error: unsupported option ", "error: unknown argument", "error: invalid ",
      "error: unable to load plugin ",
      "error: no input files"};  // what the last option took the source for its value
  return anyLine(log, [&](std::string_view line) {
    return std::ranges::any_of(kSayings, [&](std::string_view saying) { return line.starts_with(saying); });
  });
}

}  // namespace kiln::hiprtc
