#include "rpc/warming_session.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "rpc/reports.h"
#include "rpc/schema/convert.h"
#include "rpc/warming.h"

namespace kiln {
namespace {

// The exception of a call that has done its work and cannot say so.
[[noreturn]] void fail(const char* what, const StoreError& error, const char* advice) {
  kj::throwFatalException(KJ_EXCEPTION(FAILED, kj::str(what, ": ", error.message, "; ", advice)));
}

// What came of beginning: it goes on, or there is nothing to do.
struct Begun {
  std::shared_ptr<Warming> warming;
  std::optional<BundleRecord> there;
};

// Blocks.
Warmed<Begun> begin(Store& store, const OfferedBundle& offered) {
  auto described = describe(offered);
  if (!described) return std::unexpected(std::move(described.error()));
  const auto& record = described->record;
  auto known = store.bundles(record.domain);
  if (!known) return std::unexpected(WarmingProblem{"the store failed: " + known.error().message});
  const auto same = std::ranges::find(*known, record.digest, &BundleRecord::digest);
  if (same != known->end()) {
    auto whole = store.isWhole(record.domain, record.digest);
    if (!whole) return std::unexpected(WarmingProblem{"the store failed: " + whole.error().message});
    if (*whole) return Begun{nullptr, std::move(*same)};
  }
  auto warming = Warming::begin(store, std::move(*described));
  if (!warming) return std::unexpected(std::move(warming.error()));
  return Begun{std::move(*warming), {}};
}

class WarmingImpl final : public schema::Warming::Server {
 public:
  WarmingImpl(SessionContext& context, Peer peer, std::shared_ptr<Warming> warming)
      : context_(context), peer_(std::move(peer)), warming_(std::move(warming)) {}

 protected:
  kj::Promise<void> add(AddContext call) override {
    std::vector<std::string_view> layers;
    for (auto layer : call.getParams().getLayers()) layers.push_back(convert::text(layer));
    // They lie in the call, which outlives the job: it cannot be cancelled, and releases nothing before.
    auto added = context_.executor.run(
        [warming = warming_, layers = std::move(layers)] { return warming->add(layers); });
    return context_.calls.wrap(added.then([call](Warmed<void>&& result) mutable {
      if (!result) call.getResults().setProblem(convert::toText(result.error().message));
    }));
  }

  kj::Promise<void> commit(CommitContext call) override {
    auto committed = context_.executor.run([warming = warming_] { return warming->commit(); });
    return context_.calls.wrap(
        committed.then([this, call](Warmed<BundleRecord>&& result) mutable -> kj::Promise<void> {
          if (!result) {
            call.getResults().setProblem(convert::toText(result.error().message));
            return kj::READY_NOW;
          }
          // Beside the answer, which does not wait for it.
          (void)context_.executor.run([warming = warming_] { warming->letGo(); });
          return tellOf(std::move(*result), call);
        }));
  }

 private:
  // Once the service knows of it, it is served.
  kj::Promise<void> tellOf(BundleRecord record, CommitContext call) {
    return context_.service.bundlesChanged(record.domain)
        .then([this, record = std::move(record),
               call](StoreResult<std::vector<BundleRecord>>&& bundles) mutable {
          if (!bundles)
            fail("the bundle is in the store, which then failed", bundles.error(), "warm it once more");
          const auto kept = std::ranges::find(*bundles, record.digest, &BundleRecord::digest);
          const auto& bundle = kept == bundles->end() ? record : *kept;
          context_.log.info("client " + std::to_string(peer_.number) + " of user " +
                            std::to_string(peer_.user) + " has brought bundle " + quotedForLog(bundle.name) +
                            " (" + bundle.digest.hex() + ") with " + std::to_string(bundle.entries) +
                            " entries to domain " + bundle.domain);
          writeBundle(call.getResults().initBundle(), bundle);
        });
  }

  SessionContext& context_;
  const Peer peer_;
  std::shared_ptr<Warming> warming_;
};

// Whoever brought it may be about to tell the service, or have failed to.
kj::Promise<void> tellOfThere(SessionContext& context, const BundleRecord& record, WarmContext call) {
  return context.service.bundlesChanged(record.domain)
      .then([record, call](StoreResult<std::vector<BundleRecord>>&& bundles) mutable {
        if (!bundles)
          return call.getResults().setProblem(
              convert::toText("the store failed: " + bundles.error().message));
        call.getResults().setIsThere(true);
        writeBundle(call.getResults().initBundle(), record);
      });
}

}  // namespace

kj::Promise<void> beginWarming(SessionContext& context, const Peer& peer, WarmContext call) {
  auto params = call.getParams();
  OfferedBundle offered{peer.domain, std::string(convert::text(params.getName())),
                        convert::text(params.getManifest()), convert::text(params.getIndex())};
  // Manifest and index lie in the call, which outlives the job: it cannot be cancelled, and releases nothing
  // before.
  auto begun = context.executor.run(
      [&store = context.store, offered = std::move(offered)] { return begin(store, offered); });
  return context.calls.wrap(
      begun.then([&context, peer, call](Warmed<Begun>&& result) mutable -> kj::Promise<void> {
        auto answer = call.getResults();
        if (!result) {
          answer.setProblem(convert::toText(result.error().message));
        } else if (result->there) {
          return tellOfThere(context, *result->there, call);
        } else {
          answer.setWarming(kj::heap<WarmingImpl>(context, std::move(peer), std::move(result->warming)));
        }
        return kj::READY_NOW;
      }));
}

kj::Promise<void> removeBundle(SessionContext& context, const Peer& peer, const Sha256& digest,
                               RemoveBundleContext call) {
  auto removed = context.executor.run(
      [&store = context.store, domain = peer.domain, digest] { return store.removeBundle(domain, digest); });
  return context.calls.wrap(
      removed.then([&context, peer, digest, call](StoreResult<bool>&& found) mutable -> kj::Promise<void> {
        if (!found) {
          call.getResults().setProblem(convert::toText("the store failed: " + found.error().message));
          return kj::READY_NOW;
        }
        call.getResults().setFound(*found);
        if (*found) {
          context.log.info("client " + std::to_string(peer.number) + " of user " + std::to_string(peer.user) +
                           " has removed bundle " + digest.hex() + " from domain " + peer.domain);
        }
        return context.service.bundlesChanged(peer.domain)
            .then([](StoreResult<std::vector<BundleRecord>>&& bundles) {
              if (!bundles)
                fail("the bundle is not in the store any more, which then failed", bundles.error(),
                     "restart kilnd");
            });
      }));
}

}  // namespace kiln
