// No compiler process outlives those who wait for it, nor the pool, nor the daemon.
#include <poll.h>
#include <signal.h>

#include <catch2/catch.hpp>

#include "frontends/pool/pidfd.h"
#include "pool_fixture.h"

using namespace kiln;

namespace {

bool isGone(int processId) { return kill(processId, 0) != 0 && errno == ESRCH; }

// A client that is asked and never answers.
class SilentFiles final : public FileAnswerer {
 public:
  kj::Promise<FileReply> answer(FileQuestion) override {
    ++asked;
    return kj::NEVER_DONE;
  }
  int asked = 0;
};

// The life of a daemon that is killed in the middle of a compile: tells its compiler processes through `out`.
[[noreturn]] void compileForEver(int out) {
  PoolFixture fixture;
  SilentFiles files;
  auto compiled = fixture.compile(fixture.toolchain(), "look /a", files);
  // A zygote that does not listen would not notice that its control socket is closed.
  fixture.pool->prepare(fixture.toolchain("hang"));
  fixture.until([&] { return files.asked == 1 && fixture.pool->processes().size() == 3; });
  for (const auto& process : fixture.pool->processes()) {
    [[maybe_unused]] auto written = write(out, &process.processId, sizeof process.processId);
  }
  close(out);
  compiled.wait(fixture.io.waitScope);
  _exit(1);
}

bool endsSoon(int pidfd) {
  pollfd watched{pidfd, POLLIN, 0};
  return poll(&watched, 1, 20'000) == 1;
}

}  // namespace

TEST_CASE("Dropping the promise kills the process and reaps it") {
  PoolFixture fixture;
  SilentFiles files;
  auto compiled = fixture.compile(fixture.toolchain(), "look /a", files);
  fixture.until([&] { return files.asked == 1; });
  int child = fixture.childId();
  int zygote = fixture.zygoteId();
  REQUIRE(child != 0);
  compiled = nullptr;
  fixture.until([&] { return fixture.childId() == 0; });
  CHECK(isGone(child));
  CHECK_FALSE(isGone(zygote));
}

TEST_CASE("A promise that is dropped before its process is there leaves none") {
  PoolFixture fixture;
  auto toolchain = fixture.toolchain();
  auto files = noFiles();
  {
    auto dropped = fixture.compile(toolchain, "hang", files);
  }
  CHECK(outputOf(fixture.compileNow(toolchain, "say it")) == "it");
  fixture.until([&] { return fixture.spareId() != 0 && fixture.pool->processes().size() == 2; });
  CHECK(fixture.zygoteId() != 0);
}

TEST_CASE("A child waits for the next compile once none runs") {
  PoolFixture fixture;
  auto toolchain = fixture.toolchain();
  SilentFiles files;
  {
    auto compiled = fixture.compile(toolchain, "look /a", files);
    fixture.until([&] { return files.asked == 1; });
    CHECK(outputOf(fixture.compileNow(toolchain, "say it")) == "it");
    CHECK(fixture.spareId() == 0);
  }
  fixture.until([&] { return fixture.spareId() != 0; });
  const int spare = fixture.spareId();
  auto compiled = fixture.compile(toolchain, "look /a", files);
  fixture.until([&] { return files.asked == 2; });
  CHECK(fixture.childId() == spare);
  CHECK(fixture.spareId() == 0);
}

TEST_CASE("A spare child that is killed is replaced, and ends with its zygote and its toolchain") {
  PoolFixture fixture;
  auto toolchain = fixture.toolchain();
  CHECK(outputOf(fixture.compileNow(toolchain, "say it")) == "it");
  fixture.until([&] { return fixture.spareId() != 0; });
  kill(fixture.spareId(), SIGKILL);
  REQUIRE(endsSoon(kj::AutoCloseFd(openPidfd(fixture.spareId()))));
  CHECK(outputOf(fixture.compileNow(toolchain, "say it")) == "it");  // though the pool was not told yet
  fixture.until([&] { return fixture.spareId() != 0; });
  const int spare = fixture.spareId();
  kill(fixture.zygoteId(), SIGKILL);
  fixture.until([&] { return fixture.spareId() == 0; });
  CHECK(isGone(spare));
  CHECK(outputOf(fixture.compileNow(toolchain, "say it")) == "it");
  fixture.until([&] { return fixture.spareId() != 0; });
  fixture.pool->keepOnly({});
  fixture.until([&] { return fixture.pool->processes().empty(); });
}

TEST_CASE("The pool's end leaves no process, whatever runs") {
  PoolFixture fixture;
  SilentFiles files;
  auto toolchain = fixture.toolchain();
  auto asking = fixture.compile(toolchain, "look /a", files);
  auto hanging = fixture.compile(toolchain, "hang", files);
  auto waiting = fixture.compile(fixture.toolchain("hang"), "say it", files);
  fixture.until([&] { return files.asked == 1 && fixture.pool->processes().size() == 4; });
  fixture.pool = nullptr;
  CHECK(hasNoChildren());
  CHECK_THROWS(asking.wait(fixture.io.waitScope));
  CHECK_THROWS(waiting.wait(fixture.io.waitScope));
}

TEST_CASE("When the daemon is killed, its zygotes and their children die") {
  TemporaryDirectory directory;  // for what the killed process leaves behind
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  int daemon = fork();
  if (daemon == 0) {
    close(ends[0]);
    setenv("TMPDIR", directory.path().c_str(), 1);
    compileForEver(ends[1]);
  }
  close(ends[1]);
  std::vector<kj::AutoCloseFd> pidfds;
  for (int id = 0; read(ends[0], &id, sizeof id) == sizeof id;) pidfds.emplace_back(openPidfd(id));
  close(ends[0]);
  kill(daemon, SIGKILL);
  REQUIRE(pidfds.size() == 3);
  for (auto& pidfd : pidfds) {
    REQUIRE(pidfd.get() >= 0);
    CHECK(endsSoon(pidfd));
  }
  waitpid(daemon, nullptr, 0);
}
