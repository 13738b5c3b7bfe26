#include "jit/names_binding.h"

#include <algorithm>
#include <array>

#include "jit/role_path.h"
#include "jit/words.h"

namespace kiln {
namespace {

constexpr std::array<std::string_view, 5> kNameTokens = {"__FILE__", "__FILE_NAME__", "__BASE_FILE__",
                                                         "source_location", "__builtin_FILE"};

std::string_view skipBlanks(std::string_view text) {
  auto start = text.find_first_not_of(" \t");
  return start == std::string_view::npos ? std::string_view{} : text.substr(start);
}

std::string_view dropTrailingBlanks(std::string_view text) {
  auto last = text.find_last_not_of(" \t");
  return last == std::string_view::npos ? std::string_view{} : text.substr(0, last + 1);
}

constexpr std::array<std::string_view, 2> kBackslashes = {"\\", "?\?/"};

// Behind the backslash at the end of a line, or the trigraph for one, with which `text` begins, and the
// line's end; 0 if it begins with none. Compilers allow blanks in between.
std::size_t spliceAt(std::string_view text) {
  for (auto backslash : kBackslashes) {
    if (!text.starts_with(backslash)) continue;
    auto next = text.find_first_not_of(" \t\r", backslash.size());
    if (next != std::string_view::npos && text[next] == '\n') return next + 1;
  }
  return 0;
}

// Whether continued lines, one or several in a row, split a word in two: then searching for words finds
// nothing.
bool splicesWord(std::string_view text) {
  auto splicesBy = [&](std::string_view backslash) {
    for (auto at = text.find(backslash); at != std::string_view::npos; at = text.find(backslash, at + 1)) {
      if (at == 0 || !isWordCharacter(text[at - 1])) continue;
      auto behind = at;
      while (auto size = spliceAt(text.substr(behind))) behind += size;
      if (behind > at && behind < text.size() && isWordCharacter(text[behind])) return true;
    }
    return false;
  };
  return std::any_of(kBackslashes.begin(), kBackslashes.end(), splicesBy);
}

// Whether what follows "#include" or "__has_include" can name a file other than relative to a role:
// everything but <relative> and "relative". A line that is continued behind the quote may go on with
// anything.
bool isOpenEndedOperand(std::string_view rest) {
  rest = skipBlanks(rest);
  if (rest.starts_with('(')) rest = skipBlanks(rest.substr(1));
  if (rest.size() < 2) return true;
  return (rest[0] != '<' && rest[0] != '"') || rest[1] == '/' || spliceAt(rest.substr(1)) > 0;
}

// Whether a word that follows `before` is a directive's: behind '#' or its other spellings, also with a
// comment or a continued line in between.
bool isDirective(std::string_view before) {
  before = dropTrailingBlanks(before);
  if (before.ends_with("\r\n"))
    return dropTrailingBlanks(before.substr(0, before.size() - 2)).ends_with('\\');
  if (before.ends_with('\n')) return dropTrailingBlanks(before.substr(0, before.size() - 1)).ends_with('\\');
  return before.ends_with('#') || before.ends_with("%:") || before.ends_with("?\?=") ||
         before.ends_with("*/");
}

// Whether an operator's name that follows `before` is only asked after: "#ifdef __has_include",
// "defined(...)".
bool isOnlyAskedAfter(std::string_view before) {
  before = dropTrailingBlanks(before);
  if (before.ends_with('(')) before = dropTrailingBlanks(before.substr(0, before.size() - 1));
  return before.ends_with("ifdef") || before.ends_with("ifndef") || before.ends_with("defined");
}

// Whether `text` holds `word` as a directive ("#include", "#include_next") or an operator ("__has_include")
// whose operand is open-ended.
bool holdsOpenEnded(std::string_view text, std::string_view word) {
  constexpr std::string_view kOperatorPrefix = "__has_";
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    auto before = text.substr(0, at);
    if (before.ends_with(kOperatorPrefix)) {
      before.remove_suffix(kOperatorPrefix.size());
      if (isOnlyAskedAfter(before)) continue;
    } else if (!isDirective(before)) {
      continue;
    }
    auto rest = text.substr(at + word.size());
    if (rest.starts_with("_next")) rest.remove_prefix(5);
    if (isOpenEndedOperand(rest)) return true;
  }
  return false;
}

// Whether a line may name the file that the next ones are said to come from: "#line 3 "a.cu"", "# 3 "a.cu"",
// "#line MACRO". Nothing but a number is known to name none.
bool renamesLines(std::string_view text) {
  for (auto at = text.find('#'); at != std::string_view::npos; at = text.find('#', at + 1)) {
    auto line = skipBlanks(text.substr(at + 1, text.find_first_of("\r\n", at) - at - 1));
    constexpr std::string_view kLine = "line";
    if (line.starts_with(kLine) && (line.size() == kLine.size() || !isWordCharacter(line[kLine.size()]))) {
      line = skipBlanks(line.substr(kLine.size()));
    } else if (line.empty() || !isDigit(line.front())) {
      continue;
    }
    if (dropTrailingBlanks(line).find_first_not_of("0123456789") != std::string_view::npos) return true;
  }
  return false;
}

// Whether pasting ("a##b") `word` to another may make a token that expands to a name: whether it is the half
// of one, of the two halves the one that is no word of its own.
bool isHalfOfToken(std::string_view word) {
  return std::any_of(kNameTokens.begin(), kNameTokens.end(), [&](std::string_view token) {
    if (word.size() >= token.size()) return false;
    auto isTelling = [](std::string_view half) { return half.size() > 2 && half.find('_') != half.npos; };
    if (token.ends_with(word)) return isTelling(word);
    return token.starts_with(word) && !isTelling(token.substr(word.size()));
  });
}

// Whether a whole word that holds `part` is the half of a token.
bool holdsHalfWith(std::string_view part, std::string_view text) {
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) {
    auto start = at;
    auto end = at + part.size();
    while (start > 0 && isWordCharacter(text[start - 1])) --start;
    while (end < text.size() && isWordCharacter(text[end])) ++end;
    if (isHalfOfToken(text.substr(start, end - start))) return true;
  }
  return false;
}

