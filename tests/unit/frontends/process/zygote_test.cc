// The program kiln-compiler with the real NVRTC, driven as kilnd drives it.
#include <capnp/serialize.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compiler.capnp.h"
#include "frontends/process/message_io.h"
#include "rpc/schema/convert.h"
#include "stand_in_client.h"

using namespace kiln;
using namespace kiln::test;

namespace {

constexpr int kPatience = 60'000;  // milliseconds after which something hangs

std::string library() {
  const char* directory = std::getenv("KILN_TEST_NVRTC_13_0");
  auto path =
      std::filesystem::path(directory == nullptr ? "/usr/local/cuda/lib64" : directory) / "libnvrtc.so.13";
  INFO("set KILN_TEST_NVRTC_13_0 to the directory that holds libnvrtc.so.13");
  REQUIRE(std::filesystem::exists(path));
  return path.string();
}

std::string program() {
  const char* directory = std::getenv("KILN_TEST_BIN_DIR");
  INFO("set KILN_TEST_BIN_DIR to the directory that holds kiln-compiler");
  REQUIRE(directory != nullptr);
  return std::string(directory) + "/kiln-compiler";
}

struct Descriptor {
  explicit Descriptor(int descriptor = -1) : value(descriptor) {}
  Descriptor(Descriptor&& other) noexcept : value(std::exchange(other.value, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value, other.value);
    return *this;
  }
  ~Descriptor() { close(); }
  void close() {
    if (value >= 0) ::close(std::exchange(value, -1));
  }

  int value;
};

std::pair<Descriptor, Descriptor> socketPair(int type) {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) == 0);
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

Descriptor descriptorOf(pid_t process) {
  return Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
}

bool hasEnded(const Descriptor& process) {
  pollfd item{process.value, POLLIN, 0};
  return ::poll(&item, 1, kPatience) == 1;
}

// The exit status as a shell would tell it.
int reap(const Descriptor& process) {
  siginfo_t info{};
  if (::waitid(P_PIDFD, static_cast<id_t>(process.value), &info, WEXITED) != 0) return -1;
  return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

// Starts kiln-compiler as a zygote with `control` as descriptor 3. Only system calls between fork and exec.
pid_t startZygote(const std::string& programPath, const std::string& libraryPath, int control) {
  pid_t child = ::fork();
  if (child != 0) return child;
  if (control == 3) {
    ::fcntl(3, F_SETFD, 0);
  } else {
    ::dup2(control, 3);
  }
  ::execl(programPath.c_str(), "kiln-compiler", "--zygote", "nvrtc", libraryPath.c_str(), nullptr);
  ::_exit(127);
}

Packet receive(int control) {
  pollfd item{control, POLLIN, 0};
  REQUIRE(::poll(&item, 1, kPatience) == 1);
  auto packet = receivePacket(control);
  REQUIRE((packet && *packet));
  return std::move(**packet);
}

struct Child {
  Descriptor job;      // kilnd's end
  Descriptor process;  // pidfd
  pid_t processId = 0;
};

struct Zygote {
  Zygote() {
    auto [mine, its] = socketPair(SOCK_SEQPACKET);
    processId = startZygote(program(), library(), its.value);
    process = descriptorOf(processId);
    control = std::move(mine);
    its.close();
    ready = receive(control.value);
  }
  ~Zygote() {
    ::kill(processId, SIGKILL);
    reap(process);
  }

  Child clone(std::uint64_t number) {
    auto [mine, its] = socketPair(SOCK_STREAM);
    capnp::MallocMessageBuilder order;
    order.initRoot<schema::CloneOrder>().setJob(number);
    REQUIRE(sendPacket(control.value, order, its.value));
    its.close();
    auto packet = receive(control.value);
    capnp::FlatArrayMessageReader reader(packet.words);
    auto report = reader.getRoot<schema::ZygoteReport>();
    REQUIRE(report.isCloned());
    REQUIRE(report.getCloned().getJob() == number);
    REQUIRE(packet.descriptor >= 0);
    return {std::move(mine), Descriptor(packet.descriptor),
            static_cast<pid_t>(report.getCloned().getProcessId())};
  }

  pid_t processId;
  Descriptor process;
  Descriptor control;
  Packet ready;
};

Request kernel() {
  auto request = clientRequest();
  request.source =
      "#include <scale.h>\n#include \"beside.h\"\n"
      "extern \"C\" __global__ void scale(float* x) { x[threadIdx.x] *= kScale + kBeside; }\n";
  return request;
}

StandInClient kernelFiles() {
  StandInClient client;
  client.directory("/client/src").directory("/client/work").directory("/client/include");
  client.file("/client/include/scale.h", "constexpr float kScale = 2;\n");
  client.file("/client/src/beside.h", "constexpr float kBeside = 3;\n");
  return client;
}

const Output& firstOutput(const std::optional<Compiled>& compiled) {
  REQUIRE(compiled);
  if (const auto* failure = std::get_if<Failure>(&compiled->result))
    FAIL(failure->message << "\n" << failure->log);
  const auto& artifact = std::get<Artifact>(compiled->result);
  REQUIRE(artifact.outputs.size() == 1);
  return artifact.outputs[0];
}

struct CommandResult {
  int status = -1;
  std::string output;
};

CommandResult runProgram(const std::string& arguments) {
  CommandResult result;
  FILE* pipe = ::popen((program() + " " + arguments + " 2>/dev/null").c_str(), "r");
  REQUIRE(pipe != nullptr);
  char block[4096];
  while (auto size = ::fread(block, 1, sizeof block, pipe)) result.output.append(block, size);
  int status = ::pclose(pipe);
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  return result;
}

}  // namespace

