#include "client/client.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <thread>

#include "client/digest_cache.h"
#include "jit/question_list.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/client/stand_in_daemon.h"

using namespace kiln;
using kiln::client::Client;
using kiln::client::ClientOptions;
using kiln::client::Reply;
using kiln::test::StandInDaemon;
using kiln::test::TemporaryDirectory;

namespace {

ClientOptions optionsFor(const TemporaryDirectory& directory) {
  ClientOptions options;
  options.socket = directory.path() / "kilnd.sock";
  options.name = "client_test 1";
  return options;
}

Request kernel(std::string source) {
  Request request;
  request.target = {Target::Kind::nvidiaReal, "sm_90"};
  request.source = std::move(source);
  request.names.source = "k.cu";
  return request;
}

std::string bytesOf(const Reply& reply) {
  const auto& bytes = reply.outputs.at(0).bytes;
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string compiled(Client& client, const std::string& source) {
  auto reply = client.compile(kernel(source), {});
  if (!reply) throw std::runtime_error(reply.error().message);
  return bytesOf(*reply);
}

struct Fixture {
  TemporaryDirectory directory;
  ClientOptions options = optionsFor(directory);
  std::filesystem::path socket = options.socket;
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a miss sends the source, a hit does not") {
  StandInDaemon daemon(socket);
  Client client(options);

  auto first = client.compile(kernel("a"), {.toolchain = "nvrtc 13.0"});
  REQUIRE(first);
  CHECK(first->how == Reply::How::miss);
  CHECK(first->missReason == "never seen");
  CHECK(bytesOf(*first) == StandInDaemon::binaryOf("a"));
  CHECK(daemon.seen().sources == std::vector<std::string>{"a"});
  CHECK(daemon.seen().clientName == "client_test 1");
  CHECK(daemon.seen().toolchain == "nvrtc 13.0");

  auto second = client.compile(kernel("a"), {});
  REQUIRE(second);
  CHECK(second->how == Reply::How::hit);
  CHECK(second->missReason.empty());
  CHECK(bytesOf(*second) == StandInDaemon::binaryOf("a"));
  CHECK(daemon.seen().compiles == 1);
  CHECK(daemon.seen().lookups == 2);
}

TEST_CASE_METHOD(Fixture, "a reply holds all that the daemon told") {
  StandInDaemon daemon(socket);
  Client client(options);
  auto reply = client.compile(kernel("a"), {});
  REQUIRE(reply);
  CHECK(reply->key == std::string(16, '5').replace(0, 16, "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"));
  CHECK(reply->toolchain == "nvrtc 13.0");
  CHECK(reply->compileMilliseconds == 12.5);
  CHECK(reply->totalMilliseconds > 0);
  CHECK(reply->log == "a warning\n");
  CHECK(reply->loweredNames == std::vector<LoweredName>{{"scale<float>", "_Z5scaleIfE"}});
  REQUIRE(reply->dependencies->size() == 1);
  CHECK(describe(reply->dependencies->front().path) == "<source>/v.h");
  CHECK_FALSE(reply->failure);
}

TEST_CASE_METHOD(Fixture, "outputs that come by descriptor are mapped") {
  StandInDaemon daemon(socket, {.sendDescriptors = true});
  Client client(options);
  CHECK(compiled(client, "a") == StandInDaemon::binaryOf("a"));
  CHECK(compiled(client, "a") == StandInDaemon::binaryOf("a"));
}

TEST_CASE_METHOD(Fixture, "an output by descriptor that was not asked for is a failure, not a crash") {
  StandInDaemon daemon(socket, {.sendDescriptors = true});
  options.takesDescriptors = false;
  Client client(options);
  auto reply = client.compile(kernel("a"), {});
  REQUIRE(reply);
  REQUIRE(reply->failure);
  CHECK(reply->failure->kind == FailureKind::internal);
  CHECK(reply->outputs.empty());
}

TEST_CASE_METHOD(Fixture, "what is refused before it is sent is a reply with the failure") {
  StandInDaemon daemon(socket);
  Client client(options);
  auto request = kernel("a");
  request.options = {"--time=x.csv"};
  auto reply = client.compile(std::move(request), {});
  REQUIRE(reply);
  REQUIRE(reply->failure);
  CHECK(reply->failure->kind == FailureKind::invalidRequest);
  CHECK_THAT(reply->failure->message, Catch::Contains("--time"));

  request = kernel("a");
  request.names.workingDirectory = "here";
  reply = client.compile(std::move(request), {});
  REQUIRE(reply);
  REQUIRE(reply->failure);
  CHECK_THAT(reply->failure->message, Catch::Contains("'here'"));
  CHECK(daemon.seen().connections == 0);
}

TEST_CASE_METHOD(Fixture, "the daemon sees the files of the request's directories and no others") {
  std::ofstream(directory.path() / "v.h") << "int v;";
  TemporaryDirectory elsewhere;
  std::ofstream(elsewhere.path() / "secret") << "key";
  auto below = [&](const char* name) { return (directory.path() / name).string(); };
  auto secret = (elsewhere.path() / "secret").string();
  std::vector<std::string> looks{below("v.h"), below("no/w.h"), secret, directory.path().string()};

  StandInDaemon daemon(socket, {.looks = looks});
  Client client(options);
  auto request = kernel("a");
  request.names.includeDirectories = {directory.path().string()};
  REQUIRE(client.compile(std::move(request), {}));
  CHECK(daemon.seen().answers ==
        std::vector<std::string>{"file int v;", "absent " + below("no"), "denied", "directory"});

  options.allowedDirectories = {elsewhere.path().string()};
  Client generous(options);
  REQUIRE(generous.compile(kernel("b"), {}));
  CHECK(daemon.seen().answers.at(6) == "file key");
}

TEST_CASE_METHOD(Fixture, "a list of file questions travels once, and its answers as one digest") {
  std::ofstream(directory.path() / "v.h") << "int v;";
  auto file = (directory.path() / "v.h").string();
  auto absent = (directory.path() / "w.h").string();
  StandInDaemon daemon(socket, {.fingerprintOf = {file, absent}});
  Client client(options);
  auto request = kernel("a");
  request.names.includeDirectories = {directory.path().string()};
  REQUIRE(client.compile(request, {}));
  request.source = "b";
  REQUIRE(client.compile(request, {}));

  std::vector<std::optional<FileState>> states{FileState{FileKind::file, 6, xxh3("int v;"), 1}, FileState{}};
  auto right = fingerprint(states).hex();
  // By its name alone, then with the questions; the second time its name is enough.
  CHECK(daemon.seen().fingerprints == std::vector<std::string>{"not known", right, right, right});
}

TEST_CASE_METHOD(Fixture, "a hint stands for the reading of a file whose stamp it has") {
  std::ofstream(directory.path() / "v.h") << "int v;";
  auto file = (directory.path() / "v.h").string();
  struct stat status;
  REQUIRE(::stat(file.c_str(), &status) == 0);
  StandInDaemon daemon(socket,
                       {.fingerprintOf = {file}, .hints = {{client::stampOf(status), xxh3("a mark")}}});
  Client client(options);
  auto request = kernel("a");
  request.names.includeDirectories = {directory.path().string()};
  REQUIRE(client.compile(request, {}));
  std::vector<std::optional<FileState>> states{FileState{FileKind::file, 6, xxh3("a mark"), 1}};
  CHECK(daemon.seen().fingerprints.back() == fingerprint(states).hex());
}

TEST_CASE_METHOD(Fixture, "dependencies that the client has are left out, and told all the same") {
  StandInDaemon daemon(socket);
  Client client(options);
  REQUIRE(client.compile(kernel("a"), {}));
  for (int i = 0; i < 3; ++i) {
    auto hit = client.compile(kernel("a"), {});
    REQUIRE(hit);
    REQUIRE(hit->dependencies->size() == 1);
    CHECK(describe(hit->dependencies->front().path) == "<source>/v.h");
  }
  // The miss told what the first hit need not.
  CHECK(daemon.seen().dependenciesSent == 1);
}

TEST_CASE_METHOD(Fixture, "what depended on no file is looked up without a file source") {
  const bool without = GENERATE(true, false);
  StandInDaemon daemon(socket, {.withoutDependencies = without});
  Client client(options);
  for (int i = 0; i < 3; ++i) REQUIRE(client.compile(kernel("a"), {}));
  CHECK(daemon.seen().lookups == 3);
  CHECK(daemon.seen().lookupsWithFiles == (without ? 1 : 3));
}

TEST_CASE_METHOD(Fixture, "calls of several threads are under way at once") {
  constexpr unsigned kThreads = 8;
  StandInDaemon daemon(socket, {.compilesAtOnce = kThreads});
  Client client(options);
  std::vector<std::string> results(kThreads);
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] { results[i] = compiled(client, "source " + std::to_string(i)); });
  }
  for (auto& thread : threads) thread.join();
  for (unsigned i = 0; i < kThreads; ++i) {
    CHECK(results[i] == StandInDaemon::binaryOf("source " + std::to_string(i)));
  }
  CHECK(daemon.seen().connections == 1);
}

