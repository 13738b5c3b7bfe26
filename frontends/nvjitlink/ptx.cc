#include "frontends/nvjitlink/ptx.h"

#include <charconv>
#include <optional>

namespace kiln::nvjitlink {
namespace {

constexpr std::string_view kBlanks = " \t\r\n\v\f";

// Behind blanks and comments.
std::string_view skipTrivia(std::string_view text) {
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
    std::string_view end;
    if (text.starts_with("//")) {
      end = "\n";
    } else if (text.starts_with("/*")) {
      end = "*/";
    } else {
      return text;
    }
    auto stop = text.find(end, 2);
    text.remove_prefix(stop == std::string_view::npos ? text.size() : stop + end.size());
  }
}

// Takes the word at the start of `text` off it; a single character where there is no word.
std::string_view takeWord(std::string_view& text) {
  auto size = std::min(text.find_first_of(" \t\r\n\v\f,;/(){}[]"), text.size());
  if (size == 0) size = 1;
  auto word = text.substr(0, size);
  text.remove_prefix(size);
  return word;
}

struct Architecture {
  int number = 0;
  char form = ' ';
};

std::optional<Architecture> parse(std::string_view name) {
  constexpr std::string_view kPrefix = "sm_";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  Architecture architecture;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), architecture.number);
  if (error != std::errc()) return std::nullopt;
  name.remove_prefix(static_cast<std::size_t>(end - name.data()));
  if (name.size() > 1) return std::nullopt;
  if (name.size() == 1) architecture.form = name.front();
  return architecture;
}

}  // namespace

ModuleDirectives directivesOf(std::string_view ptx) {
  ModuleDirectives directives;
  // Both stand in front of all code, whose first directive is none of these.
  for (auto text = skipTrivia(ptx); !text.empty(); text = skipTrivia(text)) {
    auto word = takeWord(text);
    auto* value = word == ".version" ? &directives.version : word == ".target" ? &directives.target : nullptr;
    if (value == nullptr || !value->empty()) continue;
    text = skipTrivia(text);
    if (!text.empty()) *value = takeWord(text);
    if (!directives.version.empty() && !directives.target.empty()) break;
  }
  return directives;
}

bool mayRunOn(std::string_view moduleTarget, std::string_view target) {
  auto from = parse(moduleTarget);
  auto to = parse(target);
  if (!from || !to) return true;
  switch (from->form) {
    case ' ':
      return to->number >= from->number;
    case 'a':
      return target == moduleTarget;
    case 'f':
      return to->number / 10 == from->number / 10 && to->number >= from->number;
    default:
      return true;
  }
}

}  // namespace kiln::nvjitlink
