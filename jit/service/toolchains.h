// The toolchains of this node, kept true to their files.
#pragma once

#include <kj/async.h>

#include <functional>
#include <vector>

#include "jit/service/executor.h"
#include "jit/toolchain.h"

namespace kiln {

// The list is replaced as a whole by scans. At most one runs at a time; whoever asks for one while it runs
// waits for the next, since the running one may have passed by what the asker means, and all who wait share
// that next one. Methods belong to the event loop's thread.
class Toolchains {
 public:
  // Finds and describes all toolchains. Blocking; called on the executor, one call at a time, and may still
  // run when the Toolchains are gone.
  using Survey = std::function<std::vector<Toolchain>()>;
  // Called after the list has changed in any way.
  using OnChange = std::function<void(const ToolchainList& before, const ToolchainList& after)>;

  // `executor` outlives it.
  Toolchains(Executor& executor, std::vector<Toolchain> first, Survey survey, OnChange onChange);
  Toolchains(const Toolchains&) = delete;
  Toolchains& operator=(const Toolchains&) = delete;

  // As of the last scan. A toolchain that a scan found unchanged stays the same object.
  [[nodiscard]] const ToolchainList& list() const { return list_; }
  // Whether all files are as that scan found them: some calls of stat().
  [[nodiscard]] bool areCurrent() const;

  // Both resolve when the list holds what was on disk at some time after the call, and reject if the survey
  // throws. Dropping the promise does not stop the scan.
  kj::Promise<void> rescan();
  // Scans only if the files have changed.
  kj::Promise<void> refresh();

 private:
  enum class Need { ifChanged, always };

  kj::Promise<void> request(Need need);
  kj::Promise<void> serve();
  kj::Promise<void> scan();

  Executor& executor_;
  const Survey survey_;
  const OnChange onChange_;
  ToolchainList list_;

  std::vector<kj::Own<kj::PromiseFulfiller<void>>> asking_;  // for a scan that has not begun
  std::vector<kj::Own<kj::PromiseFulfiller<void>>> served_;  // by the one that runs
  Need need_ = Need::ifChanged;                              // the greatest of those asking
  bool isServing_ = false;
  kj::Promise<void> serving_ = nullptr;
};

}  // namespace kiln
