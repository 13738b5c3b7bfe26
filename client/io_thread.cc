#include "client/io_thread.h"

#include <kj/debug.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

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

kj::AutoCloseFd newEventDescriptor() {
  int descriptor = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (descriptor < 0) KJ_FAIL_SYSCALL("eventfd", errno);
  return kj::AutoCloseFd(descriptor);
}

}  // namespace

std::thread startQuietThread(std::function<void()> main) {
  sigset_t blocked = signalsOfOthers();
  sigset_t before;
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  KJ_DEFER(pthread_sigmask(SIG_SETMASK, &before, nullptr));
  return std::thread(std::move(main));
}

CallError callError(const kj::Exception& exception) {
  return {exception.getType() == kj::Exception::Type::DISCONNECTED, exception.getDescription().cStr()};
}

class IoThread::Tasks final : private kj::TaskSet::ErrorHandler {
 public:
  Tasks() : set_(*this) {}
  void add(kj::Promise<void> task) { set_.add(kj::mv(task)); }

 private:
  void taskFailed(kj::Exception&&) override {}

  kj::TaskSet set_;
};

IoThread::IoThread(MakeResident makeResident)
    : makeResident_(std::move(makeResident)), wakeUp_(newEventDescriptor()) {
  thread_ = startQuietThread([this] { main(); });
}

IoThread::~IoThread() { stop(); }

void IoThread::post(std::function<void()> job) {
  std::lock_guard lock(mutex_);
  if (stopping_) return;
  jobs_.push_back(std::move(job));
  if (jobs_.size() == 1) eventfd_write(wakeUp_.get(), 1);
}

void IoThread::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    eventfd_write(wakeUp_.get(), 1);
  }
  std::lock_guard joining(joining_);
  if (thread_.joinable()) thread_.join();
  std::lock_guard lock(mutex_);
  jobs_.clear();  // what was posted too late to run: its caller learns that now
}

void IoThread::keep(kj::Promise<void> task) { tasks_->add(kj::mv(task)); }

void IoThread::main() {
  EventPort port;
  kj::EventLoop loop(port);
  kj::WaitScope waitScope(loop);
  EventPort::Observer wakeUp(port, wakeUp_.get());
  port_ = &port;

  auto resident = makeResident_(*this);
  resident_ = resident.get();
  Tasks tasks;
  tasks_ = &tasks;
  serveJobs(wakeUp).wait(waitScope);
}

kj::Promise<void> IoThread::serveJobs(EventPort::Observer& wakeUp) {
  return wakeUp.whenReadable().then([this, &wakeUp]() -> kj::Promise<void> {
    eventfd_t count = 0;
    eventfd_read(wakeUp_.get(), &count);
    {
      std::lock_guard lock(mutex_);
      if (stopping_) return kj::READY_NOW;
    }
    runJobs();
    return serveJobs(wakeUp);
  });
}

void IoThread::runJobs() {
  std::vector<std::function<void()>> jobs;
  {
    std::lock_guard lock(mutex_);
    jobs.swap(jobs_);
  }
  for (auto& job : jobs) job();
}

}  // namespace kiln::client
