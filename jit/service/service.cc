#include "jit/service/service.h"

#include <algorithm>
#include <set>
#include <utility>

#include "jit/names_binding.h"
#include "jit/recency_map.h"
#include "jit/request_hash.h"
#include "jit/service/file_check.h"
#include "jit/service/flight.h"
#include "jit/service/joined_stages.h"
#include "jit/service/lookup.h"
#include "jit/service/queue.h"
#include "jit/service/recent_hits.h"
#include "jit/service/stand_in_files.h"
#include "jit/service/toolchain_choice.h"

namespace kiln {
namespace {

// How often one call starts over because its toolchain changed.
constexpr unsigned kMostReplacements = 5;

}  // namespace

class CompileService::Impl final : private FlightObserver {
 public:
  Impl(Store& store, Compilers& compilers, Executor& executor, Toolchains& toolchains, kj::Timer& timer,
       ServiceLimits limits, ServiceHooks hooks)
      : store_(store),
        compilers_(compilers),
        executor_(executor),
        toolchains_(toolchains),
        timer_(timer),
        limits_(limits),
        hooks_(std::move(hooks)),
        queue_(limits.jobs, limits.queue) {}

  kj::Promise<LookupResult> lookup(Asker asker, Hash128 hash);
  kj::Promise<Outcome> compile(Asker asker, Request request, Priority priority,
                               std::chrono::milliseconds timeout);
  kj::Promise<Refusal> refuse(std::string domain, EntryKey key, Sha256 sha256);
  kj::Promise<void> drain();

  [[nodiscard]] const JobQueue& queue() const { return queue_; }
  [[nodiscard]] ServiceStatistics statistics(std::string_view domain) const {
    auto found = statistics_.find(domain);
    return found == statistics_.end() ? ServiceStatistics{} : found->second;
  }

 private:
  // One call of compile() under way.
  struct Call {
    Call(Impl& service, Asker who, std::shared_ptr<const Request> wanted, const Hash128& hash,
         Priority ownPriority, std::chrono::milliseconds limit);
    ~Call() noexcept;
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

    Impl& impl;
    Asker asker;
    std::shared_ptr<const Request> request;      // with the names that it is compiled under
    std::shared_ptr<const Toolchain> toolchain;  // chosen anew whenever the call starts over
    FlightKey key;
    Priority priority;
    std::chrono::milliseconds timeout;
    JobQueue::Admission admission = JobQueue::Admission::ifRoom;
    std::string missReason = kNotLookedUp;
    unsigned replacements = 0;  // of the toolchain, while it was to compile this
    bool hasStartedOver = false;
    bool landedMeanwhile = false;  // whether a flight of `key` ended since the lookup began
  };

  // A call of compile(), in stages or not: drain() waits for it.
  class Presence {
   public:
    explicit Presence(Impl& service) : service_(service) { ++service_.present_; }
    ~Presence() noexcept { service_.leave(); }
    Presence(const Presence&) = delete;
    Presence& operator=(const Presence&) = delete;

   private:
    Impl& service_;
  };

  // A call of compile() that is carried out in stages.
  struct StagedCall {
    Asker asker;
    Stages stages;
    Priority priority;
    std::chrono::milliseconds timeout;
    Outcome generated = {};
  };

  void leave();
  kj::Promise<Outcome> compileStage(Asker asker, Request request, Priority priority,
                                    std::chrono::milliseconds timeout,
                                    JobQueue::Admission admission = JobQueue::Admission::ifRoom);
  kj::Promise<Outcome> compileStages(StagedCall wanted);
  kj::Promise<Outcome> compileLast(StagedCall& call);

  kj::Promise<Outcome> start(Call& call);
  kj::Promise<Outcome> attempt(Call& call);
  kj::Promise<Outcome> fly(Call& call);
  kj::Maybe<kj::Own<Flight>> flightFor(Call& call);
  kj::Promise<Outcome> receive(Call& call, Landing landing);
  kj::Promise<Outcome> startOver(Call& call);

  Outcome hit(const std::string& domain, std::shared_ptr<const Entry> entry, Names names);
  Outcome joined(Call& call, Landing landing);
  Outcome refused(std::string domain, Failure failure, std::string missReason);

