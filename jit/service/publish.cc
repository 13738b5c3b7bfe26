#include "jit/service/publish.h"

#include <chrono>
#include <utility>

#include "jit/sha256.h"

namespace kiln {
namespace {

std::string whyNotRemembered(const Compiled& compiled) {
  if (!compiled.unclean.empty()) return compiled.unclean;
  const auto* failure = std::get_if<Failure>(&compiled.result);
  if (failure == nullptr || isDeterministic(failure->kind)) return {};
  return "the failure " + std::string(name(failure->kind)) + " may not happen again";
}

Entry makeEntry(const CompileJob& job, Compiled compiled) {
  Entry entry;
  entry.domain = job.domain;
  entry.requestHash = job.requestHash;
  entry.requestSha256 = requestSha256(*job.request);
  entry.toolchainIdentity = job.toolchain->identity;
  entry.toolchainName = job.toolchain->name;
  entry.names = job.request->names;
  entry.namesBind = compiled.namesBind;
  entry.dependencies = std::move(compiled.dependencies);
  entry.result = std::move(compiled.result);
  entry.compileMilliseconds = compiled.compileMilliseconds;
  entry.createdAt = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
          .count());
  if (auto* artifact = std::get_if<Artifact>(&entry.result)) {
    for (auto& output : artifact->outputs) output.sha256 = sha256(output.bytes);
  }
  return entry;
}

}  // namespace

Published publish(Store& store, const CompileJob& job, Compiled compiled) {
  Published published;
  published.notRemembered = whyNotRemembered(compiled);
  auto entry = makeEntry(job, std::move(compiled));
  if (published.notRemembered.empty()) {
    entry.key = entryKey(entry);
    if (auto put = store.put(entry, *job.request); !put) {
      published.notRemembered = "the store could not keep it: " + put.error().message;
      published.error = std::move(put.error());
      entry.key = {};
    }
  }
  published.entry = std::make_shared<const Entry>(std::move(entry));
  return published;
}

}  // namespace kiln
