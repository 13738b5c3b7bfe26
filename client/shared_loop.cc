#include "client/shared_loop.h"

#include <kj/debug.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace kiln::client {
namespace {

kj::AutoCloseFd newEventDescriptor() {
  int descriptor = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  return kj::AutoCloseFd(descriptor);
}

}  // namespace

CallError callError(const kj::Exception& exception) {
  return {exception.getType() == kj::Exception::Type::DISCONNECTED, exception.getDescription().cStr()};
}

class SharedLoop::Tasks final : private kj::TaskSet::ErrorHandler {
 public:
  Tasks() : set_(*this) {}
  void add(kj::Promise<void> task) { set_.add(kj::mv(task)); }

 private:
  void taskFailed(kj::Exception&&) override {}

  kj::TaskSet set_;
};

SharedLoop::SharedLoop(const MakeResident& makeResident)
    : wakeUp_(newEventDescriptor()), wakeUpObserver_(port_, wakeUp_.get()) {
  kj::WaitScope scope(loop_);
  resident_ = makeResident(*this);
  tasks_ = std::make_unique<Tasks>();
  keep(serveWhenWoken());
}

SharedLoop::~SharedLoop() { stop(); }

void SharedLoop::post(std::function<void()> job) {
  std::lock_guard lock(mutex_);
  if (stopping_) return;
  jobs_.push_back(std::move(job));
  // Without a leader there is nobody to wake: the next one begins with the jobs.
  if (isLed_ && jobs_.size() == 1) eventfd_write(wakeUp_.get(), 1);
}

void SharedLoop::stop() {
  std::unique_lock lock(mutex_);
  stopping_ = true;
  eventfd_write(wakeUp_.get(), 1);
  left_.wait(lock, [this] { return !isLed_; });
  isLed_ = true;  // as the last that does; after it nobody leads any more
  auto dropped = std::move(jobs_);
  lock.unlock();
  {
    kj::WaitScope scope(loop_);
    tasks_ = nullptr;
    resident_ = nullptr;
  }
  dropped.clear();  // what was posted too late to run: its caller learns that now
  lock.lock();
  isLed_ = false;
  left_.notify_all();
}

// Leads when nobody else does, and sleeps while somebody does.
void SharedLoop::waitFor(Waiter& waiter) {
  std::unique_lock lock(mutex_);
  while (!waiter.isDone) {
    if (!isLed_ && !stopping_) {
      lead(waiter, lock);
    } else {
      auto place = followers_.insert(followers_.end(), &waiter);
      waiter.changed.wait(lock);
      followers_.erase(place);
    }
  }
}

void SharedLoop::finish(Waiter& waiter) {
  std::lock_guard lock(mutex_);
  waiter.isDone = true;
  waiter.changed.notify_one();
  if (leader_ == &waiter) leave_->fulfill();
}

// Runs the loop until `waiter` is done or stop() is called. `lock` is held before and after.
void SharedLoop::lead(const Waiter& waiter, std::unique_lock<std::mutex>& lock) {
  isLed_ = true;
  leader_ = &waiter;
  KJ_DEFER({
    isLed_ = false;
    leader_ = nullptr;
    left_.notify_all();
    wakeNextLeader();
  });
  lock.unlock();
  KJ_DEFER(lock.lock());
  kj::WaitScope scope(loop_);
  auto leaving = kj::newPromiseAndFulfiller<void>();
  leave_ = kj::mv(leaving.fulfiller);
  KJ_DEFER(leave_ = nullptr);
  clearWakeUp();
  port_.poll();  // first what came while nobody led: a job must find a lost connection lost
  settle(scope);
  serve();
  leaving.promise.wait(scope);
  settle(scope);  // what the last answer left to be sent
}

// Runs what can run now, and does not look for more.
void SharedLoop::settle(kj::WaitScope& scope) {
  kj::evalLast([] {}).wait(scope);
}

void SharedLoop::wakeNextLeader() {
  auto next = std::find_if(followers_.begin(), followers_.end(),
                           [](const Waiter* follower) { return !follower->isDone; });
  if (next != followers_.end()) (*next)->changed.notify_one();
}

void SharedLoop::keep(kj::Promise<void> task) { tasks_->add(kj::mv(task)); }

kj::Promise<void> SharedLoop::serveWhenWoken() {
  return wakeUpObserver_.whenReadable().then([this] {
    clearWakeUp();
    serve();
    return serveWhenWoken();
  });
}

void SharedLoop::clearWakeUp() {
  eventfd_t count = 0;
  eventfd_read(wakeUp_.get(), &count);
}

// Does what others have asked for by now.
void SharedLoop::serve() {
  std::vector<std::function<void()>> jobs;
  bool isStopping = false;
  {
    std::lock_guard lock(mutex_);
    jobs.swap(jobs_);
    isStopping = stopping_;
  }
  for (auto& job : jobs) job();
  if (isStopping) leave_->fulfill();
}

}  // namespace kiln::client
