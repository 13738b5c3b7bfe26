// A flight: one compile that is queued or under way, and all who wait for it.
#pragma once

#include <kj/async.h>
#include <kj/refcount.h>
#include <kj/timer.h>

#include <chrono>
#include <compare>
#include <exception>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "jit/service/client_files.h"
#include "jit/service/compilers.h"
#include "jit/service/executor.h"
#include "jit/service/publish.h"
#include "jit/service/queue.h"
#include "jit/store.h"

namespace kiln {

// Who may share a flight: askers of the same request, in the same domain, for the same toolchain.
struct FlightKey {
  std::string domain;
  Hash128 requestHash;
  Sha256 toolchainIdentity;

  auto operator<=>(const FlightKey&) const = default;
};

struct Waiter {
  Names names;
  kj::Own<ClientFiles> files;
  Priority priority = Priority::normal;
  std::chrono::milliseconds timeout{0};  // of the compile
  // Whether what a limit or a crash made of another's files is an answer, though the own might have done
  // better.
  bool takesFailuresOfOthers = false;
};

// What a flight has for one waiter.
struct Landing {
  enum class Kind {
    own,        // made from the waiter's own files: right for it as it is
    shared,     // made from another's files: right only if the dependencies, and bound names, agree with the
                // waiter's
    startOver,  // nothing that could be right for the waiter
    outdated,   // nothing, since the toolchain's files have changed
  };
  Kind kind = Kind::startOver;
  std::shared_ptr<const Entry> entry;  // null for startOver and outdated
  std::string notRemembered;
};

class Flight;

// What a flight tells the service. Called inside the flight's own events and inside leave-taking: must not
// drop a waiter's promise.
class FlightObserver {
 public:
  virtual void compileStarted(const Flight& flight) = 0;
  virtual void compileEnded(const Flight& flight, const Compiled& compiled) = 0;
  virtual void storeFailed(const StoreError& error) = 0;
  // Nobody can join any more. Called once, before any waiter hears of the landing.
  virtual void closed(const Flight& flight) = 0;

 protected:
  ~FlightObserver() = default;
};

// The leader is the waiter under whose names, and through whose files, is compiled. When it leaves, another
// waiter with equal names takes over: the pending question is asked again of it, and since the result is then
// of two clients' files, it is `shared` for everyone. Where all others have other names, they start over.
//
// A toolchain is looked at before a compile and again behind it: what came of files that changed meanwhile,
// be it a result or a crash, is given to nobody.
//
// A client that takes its time over a question keeps the compile waiting, not the queue: the slot is lent.
//
// Kept alive by its waiters' promises: when the last one is dropped, so is the compile.
class Flight final : public kj::Refcounted, private FileAnswerer {
 public:
  Flight(FlightKey key, std::shared_ptr<const Toolchain> toolchain, std::shared_ptr<const Request> request,
         kj::Own<JobQueue::Place> place, Compilers& compilers, Executor& executor, Store& store,
         kj::Timer& timer, FlightObserver& observer);
  ~Flight() noexcept override;

  [[nodiscard]] const FlightKey& key() const { return key_; }

  // Joins, before the flight is closed; the first to join is the leader. Dropping the promise leaves. Rejects
  // when the waiter's files are gone while it leads.
  kj::Promise<Landing> join(Waiter waiter);

 private:
  class Seat;
  enum class State { queued, compiling, publishing };

  kj::Promise<FileReply> answer(FileQuestion question) override;
  kj::Promise<FileReply> askLeader(FileQuestion question);

  kj::Promise<void> run();
  kj::Promise<void> compileAndLand();
  kj::Promise<Compiled> compile();
  kj::Promise<Published> publishCompiled(Compiled compiled);
  void land(const Published& published);
  [[nodiscard]] Landing landingFor(const Seat& seat, const Published& published) const;

  void leave(Seat& seat);
  void leaderLost();
  void clientGone(Seat& seat, kj::Exception&& exception);
  void dismissAll(Landing::Kind kind);
  void close();

  const FlightKey key_;
  const std::shared_ptr<const Toolchain> toolchain_;
  std::shared_ptr<const Request> request_;  // with the leader's names once it compiles
  Compilers& compilers_;
  Executor& executor_;
  Store& store_;
  kj::Timer& timer_;
  FlightObserver& observer_;

  std::list<Seat*> seats_;  // in order of arrival
  Seat* leader_ = nullptr;  // null once it is lost and not replaced
  State state_ = State::queued;
  bool closed_ = false;
  bool isOfOneClient_ = true;             // whether one leader's files answered everything
  bool asksForFiles_ = false;             // whether the compile has asked anything
  bool awaitsAnswer_ = false;             // whether its last question has no answer yet
  bool isForLeaderOnly_ = false;          // the result comes of something that only the leader's files did
  std::chrono::milliseconds timeout_{0};  // the compile's
  // Resolves when the leader changes.
  kj::PromiseFulfillerPair<void> change_ = kj::newPromiseAndFulfiller<void>();
  kj::ForkedPromise<void> changed_ = change_.promise.fork();

  kj::Maybe<kj::Own<JobQueue::Place>> place_;
  kj::Promise<void> run_ = nullptr;
};

}  // namespace kiln
