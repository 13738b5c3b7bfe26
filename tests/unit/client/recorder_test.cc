#include "client/recorder.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <thread>

#include "bundle/lock_file.h"
#include "bundle/recording.h"
#include "tests/support/samples.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/client/stand_in_daemon.h"

using namespace kiln;
using namespace kiln::client;
using Catch::Matchers::Contains;
using kiln::bundle::Lock;
using kiln::test::StandInDaemon;
using kiln::test::TemporaryDirectory;

namespace {

// A file system of a few files.
class StandInFiles final : public FileView {
 public:
  std::map<std::string, std::string> contents;

  [[nodiscard]] FileAnswer look(const std::string& path) const override {
    const auto found = contents.find(path);
    if (found == contents.end()) return {FileAnswer::Kind::absent};
    FileAnswer answer{FileAnswer::Kind::file};
    answer.text = found->second;
    return answer;
  }
  [[nodiscard]] FileAnswer list(const std::string& path) const override { return look(path); }
  [[nodiscard]] FileAnswer readLink(const std::string& path) const override { return look(path); }
  [[nodiscard]] FileAnswer resolve(const std::string& path) const override { return look(path); }
  [[nodiscard]] Digests digests(std::span<const DigestQuestion>) const override { return {}; }
};

Request kernel(std::string source = "a") {
  Request request;
  request.target = {Target::Kind::nvidiaReal, "sm_90"};
  request.source = std::move(source);
  request.names = {"k.cu", "/work", {}};
  request.outputs = {OutputKind::cubin};
  return request;
}

Reply replyWith(DependencySet dependencies) {
  Reply reply;
  reply.toolchain = "nvrtc 13.0";
  reply.dependencies = std::make_shared<const DependencySet>(std::move(dependencies));
  return reply;
}

// A recording, and the lock that is made of it.
struct Fixture {
  TemporaryDirectory directory;
  std::filesystem::path folder = directory.path() / "recording";
  Recorder recorder{folder};
  StandInFiles files;

  Fixture() { std::filesystem::create_directory(folder); }

  void note(const Request& request, const Reached<Reply>& reply = replyWith({})) const {
    recorder.note(request, {}, reply, files);
  }
  [[nodiscard]] Lock lock() const {
    auto made = bundle::lockOf(folder, bundle::BlobFolder(directory.path() / "app.lock.files"));
    if (!made) throw std::runtime_error(made.error().message);
    // Whatever was recorded, the lock can be read.
    auto read = bundle::parseLock(bundle::writeLock(*made), "app.lock");
    if (!read) throw std::runtime_error(read.error().message);
    CHECK(*read == *made);
    return *std::move(made);
  }
};

// The same for a client of a daemon.
struct ClientFixture : Fixture {
  std::filesystem::path socket = directory.path() / "kilnd.sock";
  StandInDaemon daemon{socket, {.withoutDependencies = true}};
  ClientOptions options;

  ClientFixture() {
    options.socket = socket;
    options.name = "recorder_test 1";
    ::setenv("KILN_RECORD", folder.c_str(), 1);
  }
  ~ClientFixture() { ::unsetenv("KILN_RECORD"); }
};

int endOf(pid_t process) {
  int status = -1;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) continue;
  return status;
}

}  // namespace

TEST_CASE_METHOD(Fixture, "A request is recorded with its files") {
  files.contents["/work/v.h"] = "int v;";
  const auto file = test::sampleFile({FileRole::sourceDirectory, 0, "v.h"}, "int v;", 1);
  note(kernel(), replyWith({file}));
  const auto recorded = lock();
  REQUIRE(recorded.kernels.size() == 1);
  CHECK(recorded.uncaptured.empty());
  CHECK(recorded.kernels.front().files.front().sha256 == file.sha256);
}

