#include "rpc/session.h"

#include <kj/debug.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "jit/request_hash.h"
#include "rpc/entry_search.h"
#include "rpc/outcome_log.h"
#include "rpc/remote_files.h"
#include "rpc/reports.h"
#include "rpc/results.h"
#include "rpc/schema/convert.h"
#include "rpc/version.h"
#include "rpc/warming_session.h"

namespace kiln {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kMaxListed = 1000;
// Each path that a compile depends on is compared with each of them.
constexpr std::uint32_t kMaxIncludeDirectories = 1000;
// Each name is looked for in every log.
constexpr std::uint32_t kMaxInputs = 1000;

double millisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

std::unexpected<Failure> invalid(std::string message) {
  return std::unexpected(Failure{FailureKind::invalidRequest, std::move(message)});
}

std::expected<void, Failure> checkNames(schema::Names::Reader names) {
  const auto directories = names.getIncludeDirectories().size();
  if (directories > kMaxIncludeDirectories) {
    return invalid("the request names " + std::to_string(directories) +
                   " include directories; kilnd takes at most " + std::to_string(kMaxIncludeDirectories) +
                   ", so leave out those that hold nothing it needs");
  }
  const auto inputs = names.getInputs().size();
  if (inputs <= kMaxInputs) return {};
  return invalid("the request names " + std::to_string(inputs) + " further inputs; kilnd takes at most " +
                 std::to_string(kMaxInputs) + ", so link some of them before");
}

std::expected<void, Failure> checkSize(schema::Request::Reader request, std::uint64_t maxMegabytes) {
  std::uint64_t size = request.getSource().size();
  for (auto header : request.getHeaders()) size += header.getName().size() + header.getContent().size();
  for (auto option : request.getOptions()) size += option.size();
  for (auto expression : request.getNameExpressions()) size += expression.size();
  for (auto input : request.getInputs()) size += input.size();
  if (size <= maxMegabytes << 20) return {};
  return invalid("the source of " + quotedForLog(convert::text(request.getNames().getSource())) +
                 " and its headers in memory, with options, name expressions and further inputs, have " +
                 std::to_string(size) + " bytes; this kilnd takes at most " + std::to_string(maxMegabytes) +
                 " MiB (max_source_mb in its configuration)");
}

// The request of a call, if it may be compiled and its hash is what the client says.
template <typename Params>
convert::Read<Request> readRequest(Params params, std::uint64_t maxMegabytes) {
  if (auto checked = checkNames(params.getRequest().getNames()); !checked) {
    return std::unexpected(std::move(checked.error()));
  }
  if (auto checked = checkSize(params.getRequest(), maxMegabytes); !checked) {
    return std::unexpected(std::move(checked.error()));
  }
  auto request = convert::read(params.getRequest());
  if (!request || params.getHash().size() == 0) return request;
  auto sent = Hash128::fromBytes(convert::bytes(params.getHash()));
  if (!sent) {
    return invalid("the request hash has " + std::to_string(params.getHash().size()) +
                   " bytes; it must have " + std::to_string(Hash128::kSize) + ", or be empty");
  }
  if (auto actual = requestHash(*request); *sent != actual) {
    return invalid("the request hash sent, " + sent->hex() + ", does not match the request, whose hash is " +
                   actual.hex() + "; use the libkiln of the same version as kilnd");
  }
  return request;
}

// What a lookup is to look for, if it may be looked for.
struct Looked {
  Hash128 hash;
  std::shared_ptr<const Request> request;  // null if it did not come
};

std::expected<Looked, Failure> readLookup(schema::Session::LookupParams::Reader params,
                                          std::uint64_t maxMegabytes) {
  if (auto checked = checkNames(params.getNames()); !checked) {
    return std::unexpected(std::move(checked.error()));
  }
  if (auto hash = Hash128::fromBytes(convert::bytes(params.getHash()))) {
    if (!params.hasRequest()) return Looked{*hash, nullptr};
    auto request = readRequest(params, maxMegabytes);
    if (!request) return std::unexpected(std::move(request.error()));
    return Looked{*hash, std::make_shared<const Request>(std::move(*request))};
  }
  return invalid(
      "the request hash must have 16 bytes; use the libkiln of kilnd's version, or send none with compile");
}

Priority fromSchema(schema::Priority priority) {
  switch (priority) {
    case schema::Priority::BACKGROUND:
      return Priority::background;
    case schema::Priority::INTERACTIVE:
      return Priority::interactive;
    case schema::Priority::NORMAL:
      break;
  }
  return Priority::normal;  // also for priorities of later versions
}

template <typename T>
T orThrow(StoreResult<T>&& result) {
  if (!result)
    kj::throwFatalException(KJ_EXCEPTION(FAILED, kj::str("the store failed: ", result.error().message)));
  return std::move(*result);
}

class SessionImpl final : public schema::Session::Server {
 public:
  SessionImpl(SessionContext& context, Peer peer)
      : context_(context),
        peer_(std::move(peer)),
        delivery_(peer_.takesDescriptors ? Delivery::byDescriptor : Delivery::inlineOnly) {}

