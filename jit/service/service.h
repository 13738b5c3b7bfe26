// The compile service: look up, join, queue, compile, publish.
//
// One event loop thread, no locks. The store is called on the executor. Per (domain, request hash, toolchain
// identity) at most one compile runs; whoever asks meanwhile joins it, and is given the result only if the result's
// dependencies agree with the joiner's own files and, where they bind, names; else it is asked for anew.
#pragma once

#include <kj/async.h>
#include <kj/timer.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "jit/artifact.h"
#include "jit/service/client_files.h"
#include "jit/service/compilers.h"
#include "jit/service/executor.h"
#include "jit/store.h"
#include "jit/toolchain.h"

namespace kiln {

struct Outcome {
  enum class How : std::uint8_t { hit, miss, joined };
  How how = How::miss;
  // Never null. An outcome that was not remembered, a failure before any compile included, has a zero key.
  std::shared_ptr<const Entry> entry;
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
};

struct ServiceLimits {
  unsigned jobs = 1;      // compiles that run at once, at least 1
  unsigned queue = 4096;  // compiles that may wait; more are refused as overloaded
  std::chrono::milliseconds timeout{120'000};  // of one compile; a caller's own may only be shorter
};

struct ServiceStatistics {
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t joined = 0;
  std::uint64_t compiles = 0;
  std::map<FailureKind, std::uint64_t> failures;
  double compileMilliseconds = 0;
  double savedMilliseconds = 0;
};

// All methods belong to the event loop's thread. `toolchains`, `store`, `compilers` and `executor` outlive it.
class CompileService {
 public:
  CompileService(Store& store, Compilers& compilers, Executor& executor, kj::Timer& timer,
                 std::vector<Toolchain> toolchains, ServiceLimits limits);
  ~CompileService();

  // Rejects only when the client's files are gone.
  kj::Promise<LookupResult> lookup(Asker asker, Hash128 requestHash);
  // `timeout` zero: the service's limit. Dropping the promise leaves the compile; the last to leave kills it.
  kj::Promise<Outcome> compile(Asker asker, Request request, Priority priority,
                               std::chrono::milliseconds timeout);

  [[nodiscard]] const std::vector<Toolchain>& toolchains() const;
  [[nodiscard]] const ServiceStatistics& statistics(std::string_view domain) const;
  [[nodiscard]] unsigned running() const;
  [[nodiscard]] unsigned queued() const;
  // From now on every new compile is refused as overloaded; resolves when none runs or waits any more.
  kj::Promise<void> drain();

 private:
  class Impl;
  kj::Own<Impl> impl_;
};

}  // namespace kiln
