#include "jit/names_binding.h"

#include <algorithm>
#include <array>

#include "jit/role_path.h"

namespace kiln {
namespace {

constexpr std::array<std::string_view, 5> kNameTokens = {"__FILE__", "__FILE_NAME__", "__BASE_FILE__",
                                                         "source_location", "__builtin_FILE"};

bool isWordCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::string_view skipBlanks(std::string_view text) {
  auto start = text.find_first_not_of(" \t");
  return start == std::string_view::npos ? std::string_view{} : text.substr(start);
}

std::string_view dropTrailingBlanks(std::string_view text) {
  auto last = text.find_last_not_of(" \t");
  return last == std::string_view::npos ? std::string_view{} : text.substr(0, last + 1);
}

// Whether a backslash at the end of a line splits a word in two: then searching for words finds nothing.
// Compilers allow blanks behind the backslash.
bool splicesWord(std::string_view text) {
  for (auto at = text.find('\\'); at != std::string_view::npos; at = text.find('\\', at + 1)) {
    auto next = text.find_first_not_of(" \t\r", at + 1);
    if (next == std::string_view::npos || text[next] != '\n' || next + 1 == text.size()) continue;
    if (at > 0 && isWordCharacter(text[at - 1]) && isWordCharacter(text[next + 1])) return true;
  }
  return false;
}

// Whether what follows "#include" or "__has_include" can name a file other than relative to a role:
// everything but <relative> and "relative".
bool isOpenEndedOperand(std::string_view rest) {
  rest = skipBlanks(rest);
  if (rest.starts_with('(')) rest = skipBlanks(rest.substr(1));
  if (rest.size() < 2) return true;
  return (rest[0] != '<' && rest[0] != '"') || rest[1] == '/';
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

// Whether a line names the file that the next ones are said to come from: "#line 3 "a.cu"", "# 3 "a.cu"".
bool renamesLines(std::string_view text) {
  for (auto at = text.find('#'); at != std::string_view::npos; at = text.find('#', at + 1)) {
    auto rest = skipBlanks(text.substr(at + 1));
    if (rest.starts_with("line")) rest = skipBlanks(rest.substr(4));
    auto digits = rest.find_first_not_of("0123456789");
    if (digits == 0 || digits == std::string_view::npos) continue;
    if (skipBlanks(rest.substr(digits)).starts_with('"')) return true;
  }
  return false;
}

}  // namespace

bool textBindsNames(std::string_view text) {
  return std::any_of(kNameTokens.begin(), kNameTokens.end(),
                     [&](std::string_view token) { return text.find(token) != std::string_view::npos; }) ||
         holdsOpenEnded(text, "include") || holdsOpenEnded(text, "import") || holdsOpenEnded(text, "embed") ||
         splicesWord(text) || renamesLines(text);
}

bool requestBindsNames(const Request& request) {
  if (textBindsNames(request.source)) return true;
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

bool holdsSourceName(std::string_view text, const Names& names) {
  auto name = names.source.substr(names.source.rfind('/') + 1);
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
