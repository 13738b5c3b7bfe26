// One line of the log for each request.
#pragma once

#include <string>
#include <string_view>

#include "jit/failure.h"
#include "jit/service/service.h"
#include "rpc/log.h"
#include "rpc/session.h"

namespace kiln {

// What was asked for, in the asker's own words.
struct Subject {
  std::string source;
  std::string target;  // empty: known by its hash alone
};

void logOutcome(Log& log, const Subject& subject, const Peer& peer, const Outcome& outcome,
                double milliseconds);
// A request that was refused before anything was looked up.
void logRefusal(Log& log, std::string_view source, const Peer& peer, const Failure& failure);
// A client's driver refuses what was compiled; `said` is what it says.
void logRefusedBinary(Log& log, const EntryKey& key, std::string_view said, const Peer& peer,
                      const CompileService::Refusal& refusal);

}  // namespace kiln