bool holdsHalfOfToken(std::string_view text) {
  // Each telling half holds one of these.
  constexpr std::array<std::string_view, 5> kParts = {"E__", "_FILE", "_location", "source_", "__builtin_"};
  return std::any_of(kParts.begin(), kParts.end(),
                     [&](std::string_view part) { return holdsHalfWith(part, text); });
}

}  // namespace

bool textBindsNames(std::string_view text) {
  // NVRTC defines the macro itself, by __FILE__, in a header that no file is read for.
  constexpr std::string_view kAssert = "assert";
  return std::any_of(kNameTokens.begin(), kNameTokens.end(),
                     [&](std::string_view token) { return text.find(token) != std::string_view::npos; }) ||
         holdsWord(text, kAssert) || holdsOpenEnded(text, "include") || holdsOpenEnded(text, "import") ||
         holdsOpenEnded(text, "embed") || splicesWord(text) || renamesLines(text) || holdsHalfOfToken(text);
}

bool requestBindsNames(const Request& request) {
  auto bind = [](const std::vector<std::string>& texts) {
    return std::any_of(texts.begin(), texts.end(), textBindsNames);
  };
  if (textBindsNames(request.source) || bind(request.options) || bind(request.nameExpressions)) return true;
  for (const auto& header : request.headers) {
    if (textBindsNames(header.content)) return true;
  }
  for (const auto& directory : roleDirectories(request.names)) {
    for (const auto& option : request.options) {
      if (directory.path.size() > 1 && option.find(directory.path) != std::string::npos) return true;
    }
  }
  return false;
}

bool mentionsSource(std::string_view text, const Names& names) {
  const auto name = lastComponent(names.source);
  return !name.empty() && text.find(name) != std::string_view::npos;
}

bool holdsSourceName(std::string_view text, const Names& names) {
  std::string name(lastComponent(names.source));
  for (char& c : name) {
    if (!isWordCharacter(c)) c = '_';
  }
  return text.find("_" + std::to_string(name.size()) + "_" + name + "_") != std::string_view::npos;
}

Hash128 namesDigest(const Names& names) {
  FieldHasher hasher;
  hasher.field(1, names.source);
  hasher.field(2, names.workingDirectory);
  hasher.field(3, static_cast<std::uint64_t>(names.includeDirectories.size()));
  for (const auto& directory : names.includeDirectories) hasher.field(4, directory);
  return hasher.finish();
}

}  // namespace kiln
