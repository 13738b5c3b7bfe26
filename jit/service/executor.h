// Blocking work away from the event loop: a mutex, a queue, an eventfd. kj::Executor would do, but reports false
// races under the thread sanitizer.
#pragma once

#include <kj/async-io.h>
#include <kj/async-unix.h>
#include <kj/async.h>

#include <functional>
#include <memory>

namespace kiln {

// Runs jobs on a few threads of its own and completes promises on the event loop that made it. All methods belong
// to that loop's thread. Destroying it waits for running jobs and drops queued ones.
class Executor {
 public:
  Executor(kj::UnixEventPort& port, unsigned threads);
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // Runs `job` on some thread. What it returns, or throws, the promise gives. Dropping the promise does not stop
  // the job; its result is thrown away.
  template <typename Job>
  auto run(Job job) -> kj::Promise<decltype(job())>;

 private:
  class Impl;
  void post(std::function<void()> work, std::function<void()> done);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kiln

#include "jit/service/executor_impl.h"
