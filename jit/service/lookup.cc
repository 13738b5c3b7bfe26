#include "jit/service/lookup.h"

#include <algorithm>
#include <utility>

#include "jit/names_binding.h"
#include "jit/service/file_check.h"
#include "jit/service/miss_reason.h"
#include "jit/service/pinned_search.h"
#include "jit/stand_in_source.h"

namespace kiln {
namespace {

// How many requests with the same source are compared to find the nearest.
constexpr std::size_t kSameSourceLimit = 64;

// A client cannot have read more files than it was asked for.
void keepHints(RecentHit& hit, std::vector<KnownContent> read, uid_t user) {
  if (read.empty() || read.size() > hit.expectation.list->questions.size()) return;
  hit.hints = std::make_shared<const std::vector<KnownContent>>(std::move(read));
  hit.hintsFrom = user;
}

std::shared_ptr<const std::vector<KnownContent>> hintsFor(uid_t user, const RecentHit& hit) {
  return user == hit.hintsFrom ? hit.hints : std::make_shared<const std::vector<KnownContent>>();
}

// One lookup under way.
class Lookup {
 public:
  Lookup(Store& store, Executor& executor, const std::function<void(const StoreError&)>& onStoreError,
         RecentHits& recent, LookupQuestion question)
      : store_(store),
        executor_(executor),
        onStoreError_(onStoreError),
        recent_(recent),
        age_(recent.age()),
        question_(std::move(question)) {}

  kj::Promise<LookupAnswer> run() {
    auto hit = recent_.find(question_.domain, question_.requestHash, question_.names, question_.toolchains);
    if (hit == nullptr || !isOfRequest(*hit->entry)) return searchStore();
    if (hit->expectation.list->questions.empty()) return useAgain(hit->entry);
    return question_.files->fingerprint(hit->expectation.list, hintsFor(question_.user, *hit))
        .then([this, hit](kj::Maybe<ClientFiles::Fingerprint>&& found) -> kj::Promise<LookupAnswer> {
          KJ_IF_MAYBE (fingerprint, found) {
            if (fingerprint->value == hit->expectation.fingerprint) {
              keepHints(*hit, std::move(fingerprint->read), question_.user);
              return useAgain(hit->entry);
            }
          }
          return searchStore();
        });
  }

 private:
  kj::Promise<LookupAnswer> searchStore() {
    return executor_
        .run([&store = store_, domain = question_.domain, hash = question_.requestHash,
              which = question_.which] { return store.manifests(domain, hash, which); })
        .then([this](StoreResult<std::vector<Manifest>>&& manifests) -> kj::Promise<LookupAnswer> {
          if (!manifests) return missByStoreError(manifests.error());
          return choose(std::move(*manifests));
        });
  }

  kj::Promise<LookupAnswer> choose(std::vector<Manifest> manifests) {
    if (manifests.empty()) return explainUnseen();
    mostRecent_ = manifests.front().key;
    const auto names = namesDigest(askedNames());
    const Manifest* otherNames = nullptr;
    for (auto& manifest : manifests) {
      if (!isWantedToolchain(manifest)) continue;
      if (manifest.boundNames.isZero() || manifest.boundNames == names) {
        candidates_.push_back(std::move(manifest));
      } else if (otherNames == nullptr) {
        otherNames = &manifest;
      }
    }
    std::ranges::stable_sort(candidates_, {}, [&](const Manifest& one) { return rankOf(one); });
    if (!candidates_.empty()) return checkCandidates();
    if (otherNames != nullptr) return explainNames(otherNames->key);
    const auto& nearest = nearestByToolchain(manifests, *question_.toolchains.front());
    return miss(missByToolchain(nearest, *question_.toolchains.front()), nearest.key);
  }

  kj::Promise<LookupAnswer> checkCandidates() {
    std::vector<DependencySet> sets;
    for (const auto& manifest : candidates_) sets.push_back(manifest.dependencies);
    return checkFiles(std::move(sets), question_.names, *question_.files)
        .then([this](std::vector<FileCheck>&& checks) -> kj::Promise<LookupAnswer> {
          for (std::size_t i = 0; i < checks.size(); ++i) {
            if (checks[i].disagreements.empty()) agreeing_.push_back(i);
          }
          if (!agreeing_.empty()) return fetch(0);
          const auto nearest = nearestByFiles(checks);
          return miss(missByFile(candidates_[nearest], checks[nearest]), candidates_[nearest].key);
        });
  }

  // Reads the entry of the `nth` manifest that agrees; where it is lost, the next one's.
  kj::Promise<LookupAnswer> fetch(std::size_t nth) {
    if (nth == agreeing_.size()) return miss(missByLoss());
    const auto& manifest = candidates_[agreeing_[nth]];
    return executor_
        .run([&store = store_, domain = question_.domain, key = manifest.key, which = question_.which] {
          return store.find(domain, key, which);
        })
        .then([this, nth, &manifest](StoreResult<std::optional<Entry>>&& found) -> kj::Promise<LookupAnswer> {
          if (!found) return missByStoreError(found.error());
          if (!*found) return fetch(nth + 1);
          if (!isWhatWasAskedFor(**found, manifest)) {
            onStoreError_({"the entry under key " + manifest.key.hex() + " of domain \"" + question_.domain +
                           "\" is not the one that its manifest describes; it is not used"});
            return fetch(nth + 1);
          }
          auto entry = std::make_shared<const Entry>(std::move(**found));
          if (!question_.isUse) return LookupAnswer{std::move(entry), {}, {}};
          if (recent_.age() == age_) recent_.keep(entry, question_.names);
          recent_.becomesMostRecent(*entry);
          if (manifest.key != mostRecent_) noteUse(manifest.key);
          return LookupAnswer{std::move(entry), {}, {}};
        });
  }

