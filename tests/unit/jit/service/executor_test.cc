#include "jit/service/executor.h"

#include <kj/async-io.h>
#include <kj/vector.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace kiln {

TEST_CASE("a job runs on another thread and its result comes back to the loop") {
  auto io = kj::setupAsyncIo();
  Executor executor(io.unixEventPort, 2);
  auto caller = std::this_thread::get_id();
  auto thread = executor.run([] { return std::this_thread::get_id(); })
                    .then([&](std::thread::id id) {
                      CHECK(std::this_thread::get_id() == caller);
                      return id;
                    })
                    .wait(io.waitScope);
  CHECK(thread != caller);
}

TEST_CASE("a job may return nothing, or what can only be moved") {
  auto io = kj::setupAsyncIo();
  Executor executor(io.unixEventPort, 1);
  bool ran = false;
  executor.run([&ran] { ran = true; }).wait(io.waitScope);
  CHECK(ran);
  CHECK(*executor.run([] { return std::make_unique<int>(7); }).wait(io.waitScope) == 7);
}

TEST_CASE("what a job throws rejects its promise, and the thread goes on") {
  auto io = kj::setupAsyncIo();
  Executor executor(io.unixEventPort, 1);
  auto failed = executor.run([]() -> int { throw std::runtime_error("no such thing"); });
  try {
    failed.wait(io.waitScope);
    FAIL("the promise did not reject");
  } catch (const kj::Exception& exception) {
    CHECK(std::string(exception.getDescription().cStr()).find("no such thing") != std::string::npos);
  }
  CHECK(executor.run([] { return 1; }).wait(io.waitScope) == 1);
}

TEST_CASE("many jobs from one loop all complete") {
  auto io = kj::setupAsyncIo();
  Executor executor(io.unixEventPort, 4);
  kj::Vector<kj::Promise<int>> promises;
  for (int i = 0; i < 1000; ++i) promises.add(executor.run([i] { return i; }));
  int sum = 0;
  for (auto value : kj::joinPromises(promises.releaseAsArray()).wait(io.waitScope)) sum += value;
  CHECK(sum == 499500);
}

TEST_CASE("as many jobs run at once as there are threads") {
  auto io = kj::setupAsyncIo();
  Executor executor(io.unixEventPort, 2);
  std::promise<void> met;
  auto waits = executor.run([future = met.get_future().share()] { future.wait(); });
  executor.run([&met] { met.set_value(); }).wait(io.waitScope);
  waits.wait(io.waitScope);
}

TEST_CASE("a job whose promise was dropped still runs, and its result is thrown away") {
  auto io = kj::setupAsyncIo();
  Executor executor(io.unixEventPort, 1);
  std::atomic<bool> ran = false;
  {
    auto dropped = executor.run([&ran] { ran = true; });
  }
  executor.run([] {}).wait(io.waitScope);
  CHECK(ran);
}

TEST_CASE("destroying the executor waits for the running job and drops those behind it") {
  auto io = kj::setupAsyncIo();
  std::promise<void> started;
  std::promise<void> mayEnd;
  bool ended = false;
  bool ranSecond = false;
  kj::Promise<void> first = nullptr;
  kj::Promise<void> second = nullptr;
  std::thread releaser;
  {
    Executor executor(io.unixEventPort, 1);
    first = executor.run([&, future = mayEnd.get_future().share()] {
      started.set_value();
      future.wait();
      ended = true;
    });
    second = executor.run([&] { ranSecond = true; });
    started.get_future().wait();
    releaser = std::thread([&] { mayEnd.set_value(); });
  }
  releaser.join();
  CHECK(ended);
  // The second may run only if the release came before the executor was told to stop.
  if (!ranSecond) CHECK_THROWS_AS(second.wait(io.waitScope), kj::Exception);
}

}  // namespace kiln
