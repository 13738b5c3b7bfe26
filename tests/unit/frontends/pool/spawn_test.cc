#include "frontends/pool/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>

#include <catch2/catch.hpp>

#include "pool_fixture.h"

using namespace kiln;
using Catch::Matchers::Contains;

namespace {

struct Ran {
  std::string output;
  ExitStatus status;
};

Ran run(std::vector<std::string> arguments, std::optional<int> control) {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  kj::AutoCloseFd ours(ends[0]);
  kj::AutoCloseFd theirs(ends[1]);
  auto process = spawn({standInCompiler(), std::move(arguments), control, theirs.get()});
  REQUIRE(process);
  theirs = nullptr;
  Ran ran;
  char block[4096];
  for (ssize_t size = 0; (size = read(ours, block, sizeof block)) > 0;) ran.output.append(block, size);
  ran.status = process->reap();
  return ran;
}

// Sets a signal's disposition and blocks it, and an environment variable, for as long as it lives.
struct Surroundings {
  Surroundings() {
    before = signal(SIGUSR2, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    setenv("KILN_TEST_SECRET", "1", 1);
    setenv("KILN_SAN_OPTIONS", "2", 1);
  }
  ~Surroundings() {
    signal(SIGUSR2, before);
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
    unsetenv("KILN_TEST_SECRET");
    unsetenv("KILN_SAN_OPTIONS");
  }
  sighandler_t before;
  sigset_t set;
};

}  // namespace

TEST_CASE("A compiler process starts with a clean slate") {
  Surroundings surroundings;
  kj::AutoCloseFd inherited(open("/dev/null", O_RDONLY));  // not closed on exec
  auto ran = run({"--surroundings"}, inherited.get());
  CHECK_THAT(ran.output,
             Contains("descriptor 0\ndescriptor 1\ndescriptor 2\ndescriptor 3\nSigBlk:\t0000000000000000\n"
                      "SigIgn:\t0000000000000000\n"));
  CHECK_THAT(ran.output, Contains("variable KILN_SAN_OPTIONS=2\n") && !Contains("KILN_TEST_SECRET"));
  CHECK_THAT(ran.output, Contains("session own"));
  CHECK(ran.status == ExitStatus{ExitStatus::How::exited, 0});
}

TEST_CASE("Without a control socket there is no descriptor 3") {
  auto ran = run({"--surroundings"}, std::nullopt);
  CHECK_THAT(ran.output, Contains("descriptor 2\nSigBlk"));
}

TEST_CASE("A process tells its exit status for as long as it is asked") {
  auto process = spawn({standInCompiler(), {}, std::nullopt, std::nullopt});
  REQUIRE(process);
  CHECK(describe(process->reap()) == "exited with status 2");
  CHECK(process->tryReap() == ExitStatus{ExitStatus::How::exited, 2});
}

TEST_CASE("A program that is none is a failure that names it") {
  TemporaryDirectory directory;
  auto process = spawn({directory.path(), {}, std::nullopt, std::nullopt});
  REQUIRE_FALSE(process);
  CHECK(process.error().kind == FailureKind::toolchainUnavailable);
  CHECK_THAT(process.error().message, Contains(directory.path().string()) && Contains("Permission denied"));
  CHECK(hasNoChildren());
}