  LookupAnswer useAgain(std::shared_ptr<const Entry> entry) {
    if (question_.isUse && recent_.becomesMostRecent(*entry)) noteUse(entry->key);
    return {std::move(entry), {}, {}};
  }

  // Nobody waits for it: where it fails, the order in which entries are forgotten is a little off.
  void noteUse(const EntryKey& key) {
    executor_.run([&store = store_, domain = question_.domain, hash = question_.requestHash, key] {
      (void)store.touch(domain, hash, key);
    });
  }

  kj::Promise<LookupAnswer> explainUnseen() {
    if (question_.request == nullptr) return miss(missUnseen());
    if (question_.which == Which::pinned) return explainUnpinned();
    return executor_
        .run([&store = store_, domain = question_.domain, request = question_.request] {
          return store.requestsWithSource(domain, xxh3(request->source), kSameSourceLimit);
        })
        .then([this](StoreResult<std::vector<Request>>&& sameSource) -> kj::Promise<LookupAnswer> {
          if (!sameSource) return missByStoreError(sameSource.error());
          return miss(missByRequest(*question_.request, *sameSource));
        });
  }

  kj::Promise<LookupAnswer> explainUnpinned() {
    return executor_
        .run([&store = store_, domain = question_.domain, request = question_.request] {
          return pinnedLike(store, domain, *request, kSameSourceLimit);
        })
        .then([this](StoreResult<std::vector<PinnedRequest>>&& alike) -> kj::Promise<LookupAnswer> {
          if (!alike) return missByStoreError(alike.error());
          if (alike->empty()) return miss(missUnpinned());
          std::vector<Request> requests;
          for (auto& one : *alike) requests.push_back(std::move(one.request));
          const auto nearest = nearestRequest(*question_.request, requests);
          return miss(missByPinned(*question_.request, requests[nearest]), (*alike)[nearest].key);
        });
  }

  // A manifest has a digest of the names; which of them differ, the entry tells.
  kj::Promise<LookupAnswer> explainNames(EntryKey key) {
    return executor_
        .run(
            [&store = store_, domain = question_.domain, key] { return store.find(domain, key, Which::all); })
        .then([this, key](StoreResult<std::optional<Entry>>&& found) {
          if (!found) return missByStoreError(found.error());
          return *found ? miss(missByNames(askedNames(), (*found)->names), key) : miss(missByLoss());
        });
  }

  // What the asker's request would be compiled under.
  [[nodiscard]] Names askedNames() const { return compiledNames(question_.names, question_.requestHash); }

  // The place of its toolchain among the wanted ones; their number if it is none of them.
  [[nodiscard]] std::size_t rankOf(const Manifest& manifest) const {
    const auto found = std::ranges::find(question_.toolchains, manifest.toolchainIdentity,
                                         [](const auto& one) { return one->identity; });
    return static_cast<std::size_t>(found - question_.toolchains.begin());
  }
  [[nodiscard]] bool isWantedToolchain(const Manifest& manifest) const {
    return rankOf(manifest) < question_.toolchains.size();
  }

  [[nodiscard]] bool isWhatWasAskedFor(const Entry& entry, const Manifest& manifest) const {
    return isOfRequest(entry) && entry.domain == question_.domain &&
           entry.requestHash == question_.requestHash && manifestOf(entry) == manifest;
  }
  // So far as it can be told: with the request itself SHA-256 decides.
  [[nodiscard]] bool isOfRequest(const Entry& entry) const {
    return question_.request == nullptr || entry.requestSha256 == requestSha256(*question_.request);
  }

  static LookupAnswer miss(std::string reason, std::optional<EntryKey> nearest = {}) {
    return {nullptr, std::move(reason), nearest};
  }

  LookupAnswer missByStoreError(const StoreError& error) {
    onStoreError_(error);
    return miss("the store could not be read: " + error.message);
  }

  Store& store_;
  Executor& executor_;
  const std::function<void(const StoreError&)>& onStoreError_;
  RecentHits& recent_;
  const std::uint64_t age_;  // of `recent_` when this began
  LookupQuestion question_;
  // Of a wanted toolchain, under the asker's names; in order of the toolchains, the most recent first.
  std::vector<Manifest> candidates_;
  EntryKey mostRecent_;                // of all manifests
  std::vector<std::size_t> agreeing_;  // those of them whose dependencies agree, as indices
};

}  // namespace

kj::Promise<LookupAnswer> lookUp(Store& store, Executor& executor,
                                 const std::function<void(const StoreError&)>& onStoreError,
                                 RecentHits& recent, LookupQuestion question) {
  auto lookup = kj::heap<Lookup>(store, executor, onStoreError, recent, std::move(question));
  auto answer = lookup->run();
  return answer.attach(kj::mv(lookup));
}

}  // namespace kiln
