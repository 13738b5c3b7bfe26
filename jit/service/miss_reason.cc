#include "jit/service/miss_reason.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace kiln {
namespace {

std::string inQuotes(std::string_view text) {
  std::string result = "\"";
  result.append(text).append("\"");
  return result;
}

std::string joinedBy(std::string_view separator, const std::vector<std::string>& parts) {
  std::string result;
  for (const auto& part : parts) {
    if (!result.empty()) result += separator;
    result += part;
  }
  return result;
}

std::string_view whatIs(FileKind kind) {
  switch (kind) {
    case FileKind::absent:
      return "nothing";
    case FileKind::file:
      return "a file";
    case FileKind::directory:
    case FileKind::listing:
      return "a directory";
    case FileKind::link:
      return "a symbolic link";
    case FileKind::resolved:
      return "a path";
    case FileKind::other:
      return "a FIFO, a socket or a device";
  }
  return "something that cannot be read";
}

// Of two files that look alike and still disagree: with which other name is it, or is it not, one file?
std::string identityChange(const DependencySet& dependencies, const FileCheck& check, std::size_t at) {
  for (std::size_t i = 0; i < at; ++i) {
    if (dependencies[i].fileNumber == 0) continue;
    const bool wasOne = dependencies[i].fileNumber == dependencies[at].fileNumber;
    const bool isOne = check.states[i].identity == check.states[at].identity;
    if (wasOne && !isOne) return "is no longer one file with " + describe(dependencies[i].path);
    if (!wasOne && isOne) return "has become one file with " + describe(dependencies[i].path);
  }
  return "changed";
}

std::string changeOf(const DependencySet& dependencies, const FileCheck& check, std::size_t at) {
  const auto& before = dependencies[at];
  const auto& now = check.states[at];
  if (before.kind == FileKind::absent && now.kind != FileKind::absent) return "appeared";
  if (before.kind != FileKind::absent && now.kind == FileKind::absent) return "disappeared";
  if (before.kind != now.kind) {
    return "changed from " + std::string(whatIs(before.kind)) + " to " + std::string(whatIs(now.kind));
  }
  const bool sameContent =
      before.xxh3 == now.xxh3 && (before.kind != FileKind::file || before.size == now.size);
  return sameContent ? identityChange(dependencies, check, at) : "changed";
}

// The first of `items` that `others` has fewer of.
std::optional<std::string> firstMissing(const std::vector<std::string>& items,
                                        const std::vector<std::string>& others) {
  std::multiset<std::string> left(others.begin(), others.end());
  for (const auto& item : items) {
    auto found = left.find(item);
    if (found == left.end()) return item;
    left.erase(found);
  }
  return std::nullopt;
}

std::string optionDifference(const Request& wanted, const Request& seen) {
  if (wanted.options == seen.options) return {};
  if (auto added = firstMissing(wanted.options, seen.options)) return "without option " + inQuotes(*added);
  if (auto dropped = firstMissing(seen.options, wanted.options)) return "with option " + inQuotes(*dropped);
  return "with its options in another order";
}

std::string headerDifference(const Request& wanted, const Request& seen) {
  std::map<std::string, std::string> before;
  for (const auto& header : seen.headers) before.emplace(header.name, header.content);
  for (const auto& header : wanted.headers) {
    auto found = before.find(header.name);
    if (found == before.end()) return "without header " + inQuotes(header.name);
    if (found->second != header.content) return "with other content of header " + inQuotes(header.name);
    before.erase(found);
  }
  return before.empty() ? "" : "with header " + inQuotes(before.begin()->first);
}

std::string inputDifference(const Request& wanted, const Request& seen) {
  if (wanted.inputs == seen.inputs) return {};
  if (std::ranges::is_permutation(wanted.inputs, seen.inputs)) {
    return "with its further inputs in another order";
  }
  if (wanted.inputs.size() == seen.inputs.size()) return "with other content of a further input";
  return "with " + std::to_string(seen.inputs.size()) + " further inputs, not " +
         std::to_string(wanted.inputs.size());
}

std::string nameExpressionDifference(const Request& wanted, const Request& seen) {
  if (auto added = firstMissing(wanted.nameExpressions, seen.nameExpressions)) {
    return "without name expression " + inQuotes(*added);
  }
  if (auto dropped = firstMissing(seen.nameExpressions, wanted.nameExpressions)) {
    return "with name expression " + inQuotes(*dropped);
  }
  return {};
}

std::string outputDifference(const Request& wanted, const Request& seen) {
  if (wanted.outputs == seen.outputs) return {};
  std::vector<std::string> names;
  for (auto kind : seen.outputs) names.emplace_back(name(kind));
  return "for output " + joinedBy(" and ", names);
}

std::string nameDifference(std::string_view what, const std::string& wanted, const std::string& seen) {
  if (wanted == seen) return {};
  return std::string(what) + " " + inQuotes(seen) + ", not " + inQuotes(wanted);
}

// The first include directory that was called otherwise. There are as many of them: their number is part of
// the request.
std::string includeDirectoryDifference(const Names& wanted, const Names& seen) {
  const auto [here, there] = std::ranges::mismatch(wanted.includeDirectories, seen.includeDirectories);
  if (here == wanted.includeDirectories.end() || there == seen.includeDirectories.end()) return {};
  return nameDifference("include directory", *here, *there);
}

// What was different about the names of `seen`, one phrase for each that differs.
std::vector<std::string> differences(const Names& wanted, const Names& seen) {
  std::vector<std::string> phrases = {
      nameDifference("source name", wanted.source, seen.source),
      nameDifference("working directory", wanted.workingDirectory, seen.workingDirectory),
      includeDirectoryDifference(wanted, seen)};
  std::erase(phrases, "");
  return phrases;
}

// What was different about `seen`, one phrase for each field.
std::vector<std::string> differences(const Request& wanted, const Request& seen) {
  std::vector<std::string> phrases;
  auto add = [&](std::string phrase) {
    if (!phrase.empty()) phrases.push_back(std::move(phrase));
  };
  if (wanted.language != seen.language) add("as " + std::string(name(seen.language)));
  if (wanted.target != seen.target) add("for target " + shortName(seen.target));
  add(optionDifference(wanted, seen));
  add(headerDifference(wanted, seen));
  add(inputDifference(wanted, seen));
  add(nameExpressionDifference(wanted, seen));
  add(outputDifference(wanted, seen));
  if (wanted.names.includeDirectories.size() != seen.names.includeDirectories.size()) {
    add("with " + std::to_string(seen.names.includeDirectories.size()) + " include directories, not " +
        std::to_string(wanted.names.includeDirectories.size()));
  }
  if (wanted.timestamp != seen.timestamp) add("with timestamp " + std::to_string(seen.timestamp));
  return phrases;
}

}  // namespace

