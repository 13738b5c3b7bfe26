// A store has one owner at a time, who must be allowed to use it.
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include <cstdlib>

#include "cache/rocksdb_store.h"
#include "cache/store_directory.h"
#include "tests/support/temporary_directory.h"

using namespace kiln;
using namespace kiln::test;

namespace {

constexpr const char* kHeldStore = "KILN_TEST_HELD_STORE";

std::string heldBySomebody(const std::filesystem::path& directory) {
  return "another kilnd (or another process) holds the store " + directory.string() +
         "; stop it or give another --store";
}

}  // namespace

// Not a test: what another process of this program does, until its standard input ends.
TEST_CASE("hold a store", "[.]") {
  auto store = openRocksDbStore(std::getenv(kHeldStore));
  char byte = store ? '+' : '-';
  (void)!write(STDOUT_FILENO, &byte, 1);
  while (read(STDIN_FILENO, &byte, 1) > 0) {
  }
  _exit(0);
}

TEST_CASE("A store that this process holds is refused with what to do") {
  TemporaryDirectory directory;
  auto first = openRocksDbStore(directory.path());
  REQUIRE(first);
  auto second = openRocksDbStore(directory.path());
  REQUIRE_FALSE(second);
  REQUIRE(second.error().message == heldBySomebody(directory.path()));
  first->reset();
  REQUIRE(openRocksDbStore(directory.path()));
}

TEST_CASE("A store that another process holds is refused with what to do, and free when that is gone") {
  TemporaryDirectory directory;
  int toHolder[2];
  int fromHolder[2];
  REQUIRE(pipe2(toHolder, O_CLOEXEC) == 0);
  REQUIRE(pipe2(fromHolder, O_CLOEXEC) == 0);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, toHolder[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, fromHolder[1], STDOUT_FILENO);
  setenv(kHeldStore, directory.path().c_str(), 1);
  const char* arguments[] = {"holder", "hold a store", nullptr};
  pid_t holder = 0;
  REQUIRE(posix_spawn(&holder, "/proc/self/exe", &actions, nullptr, const_cast<char**>(arguments), environ) ==
          0);
  posix_spawn_file_actions_destroy(&actions);
  unsetenv(kHeldStore);
  close(toHolder[0]);
  close(fromHolder[1]);

  char held = 0;
  CHECK(read(fromHolder[0], &held, 1) == 1);
  CHECK(held == '+');
  auto store = openRocksDbStore(directory.path());
  CHECK_FALSE(store);
  if (!store) CHECK(store.error().message == heldBySomebody(directory.path()));

  close(toHolder[1]);
  close(fromHolder[0]);
  int status = 0;
  REQUIRE(waitpid(holder, &status, 0) == holder);
  REQUIRE(openRocksDbStore(directory.path()));
}

TEST_CASE("A store that may not be read or written is refused by its name") {
  TemporaryDirectory directory;
  auto path = directory.path() / "store";
  REQUIRE(chmod(directory.path().c_str(), 0755) == 0);
  REQUIRE(mkdir(path.c_str(), 0) == 0);
  int answer[2];
  REQUIRE(pipe2(answer, O_CLOEXEC) == 0);
  // In a process of its own, since root may read and write everything.
  pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    if (geteuid() == 0 && setresuid(kNobody, kNobody, kNobody) != 0) _exit(1);
    auto prepared = prepareStoreDirectory(path);
    std::string message = prepared ? "it was accepted" : prepared.error().message;
    (void)!write(answer[1], message.data(), message.size());
    _exit(0);
  }
  close(answer[1]);
  std::string message(1000, '\0');
  auto size = read(answer[0], message.data(), message.size());
  close(answer[0]);
  REQUIRE(waitpid(child, nullptr, 0) == child);
  REQUIRE(size > 0);
  message.resize(static_cast<std::size_t>(size));
  REQUIRE(message == "cannot read and write the store " + path.string() +
                         ": Permission denied; correct that or give another --store");
}
