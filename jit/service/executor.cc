#include "jit/service/executor.h"

#include <kj/debug.h>
#include <kj/io.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace kiln {
namespace {

kj::AutoCloseFd makeEventFd() {
  int fd = -1;
  KJ_SYSCALL(fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  return kj::AutoCloseFd(fd);
}

}  // namespace

class Executor::Impl {
 public:
  Impl(kj::UnixEventPort& port, unsigned threads)
      : event_(makeEventFd()), observer_(port, event_.get(), kj::UnixEventPort::FdObserver::OBSERVE_READ) {
    pump_ = pump().eagerlyEvaluate([](kj::Exception&& exception) { KJ_LOG(ERROR, exception); });
    for (unsigned i = 0; i < std::max(threads, 1U); ++i)
      threads_.emplace_back([this] { workUntilStopped(); });
  }

  ~Impl() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    for (auto& thread : threads_) thread.join();
  }

  void post(std::unique_ptr<Task> task) {
    {
      const std::lock_guard lock(mutex_);
      queued_.push_back(std::move(task));
    }
    wake_.notify_one();
  }

 private:
  void workUntilStopped() {
    std::unique_lock lock(mutex_);
    while (true) {
      wake_.wait(lock, [this] { return stopping_ || !queued_.empty(); });
      if (stopping_) return;
      auto task = std::move(queued_.front());
      queued_.pop_front();
      lock.unlock();
      task->work();
      lock.lock();
      finished_.push_back(std::move(task));
      const std::uint64_t one = 1;
      // Fails only when the counter is full, and then the loop is about to be woken anyway.
      [[maybe_unused]] auto written = ::write(event_.get(), &one, sizeof one);
    }
  }

  // Waits for the next event before it looks at the queue: one that comes while it looks is not lost.
  kj::Promise<void> pump() {
    return observer_.whenBecomesReadable().then([this] {
      auto next = pump();
      completeFinished();
      return next;
    });
  }

  void completeFinished() {
    std::uint64_t count = 0;
    [[maybe_unused]] auto consumed = ::read(event_.get(), &count, sizeof count);
    std::vector<std::unique_ptr<Task>> finished;
    {
      const std::lock_guard lock(mutex_);
      finished.swap(finished_);
    }
    for (auto& task : finished) task->complete();
  }

  kj::AutoCloseFd event_;
  kj::UnixEventPort::FdObserver observer_;
  kj::Promise<void> pump_ = nullptr;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;                        // under mutex_
  std::deque<std::unique_ptr<Task>> queued_;     // under mutex_
  std::vector<std::unique_ptr<Task>> finished_;  // under mutex_
  std::vector<std::thread> threads_;
};

Executor::Executor(kj::UnixEventPort& port, unsigned threads)
    : impl_(std::make_unique<Impl>(port, threads)) {}

Executor::~Executor() = default;

void Executor::post(std::unique_ptr<Task> task) { impl_->post(std::move(task)); }

}  // namespace kiln
