#include "rpc/systemd.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "tests/support/temporary_directory.h"

using namespace kiln;
using kiln::test::TemporaryDirectory;

namespace {

// Binds a Unix socket; a name with '@' is an abstract address.
kj::AutoCloseFd bound(int type, const std::string& name) {
  kj::AutoCloseFd descriptor(socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name.data(), name.size());
  if (name[0] == '@') address.sun_path[0] = '\0';
  auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  REQUIRE(bind(descriptor, reinterpret_cast<sockaddr*>(&address), size) == 0);
  return descriptor;
}

std::string received(int descriptor) {
  char buffer[256];
  auto size = recv(descriptor, buffer, sizeof buffer, MSG_DONTWAIT);
  return size < 0 ? std::string("nothing") : std::string(buffer, static_cast<std::size_t>(size));
}

// Descriptors that nothing else uses, as a service manager would pass them.
constexpr int kFirst = 200;

void announce(pid_t process, int count, const char* names) {
  setenv("LISTEN_PID", std::to_string(process).c_str(), 1);
  setenv("LISTEN_FDS", std::to_string(count).c_str(), 1);
  setenv("LISTEN_FDNAMES", names, 1);
}

}  // namespace

TEST_CASE("the service manager is told at a path and at an abstract address") {
  TemporaryDirectory directory;
  for (auto name :
       {(directory.path() / "notify").string(), "@kiln-test-" + directory.path().filename().string()}) {
    auto manager = bound(SOCK_DGRAM, name);
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
    CHECK(notifyServiceManager("READY=1"));
    CHECK(received(manager) == "READY=1");
  }
  unsetenv("NOTIFY_SOCKET");
  CHECK_FALSE(notifyServiceManager("READY=1"));
}

TEST_CASE("announced sockets are taken with their names and paths, and announced to nobody else") {
  TemporaryDirectory directory;
  auto path = directory.path() / "a.sock";
  auto socket = bound(SOCK_STREAM, path.string());
  REQUIRE(listen(socket, 1) == 0);
  REQUIRE(dup2(socket, kFirst) == kFirst);
  announce(getpid(), 1, "team-a");
  auto sockets = takeActivatedSockets(kFirst);
  REQUIRE(sockets);
  REQUIRE(sockets->size() == 1);
  CHECK(sockets->front().name == "team-a");
  CHECK(sockets->front().path == path);
  CHECK((fcntl(sockets->front().descriptor, F_GETFD) & FD_CLOEXEC) != 0);
  CHECK(std::getenv("LISTEN_FDS") == nullptr);
}

TEST_CASE("sockets announced to another process are not taken") {
  announce(getpid() + 1, 1, "a");
  auto sockets = takeActivatedSockets(kFirst);
  REQUIRE(sockets);
  CHECK(sockets->empty());
}

TEST_CASE("an announced descriptor that is no listening socket is an error that names it") {
  TemporaryDirectory directory;
  auto socket = bound(SOCK_STREAM, (directory.path() / "a.sock").string());
  REQUIRE(dup2(socket, kFirst) == kFirst);
  announce(getpid(), 1, "a");
  auto sockets = takeActivatedSockets(kFirst);
  REQUIRE_FALSE(sockets);
  CHECK(sockets.error().find("descriptor 200") != std::string::npos);
}
