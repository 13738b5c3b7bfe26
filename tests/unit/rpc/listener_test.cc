#include "rpc/listener.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <fstream>

#include "tests/support/temporary_directory.h"

using namespace kiln;
using kiln::test::TemporaryDirectory;

namespace {

namespace fs = std::filesystem;

bool canConnect(const fs::path& path) {
  kj::AutoCloseFd client(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, path.c_str());
  return connect(client, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

// A bound socket whose owner is gone, unless it listens.
kj::AutoCloseFd plainSocket(const fs::path& path, bool listening) {
  kj::AutoCloseFd server(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, path.c_str());
  REQUIRE(bind(server, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  if (listening) REQUIRE(listen(server, 8) == 0);
  return server;
}

std::size_t filesIn(const fs::path& directory) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

ActivatedSocket activated(const fs::path& path, const std::string& name) {
  return {plainSocket(path, true), name, path};
}

}  // namespace

TEST_CASE("a listener answers under its path with its mode and leaves nothing behind") {
  TemporaryDirectory directory;
  auto path = directory.path() / "k.sock";
  {
    auto listener = Listener::bind({.path = path, .mode = 0640});
    REQUIRE(listener);
    CHECK(canConnect(path));
    struct stat status{};
    REQUIRE(lstat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0640);
  }
  CHECK(filesIn(directory.path()) == 0);
}

TEST_CASE("a listener's group is set by number, and an unknown one is an error that names it") {
  TemporaryDirectory directory;
  auto path = directory.path() / "k.sock";
  auto listener = Listener::bind({.path = path, .group = std::to_string(getegid())});
  REQUIRE(listener);
  struct stat status{};
  REQUIRE(lstat(path.c_str(), &status) == 0);
  CHECK(status.st_gid == getegid());
  auto unknown = Listener::bind({.path = directory.path() / "l.sock", .group = "no-such-group"});
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().find("no-such-group") != std::string::npos);
}

TEST_CASE("a socket that nobody answers on is replaced") {
  TemporaryDirectory directory;
  auto path = directory.path() / "k.sock";
  plainSocket(path, false);
  REQUIRE_FALSE(canConnect(path));
  auto listener = Listener::bind({.path = path});
  REQUIRE(listener);
  CHECK(canConnect(path));
}

TEST_CASE("a socket that another kilnd answers on is refused and goes on working") {
  TemporaryDirectory directory;
  auto path = directory.path() / "k.sock";
  auto first = Listener::bind({.path = path});
  REQUIRE(first);
  auto second = Listener::bind({.path = path});
  REQUIRE_FALSE(second);
  CHECK(second.error().starts_with("another kilnd answers on " + path.string()));
  CHECK(canConnect(path));
}

TEST_CASE("a socket that answers is refused also when its owner holds no lock") {
  TemporaryDirectory directory;
  auto path = directory.path() / "k.sock";
  auto other = plainSocket(path, true);
  auto listener = Listener::bind({.path = path});
  REQUIRE_FALSE(listener);
  CHECK(listener.error().starts_with("another kilnd answers on "));
  CHECK(canConnect(path));
  CHECK(filesIn(directory.path()) == 1);
}

TEST_CASE("a file in the socket's place is refused and left alone") {
  TemporaryDirectory directory;
  auto path = directory.path() / "k.sock";
  std::ofstream(path) << "mine";
  auto listener = Listener::bind({.path = path});
  REQUIRE_FALSE(listener);
  CHECK(fs::file_size(path) == 4);
}

TEST_CASE("a socket that took the path over is not removed by its predecessor") {
  TemporaryDirectory directory;
  auto path = directory.path() / "k.sock";
  kj::AutoCloseFd successor;
  {
    auto listener = Listener::bind({.path = path});
    REQUIRE(listener);
    fs::remove(path);
    successor = plainSocket(path, true);
  }
  CHECK(canConnect(path));
}

TEST_CASE("the fallback's directory is created for this user alone") {
  TemporaryDirectory directory;
  auto path = directory.path() / "kiln" / "kilnd.sock";
  auto listeners = openListeners({}, {}, {.path = path});
  REQUIRE(listeners);
  REQUIRE(listeners->size() == 1);
  CHECK(listeners->front().domain() == "default");
  CHECK(canConnect(path));
  CHECK(fs::status(path.parent_path()).permissions() == fs::perms::owner_all);
}

TEST_CASE("an activated socket belongs to the listener of its path or of its name") {
  TemporaryDirectory directory;
  Config config;
  config.listen = {{.path = directory.path() / "a", .domain = "first"},
                   {.path = directory.path() / "b", .domain = "second"}};
  std::vector<ActivatedSocket> sockets;
  sockets.push_back(activated(directory.path() / "a", "whatever"));
  sockets.push_back(activated(directory.path() / "elsewhere", "second"));
  auto listeners = openListeners(config, std::move(sockets), {.path = "/nonexistent/x"});
  REQUIRE(listeners);
  REQUIRE(listeners->size() == 2);
  CHECK((*listeners)[0].domain() == "first");
  CHECK((*listeners)[1].domain() == "second");
  CHECK_FALSE(fs::exists(directory.path() / "b"));
}

TEST_CASE(
    "an activated socket has the lane of its listener, and a name that means two listeners means none") {
  TemporaryDirectory directory;
  Config config;
  config.listen = {{.path = directory.path() / "open"},
                   {.path = directory.path() / "locked", .lane = Lane::locked}};
  std::vector<ActivatedSocket> sockets;
  sockets.push_back(activated(directory.path() / "locked", "default"));
  auto listeners = openListeners(config, std::move(sockets), {.path = "/nonexistent/x"});
  REQUIRE(listeners);
  REQUIRE(listeners->size() == 2);
  CHECK((*listeners)[0].lane() == Lane::locked);
  CHECK((*listeners)[1].lane() == Lane::open);
  listeners->clear();

  std::vector<ActivatedSocket> ambiguous;
  ambiguous.push_back(activated(directory.path() / "elsewhere", "default"));
  auto refused = openListeners(config, std::move(ambiguous), {.path = "/nonexistent/x"});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().find("add one with its path") != std::string::npos);
}

TEST_CASE("without configured listeners an activated socket's name is its domain if it is one's name") {
  TemporaryDirectory directory;
  std::vector<ActivatedSocket> sockets;
  sockets.push_back(activated(directory.path() / "a", "team-a"));
  sockets.push_back(activated(directory.path() / "b", "kilnd.socket"));
  auto listeners = openListeners({}, std::move(sockets), {.path = "/nonexistent/x"});
  REQUIRE(listeners);
  CHECK((*listeners)[0].domain() == "team-a");
  CHECK((*listeners)[1].domain() == "default");
}

TEST_CASE("an activated socket that no listener is configured for is an error that names it") {
  TemporaryDirectory directory;
  Config config;
  config.listen = {{.path = directory.path() / "a"}};
  std::vector<ActivatedSocket> sockets;
  sockets.push_back(activated(directory.path() / "b", "other"));
  auto listeners = openListeners(config, std::move(sockets), {.path = "/nonexistent/x"});
  REQUIRE_FALSE(listeners);
  CHECK(listeners.error().find((directory.path() / "b").string()) != std::string::npos);
}
