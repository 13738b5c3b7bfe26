#include "jit/service/service.h"

#include <algorithm>
#include <set>
#include <utility>

#include "jit/names_binding.h"
#include "jit/recency_map.h"
#include "jit/request_hash.h"
#include "jit/service/bundled_toolchains.h"
#include "jit/service/file_check.h"
#include "jit/service/flight.h"
#include "jit/service/joined_stages.h"
#include "jit/service/lookup.h"
#include "jit/service/miss_reason.h"
#include "jit/service/queue.h"
#include "jit/service/recent_hits.h"
#include "jit/service/stand_in_files.h"
#include "jit/service/toolchain_choice.h"
#include "jit/service/unserved.h"

namespace kiln {
namespace {

// How often one call starts over because its toolchain changed.
constexpr unsigned kMostReplacements = 5;

bool isAnyOf(const ToolchainList& toolchains, Language language) {
  return std::ranges::any_of(toolchains, [&](const auto& one) { return one->language == language; });
}

Which whichOf(Lane lane) { return lane == Lane::locked ? Which::pinned : Which::all; }

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

  kj::Promise<LookupResult> lookup(Asker asker, Hash128 hash, std::shared_ptr<const Request> request);
  kj::Promise<Outcome> compile(Asker asker, Request request, Priority priority,
                               std::chrono::milliseconds timeout);
  kj::Promise<Refusal> refuse(std::string domain, EntryKey key, Sha256 sha256);
  kj::Promise<void> drain();
  void begin(const std::vector<BundleRecord>& bundles);
  kj::Promise<StoreResult<std::vector<BundleRecord>>> bundlesChanged(std::string domain);

  [[nodiscard]] const BundledToolchains& bundled() const { return bundled_; }
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
    std::optional<Failure> cannotCompile;        // why nothing but bundles can serve it
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
    std::optional<Failure> cannotCompile = {};  // why nothing but bundles can serve it
    Outcome generated = {};
  };

  void leave();
  kj::Promise<Outcome> compileStage(Asker asker, Request request, Priority priority,
                                    std::chrono::milliseconds timeout,
                                    JobQueue::Admission admission = JobQueue::Admission::ifRoom,
                                    std::optional<Failure> cannotCompile = {});
  kj::Promise<Outcome> compileStages(StagedCall wanted);
  [[nodiscard]] ToolchainChoice<std::shared_ptr<const Toolchain>> linkerFor(const StagedCall& call) const;
  kj::Promise<Outcome> compileLast(StagedCall& call);

  kj::Promise<ToolchainChoice<ToolchainList>> lookedUpBy(const Asker& asker, const Request* request);
  LookupQuestion questionOf(Call& call, ToolchainList toolchains);
  RecentHits& recentHits(Lane lane) { return lane == Lane::locked ? recentPinned_ : recentHits_; }

