#include "client/include_scan.h"

#include <algorithm>
#include <optional>

namespace kiln::client {
namespace {

constexpr std::string_view kBlanks = " \t";

std::string_view skipBlanks(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return text;
}

bool startsLine(std::string_view text, std::size_t at) {
  while (at > 0 && kBlanks.contains(text[at - 1])) --at;
  return at == 0 || text[at - 1] == '\n';
}

// What stands between the delimiters behind "#include".
std::optional<Inclusion> operandOf(std::string_view rest) {
  constexpr std::string_view kDirective = "include";
  rest = skipBlanks(rest);
  if (!rest.starts_with(kDirective)) return std::nullopt;
  rest = skipBlanks(rest.substr(kDirective.size()));
  if (rest.empty() || (rest.front() != '<' && rest.front() != '"')) return std::nullopt;
  bool isQuoted = rest.front() == '"';
  rest.remove_prefix(1);
  auto end = rest.find_first_of(isQuoted ? "\"\n" : ">\n");
  if (end == 0 || end == std::string_view::npos || rest[end] == '\n') return std::nullopt;
  return Inclusion{std::string(rest.substr(0, end)), isQuoted};
}

}  // namespace

std::vector<Inclusion> inclusionsIn(std::string_view text) {
  std::vector<Inclusion> inclusions;
  for (auto at = text.find('#'); at != std::string_view::npos; at = text.find('#', at + 1)) {
    if (!startsLine(text, at)) continue;
    if (auto inclusion = operandOf(text.substr(at + 1))) inclusions.push_back(std::move(*inclusion));
  }
  return inclusions;
}

}  // namespace kiln::client
