#include "jit/log_names.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "jit/names_binding.h"
#include "jit/role_path.h"
#include "jit/stand_in_source.h"
#include "jit/words.h"

namespace kiln {
namespace {

// Behind the digits at `at`; `at` itself if there are none.
std::size_t skipDigits(std::string_view text, std::size_t at) {
  while (at < text.size() && isDigit(text[at])) ++at;
  return at;
}

// What a name in a log stands for: the source itself, or a place in one of the request's directories.
struct Place {
  FileRole role = FileRole::absolute;  // absolute: the source itself
  std::uint32_t index = 0;
  std::string rest;  // as the compiler spelled it
};

std::string spelled(const Place& place, const Names& names) {
  switch (place.role) {
    case FileRole::includeDirectory:
      return includePrefix(names.includeDirectories[place.index]) + place.rest;
    case FileRole::sourceDirectory:
      return sourcePrefix(names) + place.rest;
    default:
      return names.source;
  }
}

// Finds out what names mean. Names that mean no place are texts of the source's own (#line, headers in
// memory).
class Places {
 public:
  Places(const Names& names, const DependencySet& dependencies) : names_(names) {
    for (const auto& dependency : dependencies) {
      if (dependency.kind == FileKind::file) files_.insert(dependency.path);
    }
  }

  // Every place that `name` may mean.
  [[nodiscard]] std::vector<Place> of(std::string_view name) const {
    std::vector<Place> places;
    if (name == names_.source) places.push_back({});
    for (std::uint32_t i = 0; i < names_.includeDirectories.size(); ++i) {
      add(places, name, FileRole::includeDirectory, i, includePrefix(names_.includeDirectories[i]));
    }
    if (!name.starts_with('/') || names_.source.starts_with('/')) {
      add(places, name, FileRole::sourceDirectory, 0, sourcePrefix(names_));
    }
    return places;
  }

 private:
  void add(std::vector<Place>& places, std::string_view name, FileRole role, std::uint32_t index,
           std::string_view prefix) const {
    if (!name.starts_with(prefix) || name.size() == prefix.size()) return;
    auto rest = name.substr(prefix.size());
    // As dependencies have it: "." and doubled slashes taken out.
    auto plain = absolutePath(rest, "/").substr(1);
    if (files_.contains({role, index, plain})) places.push_back({role, index, std::string(rest)});
  }

  const Names& names_;
  std::set<RolePath> files_;
};

// A name in a log.
struct Field {
  std::size_t start = 0;
  std::size_t size = 0;
};

// Finds the names in one log, in order.
class FieldFinder {
 public:
  FieldFinder(std::string_view log, const Places& places) : log_(log), places_(places) {}

  // Calls `text(from, to)` for what lies between names and is the compiler's, and `name(field)` for each
  // name.
  template <typename Text, typename Name>
  void visit(const Text& text, const Name& name) {
    for (std::size_t at = 0; at < log_.size();) {
      auto end = std::min(log_.find('\n', at), log_.size());
      if (!isQuote(end)) visitLine(at, end, text, name);
      at = end + 1;
    }
  }

 private:
  // Whether the line, from `at` to `end`, is the source's, shown above its caret.
  [[nodiscard]] bool isQuote(std::size_t end) const {
    if (end >= log_.size()) return false;
    auto next = log_.substr(end + 1, log_.find('\n', end + 1) - end - 1);
    return next.find('^') != std::string_view::npos &&
           next.find_first_not_of(" \t^~") == std::string_view::npos;
  }

  template <typename Text, typename Name>
  void visitLine(std::size_t at, std::size_t end, const Text& text, const Name& name) {
    auto done = at;
    for (auto found : {leading(at, end), ofPosition(at, end), ofLine(at, end), ofCompilation(at, end),
                       ofInclusion(at, end), ofInput(at, end)}) {
      if (!found || found->start < done) continue;
      text(done, found->start);
      name(*found);
      done = found->start + found->size;
    }
    text(done, end);
  }

  // "NAME(12): ", the first that means a place if there are several.
  [[nodiscard]] std::optional<Field> leading(std::size_t at, std::size_t end) const {
    std::optional<Field> first;
    const auto line = log_.substr(0, end);  // what follows is never searched: a log may be long
    for (auto open = line.find('(', at); open < end; open = line.find('(', open + 1)) {
      auto close = skipDigits(log_, open + 1);
      if (close == open + 1 || !log_.substr(close).starts_with("): ")) continue;
      const Field field{at, open - at};
      if (isPlace(field)) return field;
      if (!first) first = field;
    }
    return first;
  }

  // "NAME:12:3: ", as clang has it, the first that means a place.
  [[nodiscard]] std::optional<Field> ofPosition(std::size_t at, std::size_t end) const {
    const auto line = log_.substr(0, end);
    for (auto colon = line.find(':', at); colon < end; colon = line.find(':', colon + 1)) {
      const auto column = skipDigits(log_, colon + 1);
      if (column == colon + 1 || !line.substr(column).starts_with(":")) continue;
      const auto behind = skipDigits(log_, column + 1);
      if (behind == column + 1 || !line.substr(behind).starts_with(": ")) continue;
      if (const Field field{at, colon - at}; isPlace(field)) return field;
    }
    return std::nullopt;
  }

