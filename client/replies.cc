#include "client/replies.h"

#include <fcntl.h>
#include <kj/debug.h>

#include "jit/lane.h"
#include "rpc/schema/convert.h"

namespace kiln::client {
namespace {

[[noreturn]] void failRead(const std::string& what) {
  kj::throwFatalException(kj::Exception(kj::Exception::Type::FAILED, __FILE__, __LINE__,
                                        kj::heapString(what.data(), what.size())));
}

template <typename T>
T require(convert::Read<T> read) {
  if (!read) failRead("it sent what this version of libkiln cannot read: " + read.error().message);
  return std::move(*read);
}

// Empty data is the zero digest.
template <typename D>
D readDigest(capnp::Data::Reader data, const char* field) {
  if (data.size() == 0) return {};
  auto digest = D::fromBytes(convert::bytes(data));
  if (!digest) failRead(std::string("it sent a digest of the wrong size as ") + field);
  return *digest;
}

std::string readKey(capnp::Data::Reader data) {
  if (data.size() == 0) return {};
  return readDigest<EntryKey>(data, "key").hex();
}

Reply::How readHow(schema::Outcome::How how) {
  switch (how) {
    case schema::Outcome::How::HIT:
      return Reply::How::hit;
    case schema::Outcome::How::JOINED:
      return Reply::How::joined;
    default:
      return Reply::How::miss;
  }
}

void setFailure(Reply& reply, Failure failure) {
  reply.outputs.clear();
  reply.log = failure.log;
  reply.failure = std::move(failure);
}

// The descriptor belongs to the capability, which goes with the message: keep one of our own.
void mapOutput(Reply& reply, std::size_t index, int descriptor, std::uint64_t size) {
  int own = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  auto bytes = own < 0 ? std::nullopt : OutputBytes::fromDescriptor(own, size);
  if (bytes) {
    reply.outputs[index].bytes = std::move(*bytes);
  } else if (!reply.failure) {
    setFailure(reply, {FailureKind::internal,
                       "an output came as a descriptor that could not be mapped; this process may be out of "
                       "descriptors or address space, see ulimit -n and -v"});
  }
}

kj::Promise<Reply> mapOutputs(Reply reply, schema::Artifact::Reader artifact) {
  auto shared = std::make_shared<Reply>(std::move(reply));
  kj::Vector<kj::Promise<void>> mapping;
  auto outputs = artifact.getOutputs();
  for (unsigned i = 0; i < outputs.size(); ++i) {
    if (!outputs[i].isDescriptor()) continue;
    auto blob = outputs[i].getDescriptor();
    auto descriptor = blob.getFd();
    mapping.add(descriptor
                    .then([shared, i, size = outputs[i].getSize()](kj::Maybe<int> fd) {
                      if (!shared->failure) mapOutput(*shared, i, fd.orDefault(-1), size);
                    })
                    .attach(kj::mv(blob)));
  }
  return kj::joinPromises(mapping.releaseAsArray()).then([shared] { return std::move(*shared); });
}

Reply readReply(schema::Outcome::Reader outcome) {
  Reply reply;
  reply.how = readHow(outcome.getHow());
  reply.key = readKey(outcome.getKey());
  reply.toolchain = convert::text(outcome.getToolchain());
  reply.compileMilliseconds = outcome.getCompileMs();
  reply.dependencies =
      std::make_shared<const DependencySet>(require(convert::read(outcome.getDependencies())));
  reply.missReason = convert::text(outcome.getMissReason());
  reply.notRemembered = convert::text(outcome.getNotRemembered());
  if (outcome.isFailure()) {
    setFailure(reply, convert::read(outcome.getFailure()));
    return reply;
  }
  if (!outcome.isArtifact())
    failRead("it sent an outcome of a kind that this version of libkiln does not know");
  auto artifact = require(convert::read(outcome.getArtifact()));
  reply.log = std::move(artifact.log);
  reply.loweredNames = std::move(artifact.loweredNames);
  reply.resources = std::move(artifact.resources);
  for (auto& output : artifact.outputs) {
    reply.outputs.push_back({output.kind, output.sha256, OutputBytes::fromString(std::move(output.bytes))});
  }
  return reply;
}

}  // namespace

Reply failureReply(Failure failure) {
  Reply reply;
  setFailure(reply, std::move(failure));
  return reply;
}

kj::Promise<Reply> readOutcome(schema::Outcome::Reader outcome) {
  auto reply = readReply(outcome);
  if (!outcome.isArtifact()) return reply;
  return mapOutputs(std::move(reply), outcome.getArtifact());
}

std::vector<ToolchainReply> readToolchains(capnp::List<schema::Toolchain>::Reader reader) {
  std::vector<ToolchainReply> toolchains;
  for (auto item : reader)
    toolchains.push_back({require(convert::read(item)), item.getIsDefault(), item.getIsFromBundle()});
  return toolchains;
}

BundleRecord readBundle(schema::Bundle::Reader reader) {
  BundleRecord bundle;
  bundle.digest = readDigest<Sha256>(reader.getDigest(), "a bundle's digest");
  bundle.name = convert::text(reader.getName());
  bundle.warmedAt = reader.getWarmedAt();
  bundle.entries = reader.getEntries();
  bundle.bytes = reader.getBytes();
  for (auto item : reader.getToolchains()) {
    auto toolchain = require(convert::read(item));
    bundle.toolchains.push_back({toolchain.name, toolchain.frontend, toolchain.version, toolchain.language,
                                 toolchain.identity, toolchain.targets});
  }
  return bundle;
}

std::string laneName(std::uint16_t number) {
  return number < kLaneNames.size() ? std::string(kLaneNames[number]) : "unknown";
}

std::vector<LaneReply> readLanes(capnp::List<schema::Lane>::Reader reader) {
  std::vector<LaneReply> lanes;
  for (auto item : reader) {
    lanes.push_back({std::string(convert::text(item.getSocket())),
                     std::string(convert::text(item.getDomain())), laneName(item.getLane())});
  }
  return lanes;
}

StatsReply readStats(schema::Stats::Reader reader) {
  StatsReply stats;
  stats.hits = reader.getHits();
  stats.misses = reader.getMisses();
  stats.joined = reader.getJoined();
  stats.compiles = reader.getCompiles();
  for (auto item : reader.getFailures()) {
    auto kind = failureKindFromNumber(item.getKind()).value_or(FailureKind::internal);
    stats.failures.emplace_back(kind, item.getCount());
  }
  stats.compileMilliseconds = reader.getCompileMs();
  stats.savedMilliseconds = reader.getSavedMs();
  stats.entries = reader.getEntries();
  stats.bytes = reader.getBytes();
  stats.corruptEntries = reader.getCorruptEntries();
  return stats;
}

std::string roleName(schema::Status::CompilerRole role) {
  switch (role) {
    case schema::Status::CompilerRole::ZYGOTE:
      return "zygote";
    case schema::Status::CompilerRole::SPARE:
      return "spare";
    case schema::Status::CompilerRole::COMPILE:
      return "compile";
  }
  return "unknown";
}

StatusReply readStatus(schema::Status::Reader reader) {
  StatusReply status;
  status.version = convert::text(reader.getVersion());
  status.processId = reader.getProcessId();
  status.uptimeMilliseconds = static_cast<double>(reader.getUptimeMs());
  status.domain = convert::text(reader.getDomain());
  status.lane = laneName(reader.getLane());
  status.store = convert::text(reader.getStore());
  status.clients = reader.getClients();
  status.running = reader.getRunning();
  status.queued = reader.getQueued();
  status.jobs = reader.getJobs();
  for (auto item : reader.getCompilers()) {
    status.compilers.push_back(
        {item.getProcessId(), std::string(convert::text(item.getToolchain())), roleName(item.getRole())});
  }
  status.stopping = reader.getStopping();
  return status;
}

EntrySummary readSummary(schema::EntrySummary::Reader reader, const std::string& domain) {
  EntrySummary summary;
  summary.key = readDigest<EntryKey>(reader.getKey(), "an entry's key");
  summary.domain = domain;
  summary.sourceName = convert::text(reader.getSourceName());
  summary.target = require(parseTarget(convert::text(reader.getTarget())));
  summary.toolchainName = convert::text(reader.getToolchain());
  if (reader.getFailure() != 0) {
    summary.failure = failureKindFromNumber(reader.getFailure()).value_or(FailureKind::internal);
  }
  summary.bytes = reader.getBytes();
  summary.compileMilliseconds = reader.getCompileMs();
  summary.createdAt = reader.getCreatedAt();
  return summary;
}

ShowReply readEntry(schema::Entry::Reader reader, const std::string& domain) {
  ShowReply show;
  show.summary = readSummary(reader.getSummary(), domain);
  auto outcome = reader.getOutcome();
  show.reply = readReply(outcome);
  if (outcome.isArtifact()) {
    auto outputs = outcome.getArtifact().getOutputs();
    for (unsigned i = 0; i < outputs.size(); ++i) {
      show.outputSizes.emplace_back(show.reply.outputs[i].kind, outputs[i].getSize());
    }
  }
  show.request = require(convert::read(reader.getRequest()));
  show.sourceSha256 = readDigest<Sha256>(reader.getSourceSha256(), "the source's SHA-256");
  for (auto digest : reader.getInputSha256()) {
    show.inputSha256.push_back(readDigest<Sha256>(digest, "a further input's SHA-256"));
  }
  show.requestSha256 = readDigest<Sha256>(reader.getRequestSha256(), "the request's SHA-256");
  show.toolchainIdentity = readDigest<Sha256>(reader.getToolchainIdentity(), "the toolchain's identity");
  show.requestHash = readDigest<Hash128>(reader.getRequestHash(), "the request hash");
  show.namesBind = reader.getNamesBind();
  return show;
}

}  // namespace kiln::client
