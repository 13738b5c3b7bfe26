// libkiln's event loop. It has no thread of its own: of the threads that wait for an answer one runs it, for
// all of them, and leaves it to another when its own answer is there. So a call that is alone reaches the
// daemon and hears from it without waking any thread of its process, and a process that waits for nothing has
// no thread of libkiln's that runs.
//
// While nobody waits, nothing moves: what the peer sends then is read by the next call.
#pragma once

#include <kj/async.h>
#include <kj/io.h>

#include <condition_variable>
#include <expected>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/event_port.h"

namespace kiln::client {

// Why a call on the loop gave nothing.
struct CallError {
  bool disconnected = false;
  std::string message;
};

class SharedLoop {
 public:
  // What lives on the loop: made in the constructor, destroyed by stop(), after every call has been
  // cancelled.
  struct Resident {
    virtual ~Resident() noexcept(false) = default;
  };
  using MakeResident = std::function<std::unique_ptr<Resident>(SharedLoop&)>;

  // Throws std::system_error if the system has no descriptor left. Neither this nor any call is for a thread
  // that has an event loop of KJ's already.
  explicit SharedLoop(const MakeResident& makeResident);
  ~SharedLoop();
  SharedLoop(const SharedLoop&) = delete;
  SharedLoop& operator=(const SharedLoop&) = delete;

  // Runs `job` on the loop, in the order of posting, as soon as a thread runs it. Thread-safe. A job posted
  // after stop() is dropped.
  void post(std::function<void()> job);

  // Runs `work(resident)` on the loop and blocks the calling thread until the promise it returns is done.
  // Thread-safe; not to be called on the loop. A call that stop() cuts short gives an error.
  template <typename T>
  std::expected<T, CallError> call(std::function<kj::Promise<T>(Resident&)> work);

  // Cancels all calls and ends the loop. Thread-safe; returns when nothing runs on it any more.
  void stop();

  // For jobs on the loop.
  [[nodiscard]] EventPort& port() { return port_; }

 private:
  // A thread that waits for its answer.
  struct Waiter {
    std::condition_variable changed;
    bool isDone = false;  // under the loop's mutex
  };
  template <typename T>
  class Answer;
  class Tasks;

  void waitFor(Waiter& waiter);
  void finish(Waiter& waiter);
  void lead(const Waiter& waiter, std::unique_lock<std::mutex>& lock);
  static void settle(kj::WaitScope& scope);
  void wakeNextLeader();
  void clearWakeUp();
  void serve();
  kj::Promise<void> serveWhenWoken();
  void keep(kj::Promise<void> task);

  std::mutex mutex_;
  std::vector<std::function<void()>> jobs_;
  std::list<Waiter*> followers_;  // those that sleep while another thread leads
  std::condition_variable left_;  // the loop is without a leader
  bool isLed_ = false;
  const Waiter* leader_ = nullptr;  // while it waits for its own answer
  bool stopping_ = false;

  // Of the thread that leads.
  kj::AutoCloseFd wakeUp_;  // an eventfd
  EventPort port_;
  kj::EventLoop loop_{port_};
  EventPort::Observer wakeUpObserver_;
  std::unique_ptr<Resident> resident_;
  std::unique_ptr<Tasks> tasks_;
  kj::Own<kj::PromiseFulfiller<void>> leave_;  // tells the leader to leave
};

// Where the loop leaves a call's result for the thread that waits. If the last Giver goes without a word, the
// call was cut short.
template <typename T>
class SharedLoop::Answer {
 public:
  using Result = std::expected<T, CallError>;

  class Giver {
   public:
    Giver(SharedLoop& loop, std::shared_ptr<Answer> answer) : loop_(loop), answer_(std::move(answer)) {}
    ~Giver() { give(std::unexpected(CallError{false, "the client was destroyed during the call"})); }
    Giver(const Giver&) = delete;
    Giver& operator=(const Giver&) = delete;

    void give(Result result) {
      if (answer_->result_) return;
      answer_->result_.emplace(std::move(result));
      loop_.finish(answer_->waiter_);
    }

   private:
    SharedLoop& loop_;
    std::shared_ptr<Answer> answer_;
  };

  Result wait(SharedLoop& loop) {
    loop.waitFor(waiter_);
    return std::move(*result_);
  }

 private:
  Waiter waiter_;
  std::optional<Result> result_;  // of the Giver until the waiter is done
};

CallError callError(const kj::Exception& exception);

template <typename T>
std::expected<T, CallError> SharedLoop::call(std::function<kj::Promise<T>(Resident&)> work) {
  auto answer = std::make_shared<Answer<T>>();
  auto giver = std::make_shared<typename Answer<T>::Giver>(*this, answer);
  post([this, work = std::move(work), giver] {
    keep(kj::evalNow([&] { return work(*resident_); })
             .then(
                 [giver](T value) { giver->give(std::move(value)); },
                 [giver](kj::Exception&& exception) { giver->give(std::unexpected(callError(exception))); }));
  });
  giver.reset();
  return answer->wait(*this);
}

}  // namespace kiln::client