 protected:
  kj::Promise<void> lookup(LookupContext context) override {
    context.allowCancellation();
    auto params = context.getParams();
    auto looked = readLookup(params, context_.maxSourceMegabytes);
    auto source = std::string(convert::text(params.getNames().getSource()));
    if (!looked) {
      convert::write(context.getResults().initResult().initFailure(), looked.error());
      return kj::READY_NOW;
    }
    auto answer = context_.service.lookup(asker(params, convert::read(params.getNames())), looked->hash,
                                          std::move(looked->request));
    return context_.calls.wrap(answer.then(
        [this, context, source = std::move(source), start = Clock::now()](LookupResult&& result) mutable {
          answerLookup(context, std::move(result), std::move(source), start);
        }));
  }

  kj::Promise<void> compile(CompileContext context) override {
    context.allowCancellation();
    auto start = Clock::now();
    auto params = context.getParams();
    auto request = readRequest(params, context_.maxSourceMegabytes);
    if (!request) {
      logRefusal(context_.log, convert::text(params.getRequest().getNames().getSource()), peer_,
                 request.error());
      writeRefusal(context.getResults().initOutcome(), request.error());
      return kj::READY_NOW;
    }
    Subject subject{request->names.source, shortName(request->target)};
    auto priority = fromSchema(params.getPriority());
    std::chrono::milliseconds timeout(params.getTimeoutMs());
    auto who = asker(params, request->names);
    context.releaseParams();
    auto compiled = context_.service.compile(kj::mv(who), std::move(*request), priority, timeout);
    return context_.calls.wrap(
        compiled.then([this, context, subject = std::move(subject), start](Outcome&& outcome) mutable {
          context_.afterReplies.run();  // the log has its lines in the order of the replies
          logOutcome(context_.log, subject, peer_, outcome, millisecondsSince(start));
          writeOutcome(context.getResults().initOutcome(), outcome, delivery_, context_.sealed);
        }));
  }

  kj::Promise<void> toolchains(ToolchainsContext context) override {
    context.allowCancellation();
    const bool rescan = context.getParams().getRescan();
    if (rescan)
      context_.log.info("client " + std::to_string(peer_.number) + " asks for a scan for toolchains");
    auto scanned = rescan ? context_.toolchains.rescan() : context_.toolchains.refresh();
    return context_.calls.wrap(scanned.then([this, context]() mutable {
      const auto all =
          withBundled(context_.toolchains.list(), context_.service.bundledToolchains(peer_.domain));
      writeToolchains(context.getResults().initToolchains(all.size()), all);
    }));
  }

