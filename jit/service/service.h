// The compile service: look up, join, queue, compile, publish.
//
// One event loop thread, no locks. The store is called on the executor. Per (domain, request hash, toolchain
// identity) at most one compile runs; whoever asks meanwhile joins it, and is given the result only if the
// result's dependencies agree with the joiner's own files and, where they bind, names; else it is asked for
// anew.
//
// The files of the toolchain that a call is served with are looked at when it comes, when its compile begins
// and when that has ended. Where they changed, the node is scanned and the call starts over: nothing is
// found, kept or given under an identity that its toolchain did not have throughout.
//
// Where the node has no toolchain for a call, what bundles have brought is looked up by the toolchains that
// compiled it. On the locked lane that is all that is looked up, and nothing compiles.
#pragma once

#include <kj/async.h>
#include <kj/timer.h>

#include <chrono>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "jit/artifact.h"
#include "jit/bundle_record.h"
#include "jit/lane.h"
#include "jit/service/client_files.h"
#include "jit/service/compilers.h"
#include "jit/service/executor.h"
#include "jit/service/toolchains.h"
#include "jit/stages.h"
#include "jit/store.h"

namespace kiln {

// Why a request that was refused is a miss, and is not remembered.
inline constexpr const char* kNotLookedUp = "refused before it was looked up";
inline constexpr const char* kNothingCompiled = "nothing was compiled";

struct Outcome {
  enum class How : std::uint8_t { hit, miss, joined };
  How how = How::miss;
  // Never null. An outcome that was not remembered, a failure before any compile included, has a zero key.
  std::shared_ptr<const Entry> entry;
  // The asker's. The entry's log and its failure are the compiler's words under the entry's names;
  // log_names.h gives them as they are for the asker.
  Names names;
  std::string missReason;     // empty on a hit
  std::string notRemembered;  // why the entry is not in the store; empty if it is
};

// Why a lookup found nothing, for a person.
struct Miss {
  std::string reason;
};

using LookupResult = std::variant<Outcome, Miss, Failure>;

// Who asks: all of it outlives or is owned by the call.
struct Asker {
  std::string domain;
  Names names;
  std::string toolchain;  // as chooseToolchain() takes it
  kj::Own<ClientFiles> files;
  uid_t user = 0;  // of the process that asks
  Lane lane = Lane::open;
};

struct ServiceLimits {
  unsigned jobs = 1;                           // compiles that run at once, at least 1
  unsigned queue = 4096;                       // compiles that may wait; more are refused as overloaded
  std::chrono::milliseconds timeout{120'000};  // of one compile; a caller's own may only be shorter
};

// What the service asks of, and tells, whoever wires it up. All are set. Called on the event loop's thread;
// must not block.
struct ServiceHooks {
  // Whether the frontend takes the request's options; a failure is the outcome of the compile.
  std::function<std::expected<void, Failure>(const Request&)> check;
  // The two requests that one is carried out as, if it is; `check` has taken it.
  std::function<std::optional<Stages>(const Request&)> stages;
  // The store failed. The request is served all the same: by a compile, or by a result that is not
  // remembered.
  std::function<void(const StoreError&)> onStoreError;
};

// Counts of one domain since the service started.
struct ServiceStatistics {
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;    // compiles asked for because no entry fitted and none was running
  std::uint64_t joined = 0;    // callers who were given the result of another's compile
  std::uint64_t compiles = 0;  // compiles that were started, whatever came of them
  std::map<FailureKind, std::uint64_t> failures;  // of compiles, and of requests refused without one
  double compileMilliseconds = 0;                 // all compiles together
  double savedMilliseconds = 0;                   // what hits and joins did not have to compile again
};

// All methods belong to the event loop's thread. `store`, `compilers`, `executor`, `toolchains` and `timer`
// outlive it, `store` outlives `executor` too, and the promises it gives are gone before it is.
class CompileService {
 public:
  CompileService(Store& store, Compilers& compilers, Executor& executor, Toolchains& toolchains,
                 kj::Timer& timer, ServiceLimits limits, ServiceHooks hooks);
  ~CompileService();

  // The request's language is part of its hash, so that `asker.toolchain` is chosen for every language there
  // is. With `request`, of that hash, a miss says what is different, and a hit is no use of what is found:
  // neither statistics nor the order in which entries are forgotten know of it. Rejects only when the
  // client's files are gone.
  kj::Promise<LookupResult> lookup(Asker asker, Hash128 requestHash,
                                   std::shared_ptr<const Request> request = nullptr);
  // `timeout` bounds the compile, not the wait for it; zero: the service's limit. Who joins a running compile
  // waits under that compile's limit, and compiles anew if that one proves shorter than the own. Dropping the
  // promise leaves the compile; the last to leave kills it. Rejects only when the client's files are gone.
  // A request with a virtual architecture is two calls, of which `timeout` bounds each and statistics count
  // both; the toolchain of the last stage follows from that of the first (chooseNextToolchain).
  kj::Promise<Outcome> compile(Asker asker, Request request, Priority priority,
                               std::chrono::milliseconds timeout);

  // The domains and their bundles as the store has them, before the first call.
  void begin(const std::vector<BundleRecord>& bundles);
  // To be called whenever a bundle of the domain has come to the store or gone from it. Resolves to those
  // that are there when the service goes by them.
  kj::Promise<StoreResult<std::vector<BundleRecord>>> bundlesChanged(std::string domain);
  // The toolchains that they were compiled by.
  [[nodiscard]] const ToolchainList& bundledToolchains(std::string_view domain) const;

  // A driver refuses the bytes of `sha256`, an output of the entry: forgets the entry, so that it is compiled
  // anew, unless a compile has given these very bytes since the last time, or a bundle has brought them: that
  // has the word on what they are. Whether to ask again is worth it.
  struct Refusal {
    bool isSetAside = false;
    bool compileAgain = false;
  };
  kj::Promise<Refusal> refuse(std::string domain, EntryKey key, Sha256 sha256);

  [[nodiscard]] ServiceStatistics statistics(std::string_view domain) const;
  [[nodiscard]] unsigned running() const;
  [[nodiscard]] unsigned queued() const;
  // From now on every new call of compile() is refused as overloaded; resolves when all earlier ones are
  // through.
  kj::Promise<void> drain();

 private:
  class Impl;
  kj::Own<Impl> impl_;
};

}  // namespace kiln