std::size_t nearestByFiles(const std::vector<FileCheck>& checks) {
  const auto nearest =
      std::ranges::min_element(checks, {}, [](const FileCheck& check) { return check.disagreements.size(); });
  return static_cast<std::size_t>(nearest - checks.begin());
}

std::string missByFile(const Manifest& nearest, const FileCheck& check) {
  const auto& dependencies = nearest.dependencies;
  const auto at = check.disagreements.front();
  const auto others = std::count_if(check.disagreements.begin() + 1, check.disagreements.end(),
                                    [&](auto other) { return check.states[other].kind != kUnknownFileKind; });
  const auto path = describe(dependencies[at].path);
  auto reason =
      check.states[at].kind == kUnknownFileKind
          ? path + " could not be read, so that nothing tells whether it is as the nearest entry had it"
          : path + " " + changeOf(dependencies, check, at) + " since the nearest entry was compiled";
  if (others > 0)
    reason += "; " + std::to_string(others) + (others == 1 ? " other file differs" : " other files differ") +
              " too";
  return reason;
}

std::string missByNames(const Names& wanted, const Names& seen) {
  const auto phrases = differences(wanted, seen);
  auto reason = "names reach the output, and the nearest entry was compiled under " +
                (phrases.empty() ? "other names" : joinedBy(", and ", phrases));
  if (phrases.size() == 1 && wanted.source != seen.source) reason += " (--name gives both one)";
  return reason;
}

std::string missByLoss() { return "its entry was lost from the store or found damaged there"; }

const Manifest& nearestByToolchain(const std::vector<Manifest>& seen, const Toolchain& wanted) {
  const auto otherBuild = std::ranges::find(seen, wanted.name, &Manifest::toolchainName);
  return otherBuild == seen.end() ? seen.front() : *otherBuild;
}

std::string missByToolchain(const Manifest& nearest, const Toolchain& wanted) {
  if (nearest.toolchainName != wanted.name) {
    return "compiled before with toolchain " + inQuotes(nearest.toolchainName) + ", not with " +
           inQuotes(wanted.name);
  }
  return "compiled before with another build of toolchain " + inQuotes(wanted.name) + " (identity " +
         nearest.toolchainIdentity.hex().substr(0, 12) + ", now " + wanted.identity.hex().substr(0, 12) + ")";
}

std::string missByRequest(const Request& wanted, const std::vector<Request>& sameSource) {
  if (sameSource.empty()) return "never seen: nothing was compiled from this source before";
  const auto phrases = differences(wanted, sameSource[nearestRequest(wanted, sameSource)]);
  if (phrases.empty()) return "seen before, but its entry is no longer in the store";
  return "the same source was seen " + joinedBy(", ", phrases);
}

std::size_t nearestRequest(const Request& wanted, const std::vector<Request>& others) {
  const auto distance = [&](const Request& other) {
    const auto phrases = differences(wanted, other);
    return std::make_pair(phrases.size(), joinedBy(", ", phrases));
  };
  return static_cast<std::size_t>(std::ranges::min_element(others, {}, distance) - others.begin());
}

std::string missByPinned(const Request& wanted, const Request& nearest) {
  const auto phrases = differences(wanted, nearest);
  const auto besides = phrases.empty() ? "" : ", " + joinedBy(", ", phrases);
  if (wanted.source != nearest.source) return "a kernel of that name is pinned with another source" + besides;
  return "the same source is pinned" + (phrases.empty() ? "" : " " + joinedBy(", ", phrases));
}

std::string missUnpinned() { return "neither its source nor a kernel of its name is pinned"; }

std::string missUnseen() { return "never seen: this request was not compiled before"; }

}  // namespace kiln
