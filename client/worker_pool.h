// A few threads for work that blocks on the file system, so that the loop never does.
#pragma once

#include <kj/async.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "client/shared_loop.h"

namespace kiln::client {

// Belongs to `loop`, which outlives it; jobs run elsewhere. Destroying it waits for running jobs
// and drops those that wait. Threads are started by the first job.
// Every signal is blocked there that another thread could take instead, so that the process's own handlers
// never run there.
class WorkerPool {
 public:
  WorkerPool(SharedLoop& loop, unsigned threads);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  [[nodiscard]] unsigned size() const { return size_; }

  // Runs `job` on some thread; the promise gives what it returns, and rejects with what it throws. Dropping
  // the promise does not stop the job.
  template <typename Job>
  auto run(Job job) -> kj::Promise<decltype(job())>;

 private:
  struct Work {
    std::uint64_t number;
    std::function<void()> job;
  };

  kj::Promise<void> perform(std::function<void()> job);
  void startThreads();
  void serve();
  void report(std::uint64_t number, std::optional<std::string> problem);

  SharedLoop& loop_;
  unsigned size_;
  std::uint64_t nextNumber_ = 1;
  // Promises stay on the loop: workers know their numbers only.
  std::map<std::uint64_t, kj::Own<kj::PromiseFulfiller<void>>> waiting_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

template <typename Job>
auto WorkerPool::run(Job job) -> kj::Promise<decltype(job())> {
  auto result = std::make_shared<std::optional<decltype(job())>>();
  return perform([job = std::move(job), result] { result->emplace(job()); }).then([result] {
    return std::move(**result);
  });
}

}  // namespace kiln::client
