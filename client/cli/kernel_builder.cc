#include "client/cli/kernel_builder.h"

#include <algorithm>
#include <utility>

#include "client/cli/locked_request.h"
#include "frontends/request_options.h"
#include "jit/log_names.h"
#include "jit/request_hash.h"
#include "jit/stand_in_source.h"

namespace kiln::cli {
namespace {

Artifact artifactOf(const client::Reply& reply) {
  Artifact artifact;
  for (const auto& output : reply.outputs) {
    const std::string_view bytes(reinterpret_cast<const char*>(output.bytes.data()), output.bytes.size());
    artifact.outputs.push_back({output.kind, std::string(bytes), output.sha256});
  }
  artifact.log = reply.log;
  artifact.loweredNames = reply.loweredNames;
  artifact.resources = reply.resources;
  return artifact;
}

}  // namespace

Built KernelBuilder::build(const BuildTask& task) {
  auto request = requestFor(*task.kernel, task.target, contents_);
  if (!request) return std::unexpected(std::move(request.error()));
  const auto files = std::make_shared<const RecordedFiles>(*task.kernel, contents_);
  auto stages = stagesOf(*request);
  auto first = compile(stages ? stages->first : *request, task.toolchain, files);
  if (!first) return std::unexpected(std::move(first.error()));
  std::vector<bundle::BundledEntry> entries;
  entries.push_back(std::move(*first));
  const auto* generated = std::get_if<Artifact>(&entries.front().result);
  if (!stages || generated == nullptr) return entries;

  auto& last = stages->last;
  const auto* madeBy = byName(entries.front().toolchainName);
  const auto version = madeBy != nullptr && stages->hasOneNumbering ? madeBy->version : std::string();
  const auto linker = chooseNextToolchain(toolchains_, last.language, version, last.target);
  if (linker == nullptr) {
    return std::unexpected(
        Failure{FailureKind::toolchainUnavailable,
                "no toolchain links what " + entries.front().toolchainName + " generates"});
  }
  last.source = generated->outputs.front().bytes;
  auto linked = compile(last, linker->name, files);
  if (!linked) return std::unexpected(std::move(linked.error()));
  entries.push_back(std::move(*linked));
  return entries;
}

Attempted<bundle::BundledEntry> KernelBuilder::compile(const Request& request, const std::string& toolchain,
                                                       const std::shared_ptr<const client::FileView>& files) {
  auto reply = client_.compile(request, {.toolchain = toolchain}, files);
  if (!reply) return std::unexpected(std::move(reply.error()));
  if (reply->failure && !isDeterministic(reply->failure->kind))
    return std::unexpected(std::move(*reply->failure));
  if (reply->key.empty()) {
    return std::unexpected(
        Failure{FailureKind::internal, "the result is not kept: " + reply->notRemembered, reply->log});
  }
  if (reply->how != client::Reply::How::hit) ++compiled_;
  auto shown = client_.show(reply->key);
  if (!shown) return std::unexpected(std::move(shown.error()));
  if (!*shown)
    return std::unexpected(Failure{FailureKind::internal, "kilnd has forgotten it already; build again"});

  bundle::BundledEntry entry;
  entry.request = request;
  entry.request.names = compiledNames(request.names, requestHash(request));
  // Of whatever asker the entry is: it is as if it had been compiled for this one.
  entry.request.names.temporaryDirectory.clear();
  entry.toolchainName = reply->toolchain;
  entry.toolchainIdentity = (*shown)->toolchainIdentity;
  entry.dependencies = *reply->dependencies;
  entry.namesBind = (*shown)->namesBind;
  const auto& to = entry.request.names;
  if (reply->failure) {
    entry.result = failureUnder(to, *reply->failure, request.names, entry.dependencies);
  } else {
    auto artifact = artifactOf(*reply);
    artifact.log = logUnder(to, artifact.log, request.names, entry.dependencies);
    entry.result = std::move(artifact);
  }
  return entry;
}

const Toolchain* KernelBuilder::byName(const std::string& name) const {
  const auto found = std::ranges::find(toolchains_, name, [](const auto& one) { return one->name; });
  return found == toolchains_.end() ? nullptr : found->get();
}

}  // namespace kiln::cli
