#include "jit/names_binding.h"

#include <algorithm>
#include <array>

#include "jit/role_path.h"

namespace kiln {
namespace {

constexpr std::array<std::string_view, 5> kNameTokens = {"__FILE__", "__FILE_NAME__", "__BASE_FILE__",
                                                         "source_location", "__builtin_FILE"};

std::string_view skipBlanks(std::string_view text) {
  auto start = text.find_first_not_of(" \t");
  return start == std::string_view::npos ? std::string_view{} : text.substr(start);
}

// Whether what follows "include" or "__has_include" can name a file other than relative to a role: everything
// but <relative> and "relative".
bool isOpenEndedOperand(std::string_view rest) {
  rest = skipBlanks(rest);
  if (rest.starts_with('(')) rest = skipBlanks(rest.substr(1));
  if (rest.size() < 2) return true;
  return (rest[0] != '<' && rest[0] != '"') || rest[1] == '/';
}

// Whether the word at `position` is used as a directive ("#include", also with a comment or a continued line in
// between) or as an operator ("__has_include").
bool isIncludeWord(std::string_view text, std::size_t position) {
  if (position >= 6 && text.substr(position - 6, 6) == "__has_") return true;
  while (position > 0 && (text[position - 1] == ' ' || text[position - 1] == '\t')) --position;
  if (position == 0) return false;
  char before = text[position - 1];
  char earlier = position > 1 ? text[position - 2] : '\0';
  return before == '#' || (before == ':' && earlier == '%') || (before == '/' && earlier == '*') ||
         (before == '\n' && earlier == '\\');
}

bool holdsOpenEndedInclude(std::string_view text) {
  constexpr std::string_view kWord = "include";
  for (auto at = text.find(kWord); at != std::string_view::npos; at = text.find(kWord, at + 1)) {
    if (!isIncludeWord(text, at)) continue;
    auto rest = text.substr(at + kWord.size());
    if (rest.starts_with("_next")) rest.remove_prefix(5);
    if (isOpenEndedOperand(rest)) return true;
  }
  return false;
}

}  // namespace

bool textBindsNames(std::string_view text) {
  return std::any_of(kNameTokens.begin(), kNameTokens.end(),
                     [&](std::string_view token) { return text.find(token) != std::string_view::npos; }) ||
         holdsOpenEndedInclude(text);
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

Hash128 namesDigest(const Names& names) {
  FieldHasher hasher;
  hasher.field(1, names.source);
  hasher.field(2, names.workingDirectory);
  hasher.field(3, static_cast<std::uint64_t>(names.includeDirectories.size()));
  for (const auto& directory : names.includeDirectories) hasher.field(4, directory);
  return hasher.finish();
}

}  // namespace kiln