TEST_CASE_METHOD(Fixture, "a client finds the daemon again after it was restarted") {
  auto daemon = std::make_unique<StandInDaemon>(socket);
  Client client(options);
  CHECK(compiled(client, "a") == StandInDaemon::binaryOf("a"));
  daemon.reset();
  daemon = std::make_unique<StandInDaemon>(socket);
  CHECK(compiled(client, "b") == StandInDaemon::binaryOf("b"));
  CHECK(daemon->seen().connections == 1);
}

TEST_CASE_METHOD(Fixture, "a call whose connection breaks is sent once more, and only once") {
  {
    StandInDaemon daemon(socket, {.dropFirstCompile = true});
    Client client(options);
    CHECK(compiled(client, "a") == StandInDaemon::binaryOf("a"));
    CHECK(daemon.seen().compiles == 2);
    CHECK(daemon.seen().connections == 2);
  }
  StandInDaemon daemon(socket, {.dropEveryCompile = true});
  Client client(options);
  auto reply = client.compile(kernel("a"), {});
  REQUIRE_FALSE(reply);
  CHECK_THAT(reply.error().message, Catch::Contains("went away") && Catch::Contains(socket.string()));
  CHECK(daemon.seen().compiles == 2);
}

TEST_CASE_METHOD(Fixture, "without a daemon the message names the socket and says what to do") {
  Client client(options);
  auto reply = client.compile(kernel("a"), {});
  REQUIRE_FALSE(reply);
  CHECK_THAT(reply.error().message, Catch::Contains("'" + socket.string() + "'") &&
                                        Catch::Contains("No such file") && Catch::Contains("Start kilnd") &&
                                        Catch::Contains("KILN_SOCKET"));

  StandInDaemon daemon(socket);
  CHECK(compiled(client, "a") == StandInDaemon::binaryOf("a"));
}