TEST_CASE("a zygote reports its version, and ends when kilnd closes the control socket") {
  Zygote zygote;
  capnp::FlatArrayMessageReader reader(zygote.ready.words);
  auto report = reader.getRoot<schema::ZygoteReport>();
  REQUIRE(report.isReady());
  CHECK(convert::text(report.getReady().getVersion()) == "13.0");

  zygote.control.close();
  REQUIRE(hasEnded(zygote.process));
  CHECK(reap(zygote.process) == 0);
}

TEST_CASE("two compiles of one request give the same cubin and the same dependencies") {
  Zygote zygote;
  std::vector<Compiled> results;
  for (std::uint64_t number : {7, 8}) {
    auto client = kernelFiles();
    auto child = zygote.clone(number);
    auto compiled = serveJob(child.job.value, kernel(), client);
    CHECK(firstOutput(compiled).kind == OutputKind::cubin);
    REQUIRE(hasEnded(child.process));
    CHECK(reap(child.process) == 0);
    CHECK(client.timesAsked("/client/include/scale.h") == 1);
    results.push_back(std::move(*compiled));
  }
  CHECK(results[0].result == results[1].result);
  CHECK(results[0].dependencies == results[1].dependencies);
  CHECK(results[0].compileMilliseconds > 0);
  CHECK(results[0].unclean.empty());
  CHECK_FALSE(results[0].namesBind);
  std::vector<std::string> paths;
  for (const auto& dependency : results[0].dependencies) {
    if (dependency.kind == FileKind::file) paths.push_back(describe(dependency.path));
  }
  CHECK(paths == std::vector<std::string>{"<include 0>/scale.h", "<source>/beside.h"});
}

TEST_CASE("another source name or directory gives the same cubin unless the name is in it") {
  Zygote zygote;
  auto compileAs = [&](const std::string& source, const std::string& name, const std::string& directory) {
    Request request = clientRequest();
    request.source = source;
    request.names = {name, directory, {}};
    StandInClient client;
    auto child = zygote.clone(1);
    auto compiled = serveJob(child.job.value, request, client);
    firstOutput(compiled);
    REQUIRE(hasEnded(child.process));
    reap(child.process);
    return std::move(*compiled);
  };
  const std::string plain = "extern \"C\" __global__ void k(int* x) { *x = 1; }\n";
  auto first = compileAs(plain, "a.cu", "/one");
  auto second = compileAs(plain, "/two/b.cu", "/two");
  CHECK(firstOutput(first).bytes == firstOutput(second).bytes);
  CHECK_FALSE(first.namesBind);

  // Without a kernel that others can see NVRTC builds names from the source's.
  const std::string hidden =
      "namespace { __device__ int v; }\nstatic __global__ void k(int* x) { *x = ++v; }\n";
  auto named = compileAs(hidden, "a.cu", "/one");
  auto again = compileAs(hidden, "a.cu", "/one");
  CHECK(named.namesBind);
  CHECK(firstOutput(named).bytes == firstOutput(again).bytes);
}

TEST_CASE("a compile error comes with its log and its dependencies") {
  Zygote zygote;
  auto request = kernel();
  request.source += "#include <nowhere.h>\n";
  auto client = kernelFiles();
  auto child = zygote.clone(1);
  auto compiled = serveJob(child.job.value, request, client);
  REQUIRE(hasEnded(child.process));
  CHECK(reap(child.process) == 0);
  REQUIRE(compiled);
  REQUIRE(std::holds_alternative<Failure>(compiled->result));
  const auto& failure = std::get<Failure>(compiled->result);
  CHECK(failure.kind == FailureKind::compileError);
  CHECK(failure.log.find("nowhere.h") != std::string::npos);
  CHECK(compiled->unclean.empty());
  bool recordsAbsence = false;
  for (const auto& dependency : compiled->dependencies) {
    recordsAbsence |=
        dependency.kind == FileKind::absent && describe(dependency.path) == "<include 0>/nowhere.h";
  }
  CHECK(recordsAbsence);
}

TEST_CASE("a child outlives its zygote") {
  Zygote zygote;
  auto child = zygote.clone(1);
  ::kill(zygote.processId, SIGKILL);
  REQUIRE(hasEnded(zygote.process));
  auto client = kernelFiles();
  auto compiled = serveJob(child.job.value, kernel(), client);
  CHECK_FALSE(firstOutput(compiled).bytes.empty());
  REQUIRE(hasEnded(child.process));
  CHECK(reap(child.process) == 0);
}