  kj::Promise<void> list(ListContext context) override {
    context.allowCancellation();
    auto params = context.getParams();
    std::optional<EntryKey> after;
    if (params.getAfter().size() != 0) {
      after = EntryKey::fromBytes(convert::bytes(params.getAfter()));
      KJ_REQUIRE(after.has_value(), "`after` must be empty or a key of 16 bytes");
    }
    auto limit = std::min(params.getLimit(), kMaxListed);
    auto listed = context_.executor.run([&store = context_.store, domain = peer_.domain, after, limit] {
      return store.list(domain, after, limit);
    });
    return context_.calls.wrap(
        listed.then([context](StoreResult<std::vector<EntrySummary>>&& result) mutable {
          auto summaries = orThrow(std::move(result));
          auto entries = context.getResults().initEntries(summaries.size());
          for (unsigned i = 0; i < summaries.size(); ++i) writeSummary(entries[i], summaries[i]);
        }));
  }

  kj::Promise<void> show(ShowContext context) override {
    context.allowCancellation();
    std::string prefix(convert::text(context.getParams().getKey()));
    auto searched =
        context_.executor.run([&store = context_.store, domain = peer_.domain, prefix = std::move(prefix)] {
          return findByPrefix(store, domain, asBytes(prefix));
        });
    return context_.calls.wrap(
        searched.then([context](StoreResult<std::optional<FoundEntry>>&& result) mutable {
          auto found = orThrow(std::move(result));
          context.getResults().setFound(found.has_value());
          if (found) writeEntry(context.getResults().initEntry(), *found);
        }));
  }

  kj::Promise<void> stats(StatsContext context) override {
    context.allowCancellation();
    auto counted = context_.executor.run([&store = context_.store] { return store.statistics(); });
    return context_.calls.wrap(counted.then([this, context](StoreResult<StoreStatistics>&& result) mutable {
      auto statistics = orThrow(std::move(result));
      writeStats(context.getResults().initStats(), context_.service.statistics(peer_.domain), statistics);
    }));
  }

  kj::Promise<void> status(StatusContext context) override {
    auto status = context.getResults().initStatus();
    status.setVersion(kVersion);
    status.setProcessId(static_cast<std::uint32_t>(getpid()));
    status.setUptimeMs(static_cast<std::uint64_t>(millisecondsSince(context_.started)));
    status.setDomain(convert::toText(peer_.domain));
    status.setStore(convert::toText(context_.storePath));
    status.setClients(context_.clients);
    status.setRunning(context_.service.running());
    status.setQueued(context_.service.queued());
    status.setJobs(context_.jobs);
    auto processes = context_.processes();
    writeProcesses(status.initCompilers(processes.size()), processes);
    status.setStopping(context_.stopping);
    status.setLane(static_cast<std::uint16_t>(peer_.lane));
    return kj::READY_NOW;
  }

  kj::Promise<void> reportRefused(ReportRefusedContext context) override {
    context.allowCancellation();
    auto params = context.getParams();
    auto key = EntryKey::fromBytes(convert::bytes(params.getKey()));
    auto sha256 = Sha256::fromBytes(convert::bytes(params.getSha256()));
    KJ_REQUIRE(key.has_value() && sha256.has_value(), "`key` must have 16 bytes and `sha256` 32");
    constexpr std::size_t kMostShown = 500;
    auto said = std::string(convert::text(params.getMessage()).substr(0, kMostShown));
    auto refused = context_.service.refuse(peer_.domain, *key, *sha256);
    return context_.calls.wrap(refused.then(
        [this, context, key = *key, said = std::move(said)](CompileService::Refusal&& refusal) mutable {
          logRefusedBinary(context_.log, key, said, peer_, refusal);
          context.getResults().setCompileAgain(refusal.compileAgain);
        }));
  }

  kj::Promise<void> stop(StopContext) override {
    if (!isAdministrator()) {
      kj::throwFatalException(KJ_EXCEPTION(FAILED, kj::str(notForYou("stop it").c_str())));
    }
    context_.log.info("client " + std::to_string(peer_.number) + " asks to stop");
    context_.stop();
    return kj::READY_NOW;
  }

