#include "frontends/process/prefault.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

using namespace kiln;

namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kPages = 2000;

long faults() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

// How many faults a forked child takes on pages that its parent has written, having prefaulted with a socket
// on which `bytes` wait.
long faultsOfChild(std::size_t bytes) {
  auto* memory = static_cast<volatile char*>(
      mmap(nullptr, kPages * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  madvise(const_cast<char*>(memory), kPages * kPage, MADV_NOHUGEPAGE);
  for (std::size_t i = 0; i < kPages; ++i) memory[i * kPage] = 1;
  int sockets[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
  REQUIRE(write(sockets[1], "job", bytes) == static_cast<ssize_t>(bytes));
  int result[2];
  REQUIRE(pipe(result) == 0);
  pid_t child = fork();
  if (child == 0) {
    prefaultUntilReadable(sockets[0]);
    const long before = faults();
    for (std::size_t i = 0; i < kPages; ++i) memory[i * kPage] = 2;
    const long taken = faults() - before;
    _exit(write(result[1], &taken, sizeof taken) == sizeof taken ? 0 : 1);
  }
  long taken = -1;
  REQUIRE(read(result[0], &taken, sizeof taken) == sizeof taken);
  waitpid(child, nullptr, 0);
  for (int descriptor : {sockets[0], sockets[1], result[0], result[1]}) close(descriptor);
  munmap(const_cast<char*>(memory), kPages * kPage);
  return taken;
}

}  // namespace

TEST_CASE("pages that a clone shares with its parent are its own before it writes them") {
  CHECK(faultsOfChild(0) < static_cast<long>(kPages / 10));
}

TEST_CASE("a job that is there already is not kept waiting for pages") {
  CHECK(faultsOfChild(3) >= static_cast<long>(kPages));
}
