#include "rpc/outcome_log.h"

#include <variant>

namespace kiln {
namespace {

std::string_view name(Outcome::How how) {
  switch (how) {
    case Outcome::How::hit:
      return "hit";
    case Outcome::How::miss:
      return "miss";
    case Outcome::How::joined:
      break;
  }
  return "joined";
}

std::string origin(const Peer& peer) {
  return " [client " + std::to_string(peer.number) + ", domain " + peer.domain + "]";
}

// The message's first line: the compiler's log has the rest.
std::string summary(const Failure& failure) {
  auto line = std::string_view(failure.message).substr(0, failure.message.find('\n'));
  return std::string(kiln::name(failure.kind)) + " (" + onOneLine(line) + ")";
}

// Whether it is kiln or the node that failed, and not the source or the request.
bool isTrouble(FailureKind kind) {
  switch (kind) {
    case FailureKind::compileError:
    case FailureKind::invalidRequest:
    case FailureKind::unsupportedTarget:
    case FailureKind::fileUnavailable:
    case FailureKind::notPinned:
      return false;
    default:
      return true;
  }
}

}  // namespace

void logOutcome(Log& log, const Subject& subject, const Peer& peer, const Outcome& outcome, double elapsed) {
  const auto& entry = *outcome.entry;
  const auto* failure = std::get_if<Failure>(&entry.result);
  std::string line(name(outcome.how));
  line += ": " + quotedForLog(subject.source);
  if (!subject.target.empty()) line += " for " + subject.target;
  if (!entry.toolchainName.empty()) line += " with " + entry.toolchainName;
  line += failure != nullptr ? ": " + summary(*failure) : ": artifact";
  line += ", " + milliseconds(elapsed);
  if (outcome.how == Outcome::How::miss && entry.compileMilliseconds > 0)
    line += ", compiled in " + milliseconds(entry.compileMilliseconds);
  if (!entry.key.isZero()) line += ", key " + entry.key.hex();
  if (!outcome.notRemembered.empty()) line += ", not remembered: " + onOneLine(outcome.notRemembered);
  if (!outcome.missReason.empty()) line += "; " + onOneLine(outcome.missReason);
  line += origin(peer);
  if (failure != nullptr && isTrouble(failure->kind)) {
    log.warning(line);
  } else {
    log.info(line);
  }
}

void logRefusal(Log& log, std::string_view source, const Peer& peer, const Failure& failure) {
  log.info("refused: " + quotedForLog(source) + ": " + summary(failure) + origin(peer));
}

void logRefusedBinary(Log& log, const EntryKey& key, std::string_view said, const Peer& peer,
                      const CompileService::Refusal& refusal) {
  std::string line = "a driver refuses the binary of key " + key.hex() + ": " + quotedForLog(said);
  line += refusal.isSetAside     ? "; it is set aside, and compiled anew when it is asked for"
          : refusal.compileAgain ? "; there is none of these bytes any more"
                                 : "; a compile has given the same bytes since, which are kept";
  log.warning(line + origin(peer));
}

}  // namespace kiln
