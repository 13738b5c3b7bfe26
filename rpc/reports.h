// What a session tells of the store and the daemon, as messages.
#pragma once

#include <vector>

#include "frontends/pool/pool.h"
#include "jit/service/service.h"
#include "jit/store.h"
#include "kiln.capnp.h"
#include "rpc/entry_search.h"

namespace kiln {

void writeSummary(schema::EntrySummary::Builder builder, const EntrySummary& summary);
void writeEntry(schema::Entry::Builder builder, const FoundEntry& found);
void writeStats(schema::Stats::Builder builder, const ServiceStatistics& service,
                const StoreStatistics& store);
// Those of the node, and behind them those of `bundled` that the node does not have.
ToolchainList withBundled(const ToolchainList& ofNode, const ToolchainList& bundled);
// Marks the one of each language that is chosen by default.
void writeToolchains(capnp::List<schema::Toolchain>::Builder builder, const ToolchainList& toolchains);
void writeBundle(schema::Bundle::Builder builder, const BundleRecord& bundle);
void writeProcesses(capnp::List<schema::Status::CompilerProcess>::Builder builder,
                    const std::vector<CompilerProcessInfo>& processes);

}  // namespace kiln
