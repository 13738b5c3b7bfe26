#include "jit/service/joined_stages.h"

#include <utility>

#include "jit/log_names.h"

namespace kiln {
namespace {

std::string logForAsker(const Outcome& outcome) {
  const auto& entry = *outcome.entry;
  return logUnder(outcome.names, std::get<Artifact>(entry.result).log, entry.names, entry.dependencies);
}

// For a person: whether a file of one stage is one of the other's, no number tells.
DependencySet ofBoth(DependencySet first, const DependencySet& last) {
  const auto ofFirst = static_cast<std::uint32_t>(first.size());
  for (auto dependency : last) {
    if (dependency.fileNumber != 0) dependency.fileNumber += ofFirst;
    first.push_back(std::move(dependency));
  }
  return normalised(std::move(first));
}

Outcome::How both(Outcome::How first, Outcome::How last) {
  if (first == last) return first;
  const bool isMiss = first == Outcome::How::miss || last == Outcome::How::miss;
  return isMiss ? Outcome::How::miss : Outcome::How::joined;
}

}  // namespace

Outcome joinedStages(const Outcome& first, Outcome last) {
  const auto* artifact = std::get_if<Artifact>(&last.entry->result);
  if (artifact == nullptr) return last;
  Entry entry = *last.entry;
  auto& joined = std::get<Artifact>(entry.result);
  joined.log = logForAsker(first) + logForAsker(last);
  joined.loweredNames = std::get<Artifact>(first.entry->result).loweredNames;
  entry.toolchainName = first.entry->toolchainName + ", " + last.entry->toolchainName;
  entry.compileMilliseconds += first.entry->compileMilliseconds;
  entry.dependencies = ofBoth(first.entry->dependencies, last.entry->dependencies);
  entry.names = first.names;

  Outcome outcome{both(first.how, last.how), nullptr, first.names, first.missReason, first.notRemembered};
  if (outcome.missReason.empty() && !last.missReason.empty()) {
    outcome.missReason = "its first stage was found, and of the last: " + last.missReason;
  }
  if (outcome.notRemembered.empty()) outcome.notRemembered = std::move(last.notRemembered);
  outcome.entry = std::make_shared<const Entry>(std::move(entry));
  return outcome;
}

}  // namespace kiln
