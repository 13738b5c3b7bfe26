#include "jit/service/joined_stages.h"

#include <utility>

#include "jit/log_names.h"
#include "jit/stand_in_source.h"

namespace kiln {
namespace {

std::string logForAsker(const Outcome& outcome) {
  const auto& entry = *outcome.entry;
  return logUnder(outcome.names, std::get<Artifact>(entry.result).log, entry.names, entry.dependencies);
}

std::string notRememberedForAsker(const Outcome& outcome) {
  return StandInPaths(outcome.names, outcome.entry->names).textForAsker(outcome.notRemembered);
}

// The result of the last stage, as its asker reads it, with what the first one wrote above its log.
std::variant<Artifact, Failure> joinedResult(const Outcome& first, const Outcome& last) {
  const auto& entry = *last.entry;
  if (const auto* failure = std::get_if<Failure>(&entry.result)) {
    auto joined = failureUnder(last.names, *failure, entry.names, entry.dependencies);
    joined.log.insert(0, logForAsker(first));
    return joined;
  }
  auto joined = std::get<Artifact>(entry.result);
  joined.log = logForAsker(first) + logForAsker(last);
  joined.loweredNames = std::get<Artifact>(first.entry->result).loweredNames;
  return joined;
}

Outcome::How both(Outcome::How first, Outcome::How last) {
  if (first == last) return first;
  const bool isMiss = first == Outcome::How::miss || last == Outcome::How::miss;
  return isMiss ? Outcome::How::miss : Outcome::How::joined;
}

// What both took when they were compiled; of a miss only those that were not there.
double milliseconds(const Outcome& first, const Outcome& last) {
  const bool isHit = both(first.how, last.how) == Outcome::How::hit;
  double sum = 0;
  for (const auto* stage : {&first, &last}) {
    if (isHit || stage->how != Outcome::How::hit) sum += stage->entry->compileMilliseconds;
  }
  return sum;
}

}  // namespace

Outcome joinedStages(const Outcome& first, const Outcome& last) {
  Entry entry = *last.entry;
  entry.result = joinedResult(first, last);
  entry.toolchainName = first.entry->toolchainName;
  if (!last.entry->toolchainName.empty()) entry.toolchainName += ", " + last.entry->toolchainName;
  entry.compileMilliseconds = milliseconds(first, last);
  entry.dependencies = first.entry->dependencies;
  entry.names = first.names;

  Outcome joined{both(first.how, last.how), nullptr, first.names, first.missReason,
                 notRememberedForAsker(first)};
  if (joined.missReason.empty() && !last.missReason.empty()) {
    joined.missReason = "its first stage was found, and of the last: " + last.missReason;
  }
  if (joined.notRemembered.empty()) joined.notRemembered = notRememberedForAsker(last);
  joined.entry = std::make_shared<const Entry>(std::move(entry));
  return joined;
}

}  // namespace kiln
