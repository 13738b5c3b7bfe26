#include "client/worker_pool.h"

#include <kj/debug.h>
#include <signal.h>

#include <system_error>

namespace kiln::client {
namespace {

// Every signal but those that a thread raises by its own fault, which must reach the process's crash
// handlers.
sigset_t signalsOfOthers() {
  sigset_t signals;
  sigfillset(&signals);
  for (int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT}) sigdelset(&signals, own);
  return signals;
}

// Throws std::system_error if the system has no thread left.
std::thread startQuietThread(std::function<void()> main) {
  sigset_t blocked = signalsOfOthers();
  sigset_t before;
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  KJ_DEFER(pthread_sigmask(SIG_SETMASK, &before, nullptr));
  return std::thread(std::move(main));
}

}  // namespace

WorkerPool::WorkerPool(SharedLoop& loop, unsigned threads) : loop_(loop), size_(threads) {}

WorkerPool::~WorkerPool() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    queue_.clear();
  }
  changed_.notify_all();
  for (auto& thread : threads_) thread.join();
}

kj::Promise<void> WorkerPool::perform(std::function<void()> job) {
  startThreads();
  auto number = nextNumber_++;
  auto pair = kj::newPromiseAndFulfiller<void>();
  waiting_.emplace(number, kj::mv(pair.fulfiller));
  {
    std::lock_guard lock(mutex_);
    queue_.push_back({number, std::move(job)});
  }
  changed_.notify_one();
  return kj::mv(pair.promise);
}

// One is enough, if the system has no more.
void WorkerPool::startThreads() {
  try {
    while (threads_.size() < size_) threads_.push_back(startQuietThread([this] { serve(); }));
  } catch (const std::system_error&) {
    if (threads_.empty()) throw;
  }
}

void WorkerPool::serve() {
  for (;;) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    auto work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();

    std::optional<std::string> problem;
    try {
      work.job();
    } catch (const std::exception& exception) {
      problem = exception.what();
    }
    work.job = nullptr;
    report(work.number, std::move(problem));
  }
}

// The pool outlives every job of the loop, which takes none once it is stopped.
void WorkerPool::report(std::uint64_t number, std::optional<std::string> problem) {
  loop_.post([this, number, problem = std::move(problem)] {
    auto found = waiting_.extract(number);
    if (problem) {
      found.mapped()->reject(KJ_EXCEPTION(FAILED, "a file question failed", problem->c_str()));
    } else {
      found.mapped()->fulfill();
    }
  });
}

}  // namespace kiln::client
