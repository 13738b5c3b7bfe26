#include "frontends/nvjitlink/ptx.h"

#include <algorithm>
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

// The last architecture of the list at the start of `text`, which is taken off it.
std::string_view takeTarget(std::string_view& text) {
  std::string_view target;
  for (bool goesOn = true; goesOn;) {
    text = skipTrivia(text);
    if (text.empty()) break;
    auto word = takeWord(text);
    if (target.empty() || word.starts_with("sm_")) target = word;
    text = skipTrivia(text);
    goesOn = text.starts_with(',');
    if (goesOn) text.remove_prefix(1);
  }
  return target;
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
    if (word == ".version" && directives.version.empty()) {
      text = skipTrivia(text);
      if (!text.empty()) directives.version = takeWord(text);
    } else if (word == ".target" && directives.target.empty()) {
      directives.target = takeTarget(text);
    }
    if (!directives.version.empty() && !directives.target.empty()) break;
  }
  return directives;
}

bool mayRunOn(std::string_view moduleTarget, std::string_view target) {
  auto from = parse(moduleTarget);
  auto to = parse(target);
  constexpr int kRenamed = 101;
  if (!from || !to || from->number == kRenamed) return true;
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