TEST_CASE_METHOD(Fixture, "A file that changed while it was recorded is named") {
  files.contents["/work/v.h"] = "int changed;";
  note(kernel(), replyWith({test::sampleFile({FileRole::sourceDirectory, 0, "v.h"}, "int v;", 1)}));
  const auto recorded = lock();
  CHECK(recorded.kernels.empty());
  REQUIRE(recorded.uncaptured.size() == 1);
  CHECK_THAT(recorded.uncaptured.front().reason, Contains("'/work/v.h' changed while"));
}

TEST_CASE_METHOD(Fixture, "A text that is not UTF-8 costs its kernel and not the lock") {
  const std::string odd = "a\xff";
  const std::vector<std::pair<std::string, std::function<void(Request&)>>> changes = {
      {"option", [&](auto& one) { one.options = {odd}; }},
      {"working directory", [&](auto& one) { one.names.workingDirectory = "/" + odd; }},
      {"source's name", [&](auto& one) { one.names.source = odd; }},
      {"include directory", [&](auto& one) { one.names.includeDirectories = {odd}; }},
      {"header", [&](auto& one) { one.headers = {{odd, ""}}; }},
      {"name expression", [&](auto& one) { one.nameExpressions = {odd}; }},
      {"input",
       [&](auto& one) {
         one.language = Language::ptx;
         one.inputs = {"ptx"};
         one.names.inputs = {odd};
       }},
  };
  for (const auto& [what, change] : changes) {
    auto request = kernel();
    change(request);
    note(request);
  }
  note(kernel(), replyWith({{{FileRole::absolute, 0, "/" + odd}, FileKind::absent, 0, {}, {}, 0}}));
  recorder.note(kernel(), {.toolchain = odd}, replyWith({}), files);
  note(kernel("good"));
  note(kernel("unreachable"), std::unexpected(Unreachable{"no daemon at '" + odd + "'"}));
  const auto recorded = lock();
  REQUIRE(recorded.kernels.size() == 1);
  CHECK(recorded.kernels.front().source == sha256("good"));
  CHECK(recorded.uncaptured.size() == changes.size() + 3);
  for (const auto& [what, change] : changes) {
    CHECK(std::ranges::any_of(recorded.uncaptured, [&](const auto& one) {
      return one.reason.find(what + " ") != std::string::npos &&
             one.reason.find("a\\xff") != std::string::npos &&
             one.reason.find("is not UTF-8") != std::string::npos;
    }));
  }
}

TEST_CASE_METHOD(Fixture, "What only a name for people holds is shown, and recorded all the same") {
  auto reply = replyWith({});
  reply.resources.kernels = {{"odd\xff", {}}};
  note(kernel(), reply);
  const auto recorded = lock();
  REQUIRE(recorded.kernels.size() == 1);
  CHECK(recorded.kernels.front().name == "k.cu: odd\\xff");
}

TEST_CASE_METHOD(Fixture, "Names that are random give one kernel") {
  for (const std::string name : {"Xy12", "zz99"}) {
    auto request = kernel();
    request.language = Language::ptx;
    request.names.temporaryDirectory = "/scratch";
    request.names.source = "/scratch/" + name + ".ptx";
    request.inputs = {"ptx"};
    request.names.inputs = {"/scratch/" + name + "-2.ptx"};
    note(request);
  }
  const auto recorded = lock();
  REQUIRE(recorded.kernels.size() == 1);
  CHECK(bundle::writeLock(recorded).find("Xy12") == std::string::npos);
  CHECK(bundle::writeLock(recorded).find("zz99") == std::string::npos);
}

TEST_CASE_METHOD(Fixture, "A request that could not be written down is named, and nothing is thrown") {
  std::ofstream{folder / "requests"};  // no folder, so nothing can be put into it
  note(kernel());
  std::filesystem::remove(folder / "requests");
  const auto recorded = lock();
  CHECK(recorded.kernels.empty());
  REQUIRE(recorded.uncaptured.size() == 1);
  CHECK_THAT(recorded.uncaptured.front().reason, Contains("could not write them down"));
}

TEST_CASE_METHOD(Fixture, "A process that outlives the recording does not make its folder again") {
  std::filesystem::remove(folder);
  note(kernel());
  CHECK_FALSE(std::filesystem::exists(folder));
}

