#include "jit/service/toolchains.h"

#include <kj/async-io.h>
#include <kj/debug.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <fstream>
#include <mutex>

#include "tests/support/temporary_directory.h"

namespace kiln::test {
namespace {

Toolchain named(const std::string& name) {
  Toolchain toolchain;
  toolchain.name = name;
  toolchain.library = "/opt/" + name;
  return toolchain;
}

std::vector<std::string> namesOf(const ToolchainList& list) {
  std::vector<std::string> names;
  for (const auto& toolchain : list) names.push_back(toolchain->name);
  return names;
}

using Names = std::vector<std::string>;

// A survey that a test may hold up, on the executor's thread.
class StandInSurvey {
 public:
  std::vector<Toolchain> run() {
    std::unique_lock lock(mutex_);
    ++begun_;
    auto found = found_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !held_; });
    if (found.empty()) KJ_FAIL_REQUIRE("the survey broke");
    return found;
  }
  void find(std::vector<Toolchain> found) {
    std::lock_guard lock(mutex_);
    found_ = std::move(found);
  }
  void hold(bool held) {
    std::lock_guard lock(mutex_);
    held_ = held;
    changed_.notify_all();
  }
  void waitUntilBegun(unsigned count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return begun_ >= count; });
  }
  unsigned begun() {
    std::lock_guard lock(mutex_);
    return begun_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Toolchain> found_;
  bool held_ = false;
  unsigned begun_ = 0;
};

struct Fixture {
  Toolchains make(std::vector<Toolchain> first) {
    survey.find(first);
    return {executor, std::move(first), [this] { return survey.run(); },
            [this](const ToolchainList& before, const ToolchainList& after) {
              changes.emplace_back(namesOf(before), namesOf(after));
            }};
  }
  // A toolchain whose footprint is that of a file.
  Toolchain onDisk(const std::string& name, const std::string& content) {
    std::ofstream(file) << content;
    auto toolchain = named(name);
    toolchain.footprint.files = {stampFile(file)};
    return toolchain;
  }

  TemporaryDirectory directory;
  std::filesystem::path file = directory.path() / "library";
  kj::AsyncIoContext io = kj::setupAsyncIo();
  StandInSurvey survey;
  std::vector<std::pair<Names, Names>> changes;
  Executor executor{io.unixEventPort, 1};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a rescan tells what came and went, and keeps what stayed as it is") {
  auto toolchains = make({named("a"), named("b")});
  auto stayed = toolchains.list()[1];
  survey.find({named("b"), named("c")});
  toolchains.rescan().wait(io.waitScope);
  CHECK(namesOf(toolchains.list()) == Names{"b", "c"});
  CHECK(toolchains.list()[0] == stayed);
  CHECK(changes == std::vector<std::pair<Names, Names>>{{{"a", "b"}, {"b", "c"}}});
  toolchains.rescan().wait(io.waitScope);
  CHECK(changes.size() == 1);
  CHECK(survey.begun() == 2);
}

TEST_CASE_METHOD(Fixture, "a list is current, and not scanned for, until a file changes") {
  auto toolchains = make({onDisk("old", "content")});
  CHECK(toolchains.areCurrent());
  toolchains.refresh().wait(io.waitScope);
  CHECK(survey.begun() == 0);
  survey.find({onDisk("new", "other content")});
  CHECK_FALSE(toolchains.areCurrent());
  toolchains.refresh().wait(io.waitScope);
  CHECK(namesOf(toolchains.list()) == Names{"new"});
  CHECK(toolchains.areCurrent());
  CHECK(survey.begun() == 1);
}

TEST_CASE_METHOD(Fixture, "who asks while a scan runs shares the next one with all others who do") {
  auto toolchains = make({named("a")});
  survey.hold(true);
  auto first = toolchains.rescan();
  survey.waitUntilBegun(1);
  survey.find({named("b")});  // too late for the first
  std::vector<kj::Promise<void>> later;
  for (int i = 0; i < 5; ++i) later.push_back(toolchains.rescan());
  survey.hold(false);
  first.wait(io.waitScope);
  CHECK(namesOf(toolchains.list()) == Names{"a"});
  for (auto& one : later) {
    one.wait(io.waitScope);
    CHECK(namesOf(toolchains.list()) == Names{"b"});
  }
  CHECK(survey.begun() == 2);
}

TEST_CASE_METHOD(Fixture, "who needs what a running scan finds waits for no other") {
  auto toolchains = make({onDisk("old", "content")});
  auto found = onDisk("new", "other content");
  survey.find({found});
  survey.hold(true);
  auto first = toolchains.refresh();
  survey.waitUntilBegun(1);
  auto second = toolchains.refresh();
  survey.hold(false);
  second.wait(io.waitScope);
  CHECK(namesOf(toolchains.list()) == Names{"new"});
  CHECK(survey.begun() == 1);
}

TEST_CASE_METHOD(Fixture,
                 "a survey that breaks rejects those who wait for it, and the next one serves again") {
  auto toolchains = make({named("a")});
  survey.find({});
  CHECK_THROWS_WITH(toolchains.rescan().wait(io.waitScope), Catch::Contains("the survey broke"));
  CHECK(namesOf(toolchains.list()) == Names{"a"});
  survey.find({named("b")});
  toolchains.rescan().wait(io.waitScope);
  CHECK(namesOf(toolchains.list()) == Names{"b"});
}

TEST_CASE_METHOD(Fixture, "a scan goes on when those who asked for it have left") {
  auto toolchains = make({named("a")});
  survey.find({named("b")});
  survey.hold(true);
  {
    auto dropped = toolchains.rescan();
  }
  survey.hold(false);
  toolchains.rescan().wait(io.waitScope);
  CHECK(changes.size() == 1);
  CHECK(survey.begun() == 2);
}

}  // namespace kiln::test