TEST_CASE_METHOD(Fixture, "a path too long for a socket is told as such") {
  options.socket = "/" + std::string(200, 's');
  Client client(options);
  auto reply = client.compile(kernel("a"), {});
  REQUIRE_FALSE(reply);
  CHECK_THAT(reply.error().message, Catch::Contains("too long"));
}

TEST_CASE_METHOD(Fixture, "a daemon that does not answer the hello is given up") {
  StandInDaemon daemon(socket, {.muteHello = true});
  options.connectTimeout = std::chrono::milliseconds(50);
  Client client(options);
  auto reply = client.compile(kernel("a"), {});
  REQUIRE_FALSE(reply);
  CHECK_THAT(reply.error().message, Catch::Contains("does not answer in time"));
}

TEST_CASE_METHOD(Fixture, "a daemon with another request hash is refused, both versions named") {
  StandInDaemon daemon(socket, {.requestHashVersion = 7});
  Client client(options);
  auto reply = client.compile(kernel("a"), {});
  REQUIRE_FALSE(reply);
  CHECK_THAT(reply.error().message, Catch::Contains("request hash 7") && Catch::Contains("request hash 1"));
}

TEST_CASE_METHOD(Fixture, "an exception of the daemon's is told and breaks nothing") {
  StandInDaemon daemon(socket);
  Client client(options);
  auto stats = client.stats();
  REQUIRE_FALSE(stats);
  CHECK_THAT(stats.error().message,
             Catch::Contains("the store is on fire") && Catch::Contains(socket.string()));
  CHECK(compiled(client, "a") == StandInDaemon::binaryOf("a"));
  CHECK(daemon.seen().connections == 1);
}