  kj::Promise<void> warm(WarmContext context) override {
    if (!isAdministrator()) {
      context.getResults().setProblem(convert::toText(notForYou("bring bundles to it")));
      return kj::READY_NOW;
    }
    return beginWarming(context_, peer_, context);
  }

  kj::Promise<void> bundles(BundlesContext context) override {
    context.allowCancellation();
    auto listed = context_.executor.run(
        [&store = context_.store, domain = peer_.domain] { return store.bundles(domain); });
    return context_.calls.wrap(
        listed.then([context](StoreResult<std::vector<BundleRecord>>&& result) mutable {
          auto records = orThrow(std::move(result));
          auto bundles = context.getResults().initBundles(records.size());
          for (unsigned i = 0; i < records.size(); ++i) writeBundle(bundles[i], records[i]);
        }));
  }

  kj::Promise<void> removeBundle(RemoveBundleContext context) override {
    if (!isAdministrator()) {
      context.getResults().setProblem(convert::toText(notForYou("remove its bundles")));
      return kj::READY_NOW;
    }
    auto digest = Sha256::fromBytes(convert::bytes(context.getParams().getDigest()));
    KJ_REQUIRE(digest.has_value(), "`digest` must have 32 bytes");
    return kiln::removeBundle(context_, peer_, *digest, context);
  }

  kj::Promise<void> lanes(LanesContext context) override {
    auto lanes = context.getResults().initLanes(context_.lanes.size());
    for (unsigned i = 0; i < lanes.size(); ++i) {
      lanes[i].setSocket(convert::toText(context_.lanes[i].socket));
      lanes[i].setDomain(convert::toText(context_.lanes[i].domain));
      lanes[i].setLane(static_cast<std::uint16_t>(context_.lanes[i].lane));
    }
    return kj::READY_NOW;
  }

 private:
  // Who may change what others are served: the daemon's own user, and root.
  [[nodiscard]] bool isAdministrator() const { return peer_.user == geteuid() || peer_.user == 0; }
  [[nodiscard]] std::string notForYou(const std::string& what) const {
    return "only root and the user that kilnd runs as (" + std::to_string(geteuid()) + ") may " + what +
           "; you are user " + std::to_string(peer_.user);
  }

  template <typename Params>
  Asker asker(Params params, Names names) {
    return {peer_.domain,
            std::move(names),
            std::string(convert::text(params.getToolchain())),
            makeRemoteFiles(params.getFiles(), {context_.timer, context_.fileTimeout}),
            peer_.user,
            peer_.lane};
  }

  void answerLookup(LookupContext& context, LookupResult&& result, std::string source,
                    Clock::time_point start) {
    auto builder = context.getResults().initResult();
    const bool isUse = !context.getParams().hasRequest();
    if (auto* hit = std::get_if<Outcome>(&result)) {
      auto knownKey = convert::bytes(context.getParams().getKnownKey());
      writeOutcome(builder.initHit(), *hit, delivery_, context_.sealed, knownKey);
      if (!isUse) return;
      context_.afterReplies.add(
          [&log = context_.log, peer = peer_, source = std::move(source), hit = std::move(*hit),
           elapsed = millisecondsSince(start)] { logOutcome(log, {source, ""}, peer, hit, elapsed); });
    } else if (const auto* miss = std::get_if<Miss>(&result)) {
      builder.setMiss(convert::toText(miss->reason));
    } else {
      const auto& failure = std::get<Failure>(result);
      if (isUse) logRefusal(context_.log, source, peer_, failure);
      convert::write(builder.initFailure(), failure);
    }
  }

  SessionContext& context_;
  const Peer peer_;
  const Delivery delivery_;
};

}  // namespace

schema::Session::Client makeSession(SessionContext& context, Peer peer) {
  return kj::heap<SessionImpl>(context, std::move(peer));
}

}  // namespace kiln