  void compileStarted(const Flight& flight) override { ++statistics_[flight.key().domain].compiles; }
  void compileEnded(const Flight& flight, const Compiled& compiled) override;
  void storeFailed(const StoreError& error) override { hooks_.onStoreError(error); }
  void closed(const Flight& flight) override;

  Store& store_;
  Compilers& compilers_;
  Executor& executor_;
  Toolchains& toolchains_;
  kj::Timer& timer_;
  const ServiceLimits limits_;
  const ServiceHooks hooks_;
  JobQueue queue_;
  RecentHits recentHits_;
  std::map<std::string, RecencyMap<std::string, Sha256>> refused_;  // what was set aside, by domain and key
  std::map<FlightKey, Flight*> flights_;  // those that can be joined; kept alive by their waiters
  std::set<Call*> calls_;
  std::map<std::string, ServiceStatistics, std::less<>> statistics_;
  bool draining_ = false;
  unsigned present_ = 0;
  std::vector<kj::Own<kj::PromiseFulfiller<void>>> drained_;
};

CompileService::Impl::Call::Call(Impl& service, Asker who, std::shared_ptr<const Request> wanted,
                                 const Hash128& hash, Priority ownPriority, std::chrono::milliseconds limit)
    : impl(service),
      asker(std::move(who)),
      request(std::move(wanted)),
      key{asker.domain, hash, {}},
      priority(ownPriority),
      timeout(limit) {
  impl.calls_.insert(this);
}

CompileService::Impl::Call::~Call() noexcept { impl.calls_.erase(this); }

void CompileService::Impl::leave() {
  if (--present_ > 0) return;
  for (auto& fulfiller : drained_) fulfiller->fulfill();
  drained_.clear();
}

kj::Promise<LookupResult> CompileService::Impl::lookup(Asker asker, Hash128 hash) {
  return toolchainsForAnyLanguage(toolchains_, asker.toolchain)
      .then([this, asker = std::move(asker),
             hash](ToolchainChoice<ToolchainList>&& chosen) mutable -> kj::Promise<LookupResult> {
        if (!chosen) return LookupResult(std::move(chosen.error()));
        LookupQuestion question{asker.domain,        hash,    std::move(*chosen), asker.names,
                                kj::mv(asker.files), nullptr, asker.user};
        return lookUp(store_, executor_, hooks_.onStoreError, recentHits_, std::move(question))
            .then([this, domain = std::move(asker.domain),
                   names = std::move(asker.names)](LookupAnswer&& answer) mutable -> LookupResult {
              if (answer.entry == nullptr) return Miss{std::move(answer.missReason)};
              return hit(domain, std::move(answer.entry), std::move(names));
            });
      });
}

kj::Promise<Outcome> CompileService::Impl::compile(Asker asker, Request request, Priority priority,
                                                   std::chrono::milliseconds timeout) {
  if (draining_) {
    return refused(std::move(asker.domain),
                   {FailureKind::overloaded, "kilnd is stopping and takes no new compiles; ask again later"},
                   kNotLookedUp);
  }
  if (auto checked = hooks_.check(request); !checked) {
    return refused(std::move(asker.domain), std::move(checked.error()), kNotLookedUp);
  }
  auto presence = kj::heap<Presence>(*this);
  auto stages = hooks_.stages(request);
  auto outcome = stages ? compileStages({std::move(asker), std::move(*stages), priority, timeout})
                        : compileStage(std::move(asker), std::move(request), priority, timeout);
  return outcome.attach(kj::mv(presence)).eagerlyEvaluate(nullptr);
}

// Both compilers are known before the first begins: nothing is generated that none could link.
kj::Promise<Outcome> CompileService::Impl::compileStages(StagedCall wanted) {
  auto owned = kj::heap<StagedCall>(std::move(wanted));
  auto& call = *owned;
  return toolchainsForStages(toolchains_, call.asker.toolchain, call.stages)
      .then([this, &call](ToolchainChoice<StageToolchains>&& chosen) -> kj::Promise<Outcome> {
        auto& asker = call.asker;
        if (!chosen) return refused(asker.domain, std::move(chosen.error()), kNotLookedUp);
        Asker own{asker.domain, asker.names, asker.toolchain, asker.files->addRef(), asker.user};
        return compileStage(std::move(own), std::move(call.stages.first), call.priority, call.timeout)
            .then([this, &call](Outcome&& generated) -> kj::Promise<Outcome> {
              if (!std::holds_alternative<Artifact>(generated.entry->result)) return std::move(generated);
              call.generated = std::move(generated);
              return compileLast(call);
            });
      })
      .attach(kj::mv(owned));
}

kj::Promise<Outcome> CompileService::Impl::compileLast(StagedCall& call) {
  auto& last = call.stages.last;
  const auto& generated = *call.generated.entry;
  // It may be another than was chosen before: toolchains come and go while it compiles.
  const auto& known = toolchains_.list();
  const auto madeBy = std::find_if(known.begin(), known.end(), [&](const auto& one) {
    return one->identity == generated.toolchainIdentity;
  });
  if (madeBy == known.end()) {
    return refused(
        call.asker.domain,
        {FailureKind::toolchainUnavailable,
         "toolchain \"" + generated.toolchainName + "\" was replaced while it compiled this; ask again"},
        kNotLookedUp);
  }
  auto linker = lastToolchain(known, **madeBy, call.stages);
  if (!linker) return refused(call.asker.domain, std::move(linker.error()), kNotLookedUp);
  last.source = std::get<Artifact>(generated.result).outputs.front().bytes;
  call.asker.names = last.names;
  call.asker.toolchain = (*linker)->name;
  // Who has waited for the first stage is not turned away from the last.
  const bool hasWaited = call.generated.how != Outcome::How::hit;
  return compileStage(std::move(call.asker), std::move(last), call.priority, call.timeout,
                      hasWaited ? JobQueue::Admission::always : JobQueue::Admission::ifRoom)
      .then([&call](Outcome&& linked) { return joinedStages(call.generated, linked); });
}

kj::Promise<Outcome> CompileService::Impl::compileStage(Asker asker, Request request, Priority priority,
                                                        std::chrono::milliseconds timeout,
                                                        JobQueue::Admission admission) {
  const auto hash = requestHash(request);
  request.names = compiledNames(asker.names, hash);
  const bool isOwnLimit = timeout.count() > 0 && timeout < limits_.timeout;
  auto call = kj::heap<Call>(*this, std::move(asker), std::make_shared<const Request>(std::move(request)),
                             hash, priority, isOwnLimit ? timeout : limits_.timeout);
  call->admission = admission;
  auto outcome = start(*call);
  return outcome.attach(kj::mv(call));
}

kj::Promise<Outcome> CompileService::Impl::start(Call& call) {
  return toolchainFor(toolchains_, call.request->language, call.asker.toolchain)
      .then(
          [this, &call](ToolchainChoice<std::shared_ptr<const Toolchain>>&& chosen) -> kj::Promise<Outcome> {
            if (!chosen) return refused(call.key.domain, std::move(chosen.error()), call.missReason);
            const auto& toolchain = **chosen;
            if (auto fits = checkTarget(call.request->target, toolchain.targets, toolchain.name); !fits) {
              return refused(call.key.domain, std::move(fits.error()), call.missReason);
            }
            call.toolchain = std::move(*chosen);
            call.key.toolchainIdentity = call.toolchain->identity;
            return attempt(call);
          });
}

kj::Promise<Outcome> CompileService::Impl::attempt(Call& call) {
  call.landedMeanwhile = false;
  LookupQuestion question{call.key.domain,  call.key.requestHash,       {call.toolchain},
                          call.asker.names, call.asker.files->addRef(), call.request,
                          call.asker.user};
  return lookUp(store_, executor_, hooks_.onStoreError, recentHits_, std::move(question))
      .then([this, &call](LookupAnswer&& answer) -> kj::Promise<Outcome> {
        if (answer.entry != nullptr) return hit(call.key.domain, std::move(answer.entry), call.asker.names);
        call.missReason = std::move(answer.missReason);
        return fly(call);
      });
}

// Joins the flight there is, or starts one.
kj::Promise<Outcome> CompileService::Impl::fly(Call& call) {
  // What landed since the lookup read the manifests may be the entry it did not find there.
  if (call.landedMeanwhile && !flights_.contains(call.key)) return attempt(call);
  KJ_IF_MAYBE (flight, flightFor(call)) {
    const StandInPaths paths(call.asker.names, call.request->names);
    Waiter waiter{call.request->names, underStandIn(call.asker.files->addRef(), paths), call.priority,
                  call.timeout, call.hasStartedOver};
    return (*flight)->join(std::move(waiter)).then([this, &call](Landing&& landing) {
      return receive(call, std::move(landing));
    });
  }
  return refused(call.key.domain,
                 {FailureKind::overloaded, "the queue is full: " + std::to_string(queue_.running()) +
                                               " compiles run and " + std::to_string(queue_.waiting()) +
                                               " wait; ask again later"},
                 std::move(call.missReason));
}

kj::Maybe<kj::Own<Flight>> CompileService::Impl::flightFor(Call& call) {
  if (auto found = flights_.find(call.key); found != flights_.end()) return kj::addRef(*found->second);
  KJ_IF_MAYBE (place, queue_.enter(call.priority, call.admission)) {
    auto flight = kj::refcounted<Flight>(call.key, call.toolchain, call.request, kj::mv(*place), compilers_,
                                         executor_, store_, timer_, static_cast<FlightObserver&>(*this));
    flights_.emplace(call.key, flight.get());
    ++statistics_[call.key.domain].misses;
    return kj::mv(flight);
  }
  return nullptr;
}

// Checks what was made from another's files against the caller's own.
kj::Promise<Outcome> CompileService::Impl::receive(Call& call, Landing landing) {
  if (landing.kind == Landing::Kind::startOver) return startOver(call);
  if (landing.kind == Landing::Kind::outdated) {
    if (++call.replacements < kMostReplacements) return startOver(call);
    return refused(call.key.domain,
                   {FailureKind::toolchainUnavailable,
                    "toolchain \"" + call.toolchain->name + "\" (" + call.toolchain->library +
                        ") was replaced again and again while it was to compile this; ask again when its "
                        "installation is complete"},
                   std::move(call.missReason));
  }
  if (landing.kind == Landing::Kind::own) {
    return Outcome{Outcome::How::miss, std::move(landing.entry), call.asker.names, std::move(call.missReason),
                   std::move(landing.notRemembered)};
  }
  const auto& entry = *landing.entry;
  if (entry.namesBind && namesDigest(entry.names) != namesDigest(call.request->names)) return startOver(call);
  return checkFiles({entry.dependencies}, call.asker.names, *call.asker.files)
      .then([this, &call,
             landing = std::move(landing)](std::vector<FileCheck>&& checks) mutable -> kj::Promise<Outcome> {
        if (!checks.front().disagreements.empty()) return startOver(call);
        return joined(call, std::move(landing));
      });
}

kj::Promise<Outcome> CompileService::Impl::startOver(Call& call) {
  call.admission = JobQueue::Admission::always;
  call.hasStartedOver = true;
  return start(call);
}

Outcome CompileService::Impl::hit(const std::string& domain, std::shared_ptr<const Entry> entry,
                                  Names names) {
  auto& counts = statistics_[domain];
  ++counts.hits;
  counts.savedMilliseconds += entry->compileMilliseconds;
  return {Outcome::How::hit, std::move(entry), std::move(names), {}, {}};
}

Outcome CompileService::Impl::joined(Call& call, Landing landing) {
  auto& counts = statistics_[call.key.domain];
  ++counts.joined;
  counts.savedMilliseconds += landing.entry->compileMilliseconds;
  return {Outcome::How::joined, std::move(landing.entry), call.asker.names, std::move(call.missReason),
          std::move(landing.notRemembered)};
}

Outcome CompileService::Impl::refused(std::string domain, Failure failure, std::string missReason) {
  ++statistics_[domain].failures[failure.kind];
  Entry entry;
  entry.domain = std::move(domain);
  entry.result = std::move(failure);
  return {Outcome::How::miss,
          std::make_shared<const Entry>(std::move(entry)),
          {},
          std::move(missReason),
          kNothingCompiled};
}

void CompileService::Impl::compileEnded(const Flight& flight, const Compiled& compiled) {
  auto& counts = statistics_[flight.key().domain];
  counts.compileMilliseconds += compiled.compileMilliseconds;
  if (const auto* failure = std::get_if<Failure>(&compiled.result)) ++counts.failures[failure->kind];
}

void CompileService::Impl::closed(const Flight& flight) {
  flights_.erase(flight.key());
  recentHits_.forget(flight.key().domain, flight.key().requestHash);
  for (auto* call : calls_) {
    if (call->key == flight.key()) call->landedMeanwhile = true;
  }
}

kj::Promise<CompileService::Refusal> CompileService::Impl::refuse(std::string domain, EntryKey key,
                                                                  Sha256 sha256) {
  constexpr std::size_t kMostRefused = 4096;  // of a domain
  const std::string name(asText(key.view()));
  const auto* before = refused_[domain].find(name);
  const bool isKnown = before != nullptr && *before == sha256;
  // What the store does with it: the request of the entry that was removed, if one was.
  struct Removed {
    Refusal refusal;
    std::optional<Hash128> requestHash;
  };
  return executor_
      .run([&store = store_, domain, key, sha256, isKnown]() -> StoreResult<Removed> {
        auto found = store.find(domain, key);
        if (!found) return std::unexpected(std::move(found.error()));
        if (!*found) return Removed{{false, true}, {}};
        const auto* artifact = std::get_if<Artifact>(&(*found)->result);
        const bool isThis =
            artifact != nullptr && std::ranges::any_of(artifact->outputs, [&](const Output& output) {
              return output.sha256 == sha256;
            });
        if (!isThis) return Removed{{false, true}, {}};
        if (isKnown) return Removed{{false, false}, {}};
        if (auto removed = store.remove(domain, key); !removed) return std::unexpected(removed.error());
        return Removed{{true, true}, (*found)->requestHash};
      })
      .then([this, domain = std::move(domain), name, sha256](StoreResult<Removed>&& removed) -> Refusal {
        if (!removed) {
          hooks_.onStoreError(removed.error());
          return {};
        }
        if (!removed->requestHash) return removed->refusal;
        recentHits_.forget(domain, *removed->requestHash);
        auto& ofDomain = refused_[domain];
        if (auto* known = ofDomain.find(name)) {
          *known = sha256;
        } else {
          if (ofDomain.size() == kMostRefused) ofDomain.popOldest();
          ofDomain.insert(name, sha256);
        }
        return removed->refusal;
      });
}

kj::Promise<void> CompileService::Impl::drain() {
  draining_ = true;
  if (present_ == 0) return kj::READY_NOW;
  auto drained = kj::newPromiseAndFulfiller<void>();
  drained_.push_back(kj::mv(drained.fulfiller));
  return kj::mv(drained.promise);
}

CompileService::CompileService(Store& store, Compilers& compilers, Executor& executor, Toolchains& toolchains,
                               kj::Timer& timer, ServiceLimits limits, ServiceHooks hooks)
    : impl_(kj::heap<Impl>(store, compilers, executor, toolchains, timer, limits, std::move(hooks))) {}

CompileService::~CompileService() = default;

kj::Promise<LookupResult> CompileService::lookup(Asker asker, Hash128 requestHash) {
  return impl_->lookup(std::move(asker), requestHash);
}

kj::Promise<Outcome> CompileService::compile(Asker asker, Request request, Priority priority,
                                             std::chrono::milliseconds timeout) {
  return impl_->compile(std::move(asker), std::move(request), priority, timeout);
}

kj::Promise<CompileService::Refusal> CompileService::refuse(std::string domain, EntryKey key, Sha256 sha256) {
  return impl_->refuse(std::move(domain), key, sha256);
}

ServiceStatistics CompileService::statistics(std::string_view domain) const {
  return impl_->statistics(domain);
}

unsigned CompileService::running() const { return impl_->queue().running(); }

unsigned CompileService::queued() const { return impl_->queue().waiting(); }

kj::Promise<void> CompileService::drain() { return impl_->drain(); }

}  // namespace kiln
