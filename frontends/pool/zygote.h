// The zygote of one toolchain, started anew whenever it dies.
#pragma once

#include <kj/async.h>

#include <deque>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "compiler.capnp.h"
#include "frontends/pool/context.h"
#include "frontends/pool/control_socket.h"
#include "frontends/pool/printed_lines.h"
#include "frontends/pool/process_table.h"
#include "jit/failure.h"
#include "jit/toolchain.h"

namespace kiln {

// A child that waits for its Job.
struct Clone {
  CompilerProcess process;
  kj::AutoCloseFd socket;  // kilnd's end of the job socket
};

// A zygote's life: it is started when somebody wants it, gets ready or refuses, and then clones one child at
// a time until it dies. One may be kept for the clone that is asked for next: it has the job's way in behind
// it, and the page faults of a fresh clone (frontends/process/prefault.h). Between two lives lies a pause
// that grows until a clone succeeds. Whoever waits for a clone when a zygote dies waits for the next one, but
// not for ever; whom a zygote refuses is told at once, and so are those who ask during the pause behind it. A
// zygote whose library was replaced before it was ready may have loaded either, and counts as one that
// refuses.
class Zygote {
 public:
  using Result = std::expected<Clone, Failure>;

  Zygote(PoolContext& context, const Toolchain& toolchain);
  // Kills the process.
  ~Zygote() noexcept;
  KJ_DISALLOW_COPY(Zygote);

  // Starts the process, if it is not there.
  void prepare();
  // Has a child made for the next clone(), unless there is one.
  void keepSpare();
  // A new child. Never rejects; failures are toolchainUnavailable and compilerCrash.
  kj::Promise<Result> clone();

 private:
  enum class State { absent, starting, ready };

  struct Waiter {
    kj::Own<kj::PromiseFulfiller<Result>> fulfiller;
    int deaths = 0;  // of zygotes, while this one waited
  };
  struct Order {
    std::uint64_t job = 0;
    kj::AutoCloseFd socket;  // kilnd's end
  };

  kj::Promise<void> keepAlive();
  kj::Promise<void> untilWanted();
  kj::Promise<void> live();
  kj::Promise<void> pause();
  std::expected<void, Failure> start();
  kj::Promise<void> serve();

  // What the zygote sends. A report that cannot be understood ends its life.
  void handle(ControlSocket::Packet packet);
  void handle(schema::ZygoteReport::Reader report, std::optional<kj::AutoCloseFd> descriptor);
  void handleClone(schema::ZygoteReport::Cloned::Reader cloned, std::optional<kj::AutoCloseFd> descriptor);
  void handleCloneFailed(schema::ZygoteReport::CloneFailed::Reader report);
  void orderNext();
  void dropWaitersGone();
  // Tells the first who waits, if anybody does.
  void failNext(Failure failure);
  void expectAnswer(std::string otherwise);
  void giveUp(std::string why);

  void finish(ExitStatus status);
  void refuse(Failure failure);
  void countDeath(const Failure& failure);
  [[nodiscard]] std::string whatFailed() const;

  PoolContext& context_;
  const std::string toolchain_;
  const std::string frontend_;
  const std::string library_;
  const std::vector<std::string> handed_;
  const std::filesystem::path program_;
  const Footprint footprint_;

  State state_ = State::absent;
  bool wanted_ = false;
  kj::Own<kj::PromiseFulfiller<void>> wake_;
  kj::Duration pause_;
  std::optional<Failure> refusal_;  // between a refusal and the end of the pause behind it

  std::deque<Waiter> waiters_;
  std::optional<Order> ordered_;  // the clone that the zygote is about to report
  bool wantsSpare_ = false;       // never while there is one
  std::optional<Clone> spare_;
  kj::Promise<void> spareEnds_ = nullptr;  // drops a spare that died
  std::uint64_t lastJob_ = 0;

  PrintedLines printed_;  // by all its processes

  // Of the present life.
  std::optional<CompilerProcess> process_;
  kj::Own<ControlSocket> control_;
  std::string problem_;  // why kilnd gave the zygote up; empty if it did not
  kj::Promise<void> deadline_ = nullptr;

  kj::Promise<void> life_;
};

}  // namespace kiln
