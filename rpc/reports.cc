#include "rpc/reports.h"

#include <algorithm>
#include <iterator>

#include "jit/service/bundled_toolchains.h"
#include "rpc/results.h"
#include "rpc/schema/convert.h"

namespace kiln {

void writeSummary(schema::EntrySummary::Builder builder, const EntrySummary& summary) {
  builder.setKey(convert::toData(summary.key.view()));
  builder.setSourceName(convert::toText(summary.sourceName));
  builder.setTarget(convert::toText(summary.target.name));
  builder.setToolchain(convert::toText(summary.toolchainName));
  if (summary.failure) builder.setFailure(static_cast<std::uint16_t>(*summary.failure));
  builder.setBytes(summary.bytes);
  builder.setCompileMs(summary.compileMilliseconds);
  builder.setCreatedAt(summary.createdAt);
}

void writeEntry(schema::Entry::Builder builder, const FoundEntry& found) {
  const auto& entry = found.entry;
  writeSummary(builder.initSummary(), found.summary);
  Outcome outcome{Outcome::How::hit, std::make_shared<const Entry>(entry), entry.names, "", ""};
  SealedOutputs none;
  writeOutcome(builder.initOutcome(), outcome, Delivery::withoutBytes, none);
  convert::write(builder.initRequest(), found.request);
  builder.setSourceSha256(convert::toData(found.sourceSha256.view()));
  auto inputs = builder.initInputSha256(found.inputSha256.size());
  for (unsigned i = 0; i < inputs.size(); ++i) inputs.set(i, convert::toData(found.inputSha256[i].view()));
  builder.setRequestHash(convert::toData(entry.requestHash.view()));
  builder.setRequestSha256(convert::toData(entry.requestSha256.view()));
  builder.setToolchainIdentity(convert::toData(entry.toolchainIdentity.view()));
  builder.setNamesBind(entry.namesBind);
}

void writeStats(schema::Stats::Builder builder, const ServiceStatistics& service,
                const StoreStatistics& store) {
  builder.setHits(service.hits);
  builder.setMisses(service.misses);
  builder.setJoined(service.joined);
  builder.setCompiles(service.compiles);
  auto failures = builder.initFailures(service.failures.size());
  unsigned i = 0;
  for (auto [kind, count] : service.failures) {
    failures[i].setKind(static_cast<std::uint16_t>(kind));
    failures[i++].setCount(count);
  }
  builder.setCompileMs(service.compileMilliseconds);
  builder.setSavedMs(service.savedMilliseconds);
  builder.setEntries(store.entries);
  builder.setBytes(store.bytes);
  builder.setCorruptEntries(store.corruptEntries);
}

ToolchainList withBundled(const ToolchainList& ofNode, const ToolchainList& bundled) {
  auto all = ofNode;
  for (const auto& one : bundled) {
    const bool isThere = std::ranges::any_of(ofNode, [&](const auto& known) {
      return known->identity == one->identity && known->problem.empty();
    });
    if (!isThere) all.push_back(one);
  }
  return all;
}

void writeToolchains(capnp::List<schema::Toolchain>::Builder builder, const ToolchainList& toolchains) {
  ToolchainList ofNode;
  std::ranges::copy_if(toolchains, std::back_inserter(ofNode),
                       [](const auto& one) { return isOnNode(*one); });
  for (unsigned i = 0; i < toolchains.size(); ++i) {
    const auto& toolchain = toolchains[i];
    convert::write(builder[i], *toolchain);
    builder[i].setIsDefault(chooseToolchain(ofNode, toolchain->language, "") == toolchain);
    builder[i].setIsFromBundle(!isOnNode(*toolchain));
  }
}

void writeBundle(schema::Bundle::Builder builder, const BundleRecord& bundle) {
  builder.setDigest(convert::toData(bundle.digest.view()));
  builder.setName(convert::toText(bundle.name));
  builder.setWarmedAt(bundle.warmedAt);
  builder.setEntries(bundle.entries);
  builder.setBytes(bundle.bytes);
  BundledToolchains known;
  known.replace(bundle.domain, {bundle});
  const auto& toolchains = known.of(bundle.domain);
  writeToolchains(builder.initToolchains(toolchains.size()), toolchains);
}

namespace {

schema::Status::CompilerRole toSchema(CompilerRole role) {
  switch (role) {
    case CompilerRole::zygote:
      return schema::Status::CompilerRole::ZYGOTE;
    case CompilerRole::spare:
      return schema::Status::CompilerRole::SPARE;
    case CompilerRole::compile:
      break;
  }
  return schema::Status::CompilerRole::COMPILE;
}

}  // namespace

void writeProcesses(capnp::List<schema::Status::CompilerProcess>::Builder builder,
                    const std::vector<CompilerProcessInfo>& processes) {
  for (unsigned i = 0; i < processes.size(); ++i) {
    builder[i].setProcessId(static_cast<std::uint32_t>(processes[i].processId));
    builder[i].setToolchain(convert::toText(processes[i].toolchain));
    builder[i].setIsZygote(processes[i].role == CompilerRole::zygote);
    builder[i].setRole(toSchema(processes[i].role));
  }
}

}  // namespace kiln
