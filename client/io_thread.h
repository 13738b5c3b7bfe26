// libkiln's one I/O thread: a KJ event loop that other threads hand jobs to, through a mutex, a queue and an
// eventfd.
#pragma once

#include <kj/async.h>
#include <kj/io.h>

#include <condition_variable>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "client/event_port.h"

namespace kiln::client {

// A thread in which every signal is blocked that another thread could take instead, so that the process's own
// handlers never run there. Throws std::system_error if the system has no thread left.
std::thread startQuietThread(std::function<void()> main);

// Why a call on the loop gave nothing.
struct CallError {
  bool disconnected = false;
  std::string message;
};

class IoThread {
 public:
  // Lives on the loop: made by its first turn, destroyed by its last, after every call has been cancelled.
  struct Resident {
    virtual ~Resident() noexcept(false) = default;
  };
  using MakeResident = std::function<std::unique_ptr<Resident>(IoThread&)>;

  explicit IoThread(MakeResident makeResident);
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  // Runs `job` on the loop, in the order of posting. Thread-safe. A job posted after stop() is dropped.
  void post(std::function<void()> job);

  // Runs `work(resident)` on the loop and blocks the calling thread until the promise it returns is done.
  // Thread-safe; not for the loop's own thread. A call that stop() cuts short gives an error.
  template <typename T>
  std::expected<T, CallError> call(std::function<kj::Promise<T>(Resident&)> work);

  // Cancels all calls and ends the thread. Thread-safe; returns when the thread has ended.
  void stop();

  // For the loop's own thread.
  [[nodiscard]] EventPort& port() { return *port_; }
  // Keeps `task` going until it is done or stop() is called; what it throws is dropped.
  void keep(kj::Promise<void> task);

 private:
  template <typename T>
  class Answer;
  class Tasks;

  void main();
  void runJobs();
  kj::Promise<void> serveJobs(EventPort::Observer& wakeUp);

  MakeResident makeResident_;
  kj::AutoCloseFd wakeUp_;  // an eventfd

  std::mutex mutex_;
  std::vector<std::function<void()>> jobs_;
  bool stopping_ = false;

  // Of the loop's thread.
  EventPort* port_ = nullptr;
  Tasks* tasks_ = nullptr;
  Resident* resident_ = nullptr;

  std::mutex joining_;
  std::thread thread_;
};

// Where the loop leaves a call's result for the thread that waits. If the last Giver goes without a word, the
// call was cut short.
template <typename T>
class IoThread::Answer {
 public:
  using Result = std::expected<T, CallError>;

  class Giver {
   public:
    explicit Giver(std::shared_ptr<Answer> answer) : answer_(std::move(answer)) {}
    ~Giver() { answer_->give(std::unexpected(CallError{false, "the client was destroyed during the call"})); }
    void give(Result result) { answer_->give(std::move(result)); }

   private:
    std::shared_ptr<Answer> answer_;
  };

  Result wait() {
    std::unique_lock lock(mutex_);
    given_.wait(lock, [this] { return result_.has_value(); });
    return std::move(*result_);
  }

 private:
  void give(Result result) {
    std::lock_guard lock(mutex_);
    if (result_) return;
    result_.emplace(std::move(result));
    given_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable given_;
  std::optional<Result> result_;
};

CallError callError(const kj::Exception& exception);

template <typename T>
std::expected<T, CallError> IoThread::call(std::function<kj::Promise<T>(Resident&)> work) {
  auto answer = std::make_shared<Answer<T>>();
  auto giver = std::make_shared<typename Answer<T>::Giver>(answer);
  post([this, work = std::move(work), giver] {
    keep(kj::evalNow([&] { return work(*resident_); })
             .then(
                 [giver](T value) { giver->give(std::move(value)); },
                 [giver](kj::Exception&& exception) { giver->give(std::unexpected(callError(exception))); }));
  });
  giver.reset();
  return answer->wait();
}

}  // namespace kiln::client