TEST_CASE_METHOD(Fixture, "the daemon looks for toolchains once more only when it is asked to") {
  StandInDaemon daemon(socket);
  Client client(options);
  auto listed = client.toolchains();
  REQUIRE(listed);
  CHECK(listed->at(0).toolchain.name == "nvrtc 13.0");
  CHECK(daemon.seen().rescans == 0);
  REQUIRE(client.toolchains(Client::Scan::always));
  CHECK(daemon.seen().rescans == 1);
}

TEST_CASE_METHOD(Fixture, "a key prefix of an odd number of digits finds the one entry that begins so") {
  StandInDaemon daemon(socket);
  Client client(options);
  auto entries = client.list();
  REQUIRE(entries);
  CHECK(entries->size() == 2);
  auto none = client.show("121");
  REQUIRE(none);
  CHECK_FALSE(*none);
  auto notHexadecimal = client.show("xy");
  REQUIRE(notHexadecimal);
  CHECK_FALSE(*notHexadecimal);
}

TEST_CASE_METHOD(Fixture, "stop ends when the daemon has closed the connection") {
  StandInDaemon daemon(socket);
  Client client(options);
  CHECK(client.stop());
  CHECK(daemon.seen().connections == 1);
}

TEST_CASE_METHOD(Fixture, "destroying a client ends the calls of other threads") {
  StandInDaemon daemon(socket, {.muteLookups = true});
  auto client = std::make_unique<Client>(options);
  std::string message;
  std::thread caller([&, at = client.get()] {
    auto reply = at->compile(kernel("a"), {});
    if (!reply) message = reply.error().message;
  });
  daemon.waitUntil([](const auto& seen) { return seen.lookups == 1; });
  client.reset();
  caller.join();
  CHECK_THAT(message, Catch::Contains("destroyed"));
}

TEST_CASE_METHOD(Fixture, "a forked child has a connection of its own and the parent keeps its one",
                 "[forks]") {
  StandInDaemon daemon(socket);
  auto client = std::make_unique<Client>(options);
  CHECK(compiled(*client, "parent") == StandInDaemon::binaryOf("parent"));

  pid_t child = ::fork();
  if (child == 0) {
    bool right = compiled(*client, "child") == StandInDaemon::binaryOf("child");
    client.reset();
    ::_exit(right ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(daemon.seen().connections == 2);
  CHECK(compiled(*client, "parent again") == StandInDaemon::binaryOf("parent again"));
  CHECK(daemon.seen().connections == 2);
}

TEST_CASE_METHOD(Fixture, "a child that only destroys the client it inherited ends", "[forks]") {
  StandInDaemon daemon(socket);
  auto client = std::make_unique<Client>(options);
  CHECK(compiled(*client, "a") == StandInDaemon::binaryOf("a"));
  pid_t child = ::fork();
  if (child == 0) {
    client.reset();
    ::_exit(0);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(compiled(*client, "b") == StandInDaemon::binaryOf("b"));
}

TEST_CASE_METHOD(Fixture, "signal settings stay as they were") {
  struct sigaction before, after;
  sigset_t maskBefore, maskAfter;
  struct sigaction own{};
  own.sa_handler = [](int) {};
  REQUIRE(::sigaction(SIGPIPE, &own, &before) == 0);
  pthread_sigmask(SIG_SETMASK, nullptr, &maskBefore);
  {
    StandInDaemon daemon(socket, {.dropFirstCompile = true});
    Client client(options);
    compiled(client, "a");
  }
  REQUIRE(::sigaction(SIGPIPE, &before, &after) == 0);
  pthread_sigmask(SIG_SETMASK, nullptr, &maskAfter);
  CHECK(after.sa_handler == own.sa_handler);
  for (int signal = 1; signal < NSIG; ++signal) {
    CHECK(sigismember(&maskBefore, signal) == sigismember(&maskAfter, signal));
  }
}
