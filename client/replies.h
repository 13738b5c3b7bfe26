// From the daemon's messages to libkiln's values. Reading copies: no value keeps a reference to a message.
#pragma once

#include <kj/async.h>

#include "client/client.h"
#include "kiln.capnp.h"

namespace kiln::client {

Reply failureReply(Failure failure);

// Outputs that come by descriptor are mapped. What the message holds stays readable until the promise is
// done.
kj::Promise<Reply> readOutcome(schema::Outcome::Reader outcome);

// These throw a kj::Exception that names the field if the daemon sent what this version cannot read.
std::vector<ToolchainReply> readToolchains(capnp::List<schema::Toolchain>::Reader reader);
BundleRecord readBundle(schema::Bundle::Reader reader);  // without its domain
std::vector<LaneReply> readLanes(capnp::List<schema::Lane>::Reader reader);
StatsReply readStats(schema::Stats::Reader reader);
StatusReply readStatus(schema::Status::Reader reader);
EntrySummary readSummary(schema::EntrySummary::Reader reader, const std::string& domain);
ShowReply readEntry(schema::Entry::Reader reader, const std::string& domain);

}  // namespace kiln::client
