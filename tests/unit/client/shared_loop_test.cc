#include "client/shared_loop.h"

#include <kj/debug.h>
#include <signal.h>

#include <atomic>
#include <catch2/catch.hpp>

#include "client/worker_pool.h"

using kiln::client::CallError;
using kiln::client::SharedLoop;
using kiln::client::WorkerPool;

namespace {

struct Workers : SharedLoop::Resident {
  explicit Workers(SharedLoop& loop) : pool(loop, 2) {}
  WorkerPool pool;
};

std::unique_ptr<SharedLoop::Resident> withWorkers(SharedLoop& loop) {
  return std::make_unique<Workers>(loop);
}

}  // namespace

TEST_CASE("jobs of all threads run on the loop, those of one thread in order") {
  SharedLoop loop(withWorkers);
  constexpr int kJobs = 200;
  std::vector<int> seen[4];
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kJobs; ++i) loop.post([&seen, thread, i] { seen[thread].push_back(i); });
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(*loop.call<int>([](auto&) -> kj::Promise<int> { return 7; }) == 7);
  for (const auto& numbers : seen) {
    CHECK(numbers.size() == kJobs);
    CHECK(std::is_sorted(numbers.begin(), numbers.end()));
  }
}

TEST_CASE("what a call throws is its error") {
  SharedLoop loop(withWorkers);
  auto failed = loop.call<int>([](auto&) -> kj::Promise<int> { KJ_FAIL_REQUIRE("no such thing"); });
  REQUIRE_FALSE(failed);
  CHECK_THAT(failed.error().message, Catch::Contains("no such thing"));
  CHECK_FALSE(failed.error().disconnected);

  auto lost = loop.call<int>([](auto&) -> kj::Promise<int> { return KJ_EXCEPTION(DISCONNECTED, "gone"); });
  REQUIRE_FALSE(lost);
  CHECK(lost.error().disconnected);
}

TEST_CASE("stop ends calls that wait, and those that come later") {
  SharedLoop loop(withWorkers);
  auto waiting = [&] { return loop.call<int>([](auto&) -> kj::Promise<int> { return kj::NEVER_DONE; }); };
  std::expected<int, CallError> result;
  std::thread caller([&] { result = waiting(); });
  loop.stop();
  caller.join();
  CHECK_FALSE(result);
  CHECK_FALSE(waiting());
}

TEST_CASE("timers run on the loop") {
  SharedLoop loop(withWorkers);
  auto done = loop.call<bool>(
      [&](auto&) { return loop.port().timer().afterDelay(1 * kj::MILLISECONDS).then([] { return true; }); });
  CHECK(done);
}

TEST_CASE("jobs of the workers run beside each other and off the loop") {
  SharedLoop loop(withWorkers);
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
  auto ids = loop.call<std::vector<std::thread::id>>([&](SharedLoop::Resident& resident) {
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
  SharedLoop loop(withWorkers);
  auto result = loop.call<int>([](SharedLoop::Resident& resident) {
    return static_cast<Workers&>(resident).pool.run([]() -> int { throw std::runtime_error("unlucky"); });
  });
  REQUIRE_FALSE(result);
  CHECK_THAT(result.error().message, Catch::Contains("unlucky"));
}

TEST_CASE("the process's signals are not taken by a worker's thread, its own faults are") {
  SharedLoop loop(withWorkers);
  auto blocked = [&](int signal) {
    return *loop.call<bool>([signal](SharedLoop::Resident& resident) {
      return static_cast<Workers&>(resident).pool.run([signal] {
        sigset_t mask;
        pthread_sigmask(SIG_SETMASK, nullptr, &mask);
        return sigismember(&mask, signal) == 1;
      });
    });
  };
  CHECK(blocked(SIGTERM));
  CHECK(blocked(SIGPROF));
  CHECK(blocked(SIGUSR1));
  CHECK_FALSE(blocked(SIGSEGV));
}

TEST_CASE("a call that is alone runs in the thread that made it") {
  SharedLoop loop(withWorkers);
  auto where = loop.call<std::thread::id>(
      [](auto&) -> kj::Promise<std::thread::id> { return std::this_thread::get_id(); });
  CHECK(*where == std::this_thread::get_id());
}

TEST_CASE("the thread that runs the loop leaves with its answer, and the next goes on for those who wait") {
  SharedLoop loop(withWorkers);
  // All wait until the last has come. Then each is answered by a worker, after the one before it.
  constexpr std::size_t kCalls = 8;
  std::vector<kj::Own<kj::PromiseFulfiller<void>>> gates;  // of the loop
  auto arrive = [&](SharedLoop::Resident& resident) -> kj::Promise<bool> {
    auto& pool = static_cast<Workers&>(resident).pool;
    auto gate = kj::newPromiseAndFulfiller<void>();
    const auto own = gates.size();
    gates.push_back(kj::mv(gate.fulfiller));
    if (gates.size() == kCalls) gates.front()->fulfill();
    return gate.promise.then([&pool] { return pool.run([] { return true; }); }).then([&, own](bool done) {
      if (own + 1 < kCalls) gates[own + 1]->fulfill();
      return done;
    });
  };
  std::vector<std::thread> threads;
  std::atomic<unsigned> answered = 0;
  for (std::size_t i = 0; i < kCalls; ++i) {
    threads.emplace_back([&] { answered += *loop.call<bool>(arrive) ? 1 : 0; });
  }
  for (auto& thread : threads) thread.join();
  CHECK(answered == kCalls);
}

TEST_CASE("the thread that runs the loop leaves with its answer, however much there is to do for others") {
  SharedLoop loop(withWorkers);
  std::function<void()> again = [&] { loop.post(again); };
  loop.post(again);
  for (int i = 0; i < 3; ++i) CHECK(loop.call<int>([i](auto&) -> kj::Promise<int> { return i; }) == i);
}

TEST_CASE("calls of many threads all come to their end, however they overlap") {
  SharedLoop loop(withWorkers);
  constexpr int kRounds = 500;
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kRounds; ++i) {
        auto got = loop.call<int>([&](SharedLoop::Resident& resident) -> kj::Promise<int> {
          if (i % 3 == 0) return i;
          if (i % 3 == 1) return kj::evalLater([i] { return i; });
          return static_cast<Workers&>(resident).pool.run([i] { return i; });
        });
        if (!got || *got != i) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
}