  // "In file included from NAME:12:", as clang has it.
  [[nodiscard]] std::optional<Field> ofInclusion(std::size_t at, std::size_t end) const {
    auto field = between("In file included from ", ":", at, end);
    if (!field) return std::nullopt;
    const auto text = log_.substr(field->start, field->size);
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos || skipDigits(text, colon + 1) != text.size()) return std::nullopt;
    return Field{field->start, colon};
  }

  // "line 12 of NAME", perhaps within parentheses.
  [[nodiscard]] std::optional<Field> ofLine(std::size_t at, std::size_t end) const {
    constexpr std::string_view kLine = " line ";
    constexpr std::string_view kOf = " of ";
    const auto line = log_.substr(0, end);
    for (auto found = line.find(kLine, at); found < end; found = line.find(kLine, found + 1)) {
      auto digits = found + kLine.size();
      auto of = skipDigits(log_, digits);
      if (of == digits || !log_.substr(of).starts_with(kOf)) continue;
      const Field whole{of + kOf.size(), end - of - kOf.size()};
      if (isPlace(whole) || !log_.substr(0, end).ends_with(')')) return whole;
      return Field{whole.start, whole.size - 1};
    }
    return std::nullopt;
  }

  // Behind `before` up to `behind`, which ends the line.
  [[nodiscard]] std::optional<Field> between(std::string_view before, std::string_view behind, std::size_t at,
                                             std::size_t end) const {
    auto found = log_.substr(0, end).find(before, at);
    auto start = found + before.size();
    if (found == std::string_view::npos || start + behind.size() > end ||
        !log_.substr(0, end).ends_with(behind))
      return std::nullopt;
    return Field{start, end - behind.size() - start};
  }

  [[nodiscard]] std::optional<Field> ofCompilation(std::size_t at, std::size_t end) const {
    return between(" detected in the compilation of \"", "\".", at, end);
  }

  // As nvJitLink calls an input that it cannot compile, or read.
  [[nodiscard]] std::optional<Field> ofInput(std::size_t at, std::size_t end) const {
    if (auto field = between(": JIT the PTX (", ")", at, end)) return field;
    if (auto field = between("' in '", "'", at, end)) return field;
    for (std::string_view said : {": link error: ", ": parse "}) {
      if (auto found = log_.substr(at, end - at).find(said); found != log_.npos) return Field{at, found};
    }
    return between(" does not match type NVJITLINK_INPUT_PTX", "", at, end);
  }

  [[nodiscard]] bool isPlace(Field field) const {
    return !places_.of(log_.substr(field.start, field.size)).empty();
  }

  std::string_view log_;
  const Places& places_;
};

// What betrays a name where no field is.
std::set<std::string_view> telltales(const Names& names, const DependencySet& dependencies) {
  std::set<std::string_view> words = {lastComponent(names.source)};
  auto addDirectory = [&](std::string_view directory) {
    if (directory.find_first_not_of("./") != std::string_view::npos) words.insert(directory);
  };
  addDirectory(names.workingDirectory);
  for (const auto& directory : names.includeDirectories) addDirectory(directory);
  for (const auto& dependency : dependencies) {
    if (dependency.kind == FileKind::file) words.insert(lastComponent(dependency.path.path));
  }
  return words;
}

}  // namespace

bool logBindsNames(std::string_view log, const Names& names, const std::vector<Header>& headers,
                   const DependencySet& dependencies) {
  if (log.empty()) return false;
  if (holdsSourceName(log, names)) return true;
  const Places places(names, dependencies);
  const auto words = telltales(names, dependencies);
  bool binds = false;
  auto text = [&](std::size_t from, std::size_t to) {
    binds = binds || std::any_of(words.begin(), words.end(), [&](std::string_view word) {
              return holdsWord(log.substr(from, to - from), word);
            });
  };
  auto name = [&](Field field) {
    auto spelling = log.substr(field.start, field.size);
    auto count = places.of(spelling).size();
    if (count == 0) return text(field.start, field.start + field.size);
    bool isInMemory = std::any_of(headers.begin(), headers.end(),
                                  [&](const Header& header) { return header.name == spelling; });
    binds = binds || count > 1 || (count == 1 && isInMemory);
  };
  FieldFinder(log, places).visit(text, name);
  return binds;
}

std::string logUnder(const Names& to, std::string_view log, const Names& from,
                     const DependencySet& dependencies) {
  if (log.empty() || (to.source == from.source && to.includeDirectories == from.includeDirectories)) {
    return inputsForAsker(std::string(log), to);
  }
  const Places places(from, dependencies);
  std::string result;
  std::size_t done = 0;
  auto name = [&](Field field) {
    auto meant = places.of(log.substr(field.start, field.size));
    if (meant.empty()) return;
    result.append(log.substr(done, field.start - done)).append(spelled(meant.front(), to));
    done = field.start + field.size;
  };
  FieldFinder(log, places).visit([](std::size_t, std::size_t) {}, name);
  return inputsForAsker(std::move(result.append(log.substr(done))), to);
}

Failure failureUnder(const Names& to, Failure failure, const Names& from, const DependencySet& dependencies) {
  failure.log = logUnder(to, failure.log, from, dependencies);
  failure.message = StandInPaths(to, from).textForAsker(inputsForAsker(std::move(failure.message), to));
  auto quoted = "'" + from.source + "'";
  if (auto at = failure.message.find(quoted); at != std::string::npos) {
    failure.message.replace(at, quoted.size(), "'" + to.source + "'");
  }
  return failure;
}

}  // namespace kiln