TEST_CASE_METHOD(Fixture, "What was not finished or is damaged is named") {
  note(kernel("whole"));
  const auto requests = folder / "requests";
  SECTION("a request that was being written") { std::ofstream(requests / "abc.kreq.Xy12zZ") << "half"; }
  SECTION("a content that was being written") {
    std::filesystem::create_directory(folder / "content");
    std::ofstream(folder / "content/abc.Xy12zZ") << "half";
  }
  SECTION("a request that is damaged") { std::ofstream(requests / "abc.kreq") << "half of a request"; }
  SECTION("a request that is no file") { REQUIRE(::mkfifo((requests / "abc.kreq").c_str(), 0600) == 0); }
  const auto recorded = lock();
  CHECK(recorded.kernels.size() == 1);
  CHECK(recorded.uncaptured.size() == 1);
}

TEST_CASE_METHOD(Fixture, "Whenever a process is killed, what it has recorded can be read", "[forks]") {
  for (int round = 0; round < 20; ++round) {
    const pid_t process = ::fork();
    if (process == 0) {
      for (int i = 0;; ++i) note(kernel(std::string(10'000, 'x') + std::to_string(round * 100'000 + i)));
    }
    while (!std::filesystem::exists(folder / "requests")) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(round % 5));
    ::kill(process, SIGKILL);
    endOf(process);
  }
  const auto recorded = lock();
  CHECK_FALSE(recorded.kernels.empty());
  for (const auto& one : recorded.uncaptured)
    CHECK_THAT(one.reason, Contains("ended while it was written down"));
}

TEST_CASE_METHOD(ClientFixture, "Threads of one client are recorded, each request once") {
  Client client(options);
  std::vector<std::jthread> threads;
  for (int number = 0; number < 8; ++number) {
    threads.emplace_back([&, number] {
      for (int i = 0; i < 10; ++i) (void)client.compile(kernel(std::to_string((number + i) % 12)), {});
    });
  }
  threads.clear();
  CHECK(lock().kernels.size() == 12);
  CHECK(lock().uncaptured.empty());
}

TEST_CASE_METHOD(ClientFixture, "Processes are recorded, those that were forked from a client too",
                 "[forks]") {
  Client client(options);
  REQUIRE(client.compile(kernel("parent"), {}));
  std::vector<pid_t> processes;
  for (int number = 0; number < 4; ++number) {
    const pid_t process = ::fork();
    if (process == 0) {
      bool isWell = true;
      for (int i = 0; i < 5; ++i) isWell = client.compile(kernel(std::to_string(number + i)), {}) && isWell;
      ::_exit(isWell ? 0 : 1);
    }
    processes.push_back(process);
  }
  for (const pid_t process : processes) CHECK(endOf(process) == 0);
  REQUIRE(client.compile(kernel("parent again"), {}));
  CHECK(lock().kernels.size() == 2 + 8);
  CHECK(lock().uncaptured.empty());
}

TEST_CASE_METHOD(ClientFixture, "A request that the library refuses is named with the reason") {
  Client client(options);
  auto request = kernel();
  request.options = {"--time=x.csv"};
  auto reply = client.compile(request, {});
  REQUIRE(reply);
  REQUIRE(reply->failure);
  request.options.clear();
  request.names.source = "elsewhere.cu";
  request.names.workingDirectory = "here";
  REQUIRE(client.compile(request, {}));
  const auto recorded = lock();
  CHECK(recorded.kernels.empty());
  REQUIRE(recorded.uncaptured.size() == 2);
  CHECK(recorded.uncaptured[0].name == "elsewhere.cu");
  CHECK_THAT(recorded.uncaptured[0].reason, Contains("invalid_request") && Contains("'here'"));
  CHECK(recorded.uncaptured[1].name == "k.cu");
  CHECK_THAT(recorded.uncaptured[1].reason, Contains("invalid_request") && Contains("--time"));
}