  kj::Promise<Outcome> start(Call& call);
  kj::Promise<Outcome> attempt(Call& call);
  kj::Promise<Outcome> serveFromBundles(Call& call);
  Failure notServed(const Call& call, const std::optional<EntryKey>& nearest) const;
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
  RecentHits recentPinned_;  // of the locked lane
  BundledToolchains bundled_;
  std::uint64_t bundleReadings_ = 0;
  std::map<std::string, std::uint64_t> lastReading_;                // that `bundled_` goes by
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

kj::Promise<LookupResult> CompileService::Impl::lookup(Asker asker, Hash128 hash,
                                                       std::shared_ptr<const Request> request) {
  auto toolchains = lookedUpBy(asker, request.get());
  return toolchains.then([this, asker = std::move(asker), hash, request = std::move(request)](
                             ToolchainChoice<ToolchainList>&& chosen) mutable -> kj::Promise<LookupResult> {
    if (!chosen) return LookupResult(std::move(chosen.error()));
    if (chosen->empty()) {
      const auto language = request ? std::optional(request->language) : std::nullopt;
      return LookupResult(Miss{whyNoneAnswers(bundled_.of(asker.domain), language, asker.toolchain)});
    }
    LookupQuestion question{asker.domain,        hash,    std::move(*chosen), asker.names,
                            kj::mv(asker.files), request, asker.user,         whichOf(asker.lane),
                            request == nullptr};
    const bool isUse = question.isUse;
    return lookUp(store_, executor_, hooks_.onStoreError, recentHits(asker.lane), std::move(question))
        .then([this, domain = std::move(asker.domain), names = std::move(asker.names),
               isUse](LookupAnswer&& answer) mutable -> LookupResult {
          if (answer.entry == nullptr) return Miss{std::move(answer.missReason)};
          if (isUse) return hit(domain, std::move(answer.entry), std::move(names));
          return Outcome{Outcome::How::hit, std::move(answer.entry), std::move(names), {}, {}};
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

// Those of the node, and of bundles for the languages that it has none for; on the locked lane, which may
// have none, of bundles alone.
// Where the request is known they are of its language.
kj::Promise<ToolchainChoice<ToolchainList>> CompileService::Impl::lookedUpBy(const Asker& asker,
                                                                             const Request* request) {
  const auto language = request != nullptr ? std::optional(request->language) : std::nullopt;
  auto ofBundles = bundled_.answering(asker.domain, language, asker.toolchain);
  if (asker.lane == Lane::locked) return ToolchainChoice<ToolchainList>(std::move(ofBundles));
  return toolchainsForAnyLanguage(toolchains_, asker.toolchain)
      .then([ofBundles = std::move(ofBundles), language](ToolchainChoice<ToolchainList>&& chosen) mutable {
        if (chosen && language && isAnyOf(*chosen, *language)) {
          std::erase_if(*chosen, [&](const auto& one) { return one->language != *language; });
        }
        if (ofBundles.empty()) return std::move(chosen);
        ToolchainList all = chosen ? std::move(*chosen) : ToolchainList();
        const auto ofNode = all.size();
        for (auto& one : ofBundles) {
          const auto end = all.begin() + static_cast<std::ptrdiff_t>(ofNode);
          const bool isCompiled = std::any_of(
              all.begin(), end, [&](const auto& known) { return known->language == one->language; });
          if (!isCompiled) all.push_back(std::move(one));
        }
        return ToolchainChoice<ToolchainList>(std::move(all));
      });
}

// Both compilers are known before the first begins: nothing is generated that none could link. Where one of
// them is not on the node, bundles may have what both have made.
kj::Promise<Outcome> CompileService::Impl::compileStages(StagedCall wanted) {
  auto owned = kj::heap<StagedCall>(std::move(wanted));
  auto& call = *owned;
  return toolchainsForStages(toolchains_, call.asker.toolchain, call.stages)
      .then([this, &call](ToolchainChoice<StageToolchains>&& chosen) -> kj::Promise<Outcome> {
        auto& asker = call.asker;
        const bool mayBeBundled = !bundled_.answering(asker.domain, call.stages.last.language, "").empty();
        if (!chosen && asker.lane == Lane::open && !mayBeBundled) {
          return refused(asker.domain, std::move(chosen.error()), kNotLookedUp);
        }
        if (!chosen) call.cannotCompile = std::move(chosen.error());
        Asker own{asker.domain, asker.names, asker.toolchain, asker.files->addRef(), asker.user, asker.lane};
        return compileStage(std::move(own), std::move(call.stages.first), call.priority, call.timeout,
                            JobQueue::Admission::ifRoom, call.cannotCompile)
            .then([this, &call](Outcome&& generated) -> kj::Promise<Outcome> {
              if (!std::holds_alternative<Artifact>(generated.entry->result)) return std::move(generated);
              call.generated = std::move(generated);
              return compileLast(call);
            });
      })
      .attach(kj::mv(owned));
}

// The linker may be another than was chosen before: toolchains come and go while the first one compiles.
ToolchainChoice<std::shared_ptr<const Toolchain>> CompileService::Impl::linkerFor(
    const StagedCall& call) const {
  const auto& generated = *call.generated.entry;
  const auto& known = toolchains_.list();
  const auto madeBy =
      std::ranges::find(known, generated.toolchainIdentity, [](const auto& one) { return one->identity; });
  if (madeBy != known.end()) return lastToolchain(known, **madeBy, call.stages);
  const bool isBundled = std::ranges::any_of(bundled_.of(call.asker.domain), [&](const auto& one) {
    return one->identity == generated.toolchainIdentity;
  });
  return std::unexpected(Failure{
      FailureKind::toolchainUnavailable,
      isBundled
          ? "no compiler on this node is known to link what \"" + generated.toolchainName +
                "\", known from bundles alone, has generated"
          : "toolchain \"" + generated.toolchainName + "\" was replaced while it compiled this; ask again"});
}

kj::Promise<Outcome> CompileService::Impl::compileLast(StagedCall& call) {
  auto& last = call.stages.last;
  auto linker = linkerFor(call);
  const bool mayBeBundled = !bundled_.answering(call.asker.domain, last.language, "").empty();
  if (!linker && call.asker.lane == Lane::open && !mayBeBundled) {
    return refused(call.asker.domain, std::move(linker.error()), kNotLookedUp);
  }
  last.source = std::get<Artifact>(call.generated.entry->result).outputs.front().bytes;
  call.asker.names = last.names;
  call.asker.toolchain = linker && call.asker.lane == Lane::open ? (*linker)->name : "";
  if (!linker && !call.cannotCompile) call.cannotCompile = std::move(linker.error());
  // Who has waited for the first stage is not turned away from the last.
  const bool hasWaited = call.generated.how != Outcome::How::hit;
  return compileStage(std::move(call.asker), std::move(last), call.priority, call.timeout,
                      hasWaited ? JobQueue::Admission::always : JobQueue::Admission::ifRoom,
                      call.cannotCompile)
      .then([&call](Outcome&& linked) { return joinedStages(call.generated, linked); });
}

kj::Promise<Outcome> CompileService::Impl::compileStage(Asker asker, Request request, Priority priority,
                                                        std::chrono::milliseconds timeout,
                                                        JobQueue::Admission admission,
                                                        std::optional<Failure> cannotCompile) {
  const auto hash = requestHash(request);
  request.names = compiledNames(asker.names, hash);
  const bool isOwnLimit = timeout.count() > 0 && timeout < limits_.timeout;
  auto call = kj::heap<Call>(*this, std::move(asker), std::make_shared<const Request>(std::move(request)),
                             hash, priority, isOwnLimit ? timeout : limits_.timeout);
  call->admission = admission;
  call->cannotCompile = std::move(cannotCompile);
  auto outcome = start(*call);
  return outcome.attach(kj::mv(call));
}

kj::Promise<Outcome> CompileService::Impl::start(Call& call) {
  if (call.asker.lane == Lane::locked || call.cannotCompile) return serveFromBundles(call);
  return toolchainFor(toolchains_, call.request->language, call.asker.toolchain)
      .then(
          [this, &call](ToolchainChoice<std::shared_ptr<const Toolchain>>&& chosen) -> kj::Promise<Outcome> {
            if (!chosen) {
              call.cannotCompile = std::move(chosen.error());
              return serveFromBundles(call);
            }
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
  return lookUp(store_, executor_, hooks_.onStoreError, recentHits_, questionOf(call, {call.toolchain}))
      .then([this, &call](LookupAnswer&& answer) -> kj::Promise<Outcome> {
        if (answer.entry != nullptr) return hit(call.key.domain, std::move(answer.entry), call.asker.names);
        call.missReason = std::move(answer.missReason);
        return fly(call);
      });
}

LookupQuestion CompileService::Impl::questionOf(Call& call, ToolchainList toolchains) {
  return {call.key.domain,  call.key.requestHash,       std::move(toolchains),
          call.asker.names, call.asker.files->addRef(), call.request,
          call.asker.user,  whichOf(call.asker.lane)};
}

// What bundles have brought, or a failure: nothing compiles.
kj::Promise<Outcome> CompileService::Impl::serveFromBundles(Call& call) {
  auto toolchains = bundled_.answering(call.key.domain, call.request->language, call.asker.toolchain);
  if (toolchains.empty()) return refused(call.key.domain, notServed(call, {}), call.missReason);
  auto& recent = recentHits(call.asker.lane);
  return lookUp(store_, executor_, hooks_.onStoreError, recent, questionOf(call, std::move(toolchains)))
      .then([this, &call](LookupAnswer&& answer) -> Outcome {
        if (answer.entry != nullptr) return hit(call.key.domain, std::move(answer.entry), call.asker.names);
        call.missReason = std::move(answer.missReason);
        return refused(call.key.domain, notServed(call, answer.nearest), call.missReason);
      });
}

// Why a call that nothing compiles for is not served by what bundles have brought, either.
Failure CompileService::Impl::notServed(const Call& call, const std::optional<EntryKey>& nearest) const {
  const auto& known = bundled_.of(call.key.domain);
  const bool isLocked = call.asker.lane == Lane::locked;
  if (!isLocked && known.empty()) return *call.cannotCompile;
  const auto why = call.missReason == kNotLookedUp
                       ? whyNoneAnswers(known, call.request->language, call.asker.toolchain)
                       : call.missReason;
  return isLocked ? notPinned(*call.request, call.asker.names.source, call.key.domain, why, nearest)
                  : notBrought(*call.cannotCompile, why, nearest);
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
        auto found = store.find(domain, key, Which::all);
        if (!found) return std::unexpected(std::move(found.error()));
        if (!*found) return Removed{{false, true}, {}};
        const auto* artifact = std::get_if<Artifact>(&(*found)->result);
        const bool isThis =
            artifact != nullptr && std::ranges::any_of(artifact->outputs, [&](const Output& output) {
              return output.sha256 == sha256;
            });
        if (!isThis) return Removed{{false, true}, {}};
        if (isKnown) return Removed{{false, false}, {}};
        auto removed = store.remove(domain, key, Which::unpinned);
        if (!removed) return std::unexpected(std::move(removed.error()));
        if (!*removed) return Removed{{false, false}, {}};
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

void CompileService::Impl::begin(const std::vector<BundleRecord>& bundles) {
  std::map<std::string, std::vector<BundleRecord>> ofDomain;
  for (const auto& bundle : bundles) ofDomain[bundle.domain].push_back(bundle);
  for (const auto& [domain, records] : ofDomain) bundled_.replace(domain, records);
}

// Of several readings that run at once the one that began last has the last word.
kj::Promise<StoreResult<std::vector<BundleRecord>>> CompileService::Impl::bundlesChanged(std::string domain) {
  const auto reading = ++bundleReadings_;
  return executor_.run([&store = store_, domain] { return store.bundles(domain); })
      .then([this, reading, domain](StoreResult<std::vector<BundleRecord>>&& bundles) {
        recentHits_.forget(domain);
        recentPinned_.forget(domain);
        if (!bundles) {
          hooks_.onStoreError(bundles.error());
        } else if (auto& last = lastReading_[domain]; reading > last) {
          last = reading;
          bundled_.replace(domain, *bundles);
        }
        return std::move(bundles);
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

kj::Promise<LookupResult> CompileService::lookup(Asker asker, Hash128 requestHash,
                                                 std::shared_ptr<const Request> request) {
  return impl_->lookup(std::move(asker), requestHash, std::move(request));
}

kj::Promise<Outcome> CompileService::compile(Asker asker, Request request, Priority priority,
                                             std::chrono::milliseconds timeout) {
  return impl_->compile(std::move(asker), std::move(request), priority, timeout);
}

kj::Promise<CompileService::Refusal> CompileService::refuse(std::string domain, EntryKey key, Sha256 sha256) {
  return impl_->refuse(std::move(domain), key, sha256);
}

void CompileService::begin(const std::vector<BundleRecord>& bundles) { impl_->begin(bundles); }

kj::Promise<StoreResult<std::vector<BundleRecord>>> CompileService::bundlesChanged(std::string domain) {
  return impl_->bundlesChanged(std::move(domain));
}

const ToolchainList& CompileService::bundledToolchains(std::string_view domain) const {
  return impl_->bundled().of(domain);
}

ServiceStatistics CompileService::statistics(std::string_view domain) const {
  return impl_->statistics(domain);
}

unsigned CompileService::running() const { return impl_->queue().running(); }

unsigned CompileService::queued() const { return impl_->queue().waiting(); }

kj::Promise<void> CompileService::drain() { return impl_->drain(); }

}  // namespace kiln
