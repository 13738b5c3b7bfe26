#include "client/io_thread.h"

#include <kj/debug.h>
#include <signal.h>

#include <catch2/catch.hpp>

#include "client/worker_pool.h"

using kiln::client::CallError;
using kiln::client::IoThread;
using kiln::client::WorkerPool;

namespace {

struct Workers : IoThread::Resident {
  explicit Workers(IoThread& io) : pool(io, 2) {}
  WorkerPool pool;
};

std::unique_ptr<IoThread::Resident> withWorkers(IoThread& io) { return std::make_unique<Workers>(io); }

}  // namespace

TEST_CASE("jobs of all threads run on the loop, those of one thread in order") {
  IoThread io(withWorkers);
  constexpr int kJobs = 200;
  std::vector<int> seen[4];
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kJobs; ++i) io.post([&seen, thread, i] { seen[thread].push_back(i); });
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(*io.call<int>([](auto&) -> kj::Promise<int> { return 7; }) == 7);
  for (const auto& numbers : seen) {
    CHECK(numbers.size() == kJobs);
    CHECK(std::is_sorted(numbers.begin(), numbers.end()));
  }
}

TEST_CASE("what a call throws is its error") {
  IoThread io(withWorkers);
  auto failed = io.call<int>([](auto&) -> kj::Promise<int> { KJ_FAIL_REQUIRE("no such thing"); });
  REQUIRE_FALSE(failed);
  CHECK_THAT(failed.error().message, Catch::Contains("no such thing"));
  CHECK_FALSE(failed.error().disconnected);

  auto lost = io.call<int>([](auto&) -> kj::Promise<int> { return KJ_EXCEPTION(DISCONNECTED, "gone"); });
  REQUIRE_FALSE(lost);
  CHECK(lost.error().disconnected);
}

TEST_CASE("stop ends calls that wait, and those that come later") {
  IoThread io(withWorkers);
  auto waiting = [&] { return io.call<int>([](auto&) -> kj::Promise<int> { return kj::NEVER_DONE; }); };
  std::expected<int, CallError> result;
  std::thread caller([&] { result = waiting(); });
  io.stop();
  caller.join();
  CHECK_FALSE(result);
  CHECK_FALSE(waiting());
}

TEST_CASE("timers run on the loop") {
  IoThread io(withWorkers);
  auto done = io.call<bool>(
      [&](auto&) { return io.port().timer().afterDelay(1 * kj::MILLISECONDS).then([] { return true; }); });
  CHECK(done);
}

TEST_CASE("jobs of the workers run beside each other and off the loop") {
  IoThread io(withWorkers);
  std::mutex mutex;
  std::condition_variable changed;
  int arrived = 0;
  // Ends only if the other one runs too.
  auto meet = [&] {
    std::unique_lock lock(mutex);
    ++arrived;
    changed.notify_all();
    changed.wait(lock, [&] { return arrived == 2; });
    return std::this_thread::get_id();
  };
  auto ids = io.call<std::vector<std::thread::id>>([&](IoThread::Resident& resident) {
    auto& pool = static_cast<Workers&>(resident).pool;
    auto first = pool.run(meet);
    auto second = pool.run(meet);
    return first.then([second = kj::mv(second)](std::thread::id one) mutable {
      return second.then([one](std::thread::id other) {
        return std::vector<std::thread::id>{one, other, std::this_thread::get_id()};
      });
    });
  });
  REQUIRE(ids);
  CHECK((*ids)[0] != (*ids)[1]);
  CHECK((*ids)[0] != (*ids)[2]);
  CHECK((*ids)[1] != (*ids)[2]);
}

TEST_CASE("what a worker's job throws rejects its promise") {
  IoThread io(withWorkers);
  auto result = io.call<int>([](IoThread::Resident& resident) {
    return static_cast<Workers&>(resident).pool.run([]() -> int { throw std::runtime_error("unlucky"); });
  });
  REQUIRE_FALSE(result);
  CHECK_THAT(result.error().message, Catch::Contains("unlucky"));
}

TEST_CASE("the process's signals are not taken by the loop's thread, its own faults are") {
  IoThread io(withWorkers);
  auto blocked = [&](int signal) {
    return *io.call<bool>([signal](auto&) -> kj::Promise<bool> {
      sigset_t mask;
      pthread_sigmask(SIG_SETMASK, nullptr, &mask);
      return sigismember(&mask, signal) == 1;
    });
  };
  CHECK(blocked(SIGTERM));
  CHECK(blocked(SIGPROF));
  CHECK(blocked(SIGUSR1));
  CHECK_FALSE(blocked(SIGSEGV));
}