TEST_CASE("killing a child leaves the zygote able to clone the next") {
  Zygote zygote;
  auto first = zygote.clone(1);
  ::kill(first.processId, SIGKILL);
  REQUIRE(hasEnded(first.process));
  CHECK(reap(first.process) == 128 + SIGKILL);
  auto client = kernelFiles();
  auto second = zygote.clone(2);
  auto compiled = serveJob(second.job.value, kernel(), client);
  CHECK_FALSE(firstOutput(compiled).bytes.empty());
  REQUIRE(hasEnded(second.process));
  reap(second.process);
}

TEST_CASE("the kernel kills zygote and child when their parent is killed, whoever holds the sockets") {
  auto [control, zygoteEnd] = socketPair(SOCK_SEQPACKET);
  auto [job, childEnd] = socketPair(SOCK_STREAM);
  auto [told, telling] = socketPair(SOCK_SEQPACKET);
  auto programPath = program();
  auto libraryPath = library();
  pid_t standInKilnd = ::fork();
  if (standInKilnd == 0) {
    pid_t zygote = startZygote(programPath, libraryPath, zygoteEnd.value);
    ::send(telling.value, &zygote, sizeof zygote, 0);
    while (true) ::pause();
  }
  pid_t zygoteId = 0;
  REQUIRE(::recv(told.value, &zygoteId, sizeof zygoteId, 0) == sizeof zygoteId);
  auto zygote = descriptorOf(zygoteId);
  receive(control.value);
  capnp::MallocMessageBuilder order;
  order.initRoot<schema::CloneOrder>().setJob(1);
  REQUIRE(sendPacket(control.value, order, childEnd.value));
  auto packet = receive(control.value);
  const Descriptor child(packet.descriptor);

  ::kill(standInKilnd, SIGKILL);
  ::waitpid(standInKilnd, nullptr, 0);
  CHECK(hasEnded(zygote));
  CHECK(hasEnded(child));
}

TEST_CASE("a library that cannot be loaded is reported, not crashed over") {
  auto [control, its] = socketPair(SOCK_SEQPACKET);
  pid_t zygote = startZygote(program(), "/nowhere/libnvrtc.so", its.value);
  auto process = descriptorOf(zygote);
  its.close();
  auto packet = receive(control.value);
  capnp::FlatArrayMessageReader reader(packet.words);
  auto report = reader.getRoot<schema::ZygoteReport>();
  REQUIRE(report.isFailed());
  CHECK(convert::text(report.getFailed()).find("/nowhere/libnvrtc.so") != std::string::npos);
  REQUIRE(hasEnded(process));
  CHECK(reap(process) == 1);
}

TEST_CASE("--describe writes one report to the standard output") {
  auto described = runProgram("--describe nvrtc " + library());
  CHECK(described.status == 0);
  REQUIRE(described.output.size() % sizeof(capnp::word) == 0);
  auto words = kj::heapArray<capnp::word>(described.output.size() / sizeof(capnp::word));
  std::memcpy(words.begin(), described.output.data(), described.output.size());
  capnp::FlatArrayMessageReader reader(words);
  auto report = reader.getRoot<schema::ZygoteReport>();
  REQUIRE(report.isReady());
  CHECK(convert::text(report.getReady().getVersion()) == "13.0");
  CHECK(report.getReady().getTargets().size() > 5);

  CHECK(runProgram("--describe nvrtc /nowhere/libnvrtc.so").status == 1);
  CHECK(runProgram("--describe nothing " + library()).status == 1);
}

TEST_CASE("a compiler process keeps nothing of its starter's environment but sanitizer options") {
  ::setenv("KILN_TEST_MARK", "present", 1);
  Zygote zygote;
  ::unsetenv("KILN_TEST_MARK");
  FILE* file = ::fopen(("/proc/" + std::to_string(zygote.processId) + "/environ").c_str(), "r");
  REQUIRE(file != nullptr);
  std::string environment;
  char block[4096];
  while (auto size = ::fread(block, 1, sizeof block, file)) environment.append(block, size);
  ::fclose(file);
  CHECK(environment.find("KILN_TEST_MARK") == std::string::npos);
  CHECK(environment.find("PATH=") == std::string::npos);
  CHECK(environment.find("TZ=UTC0") != std::string::npos);
}

TEST_CASE("the program explains itself and refuses what it does not know") {
  CHECK(runProgram("--version").output.starts_with("kiln-compiler "));
  auto help = runProgram("--help");
  CHECK(help.status == 0);
  CHECK(help.output.find("--zygote") != std::string::npos);
  CHECK(runProgram("").status == 2);
  CHECK(runProgram("--zygote nvrtc").status == 2);
  CHECK(runProgram("--frobnicate").status == 2);
}
