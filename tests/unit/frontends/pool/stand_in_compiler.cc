// stand_in_compiler: a stand-in for kiln-compiler that speaks its protocol and compiles nothing. What its
// zygote does is told by the text of the file given as LIBRARY, what a child does by the lines of the
// request's source:
//
//   LIBRARY                      source
//   refuse TEXT                  say TEXT       adds TEXT to the output
//   die N                        look PATH      asks after PATH, adds the answer's text to the output
//   die-cloning N                fail TEXT      finishes with a compile error
//   become TEXT                  crash | exit N | hang | grow MIB
//   hang | hang-cloning          malformed-frame | malformed-question | wrong-outputs | close
//                                finish-and-crash
// What comes ahead of its question is added as " PATH=TEXT". A source that ends without any of these delivers
// the output as a cubin.
//
// die N: the first N zygotes of this LIBRARY end before they are ready; die-cloning N, hang-cloning: with a
// child cloned and not reported. become TEXT: LIBRARY is replaced by a file with TEXT while it is loaded.
// only NAME: LIBRARY can be loaded only from a folder of that name.
// Each zygote adds one byte to the file LIBRARY.starts, each description one to FOLDER.descriptions, FOLDER
// being the one that LIBRARY is in. `--surroundings` prints what was inherited.
#include <capnp/message.h>
#include <capnp/serialize.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/sched.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "compiler.capnp.h"
#include "rpc/schema/convert.h"

namespace kiln {
namespace {

constexpr int kControl = 3;

[[noreturn]] void hang() {
  for (;;) pause();
}

[[noreturn]] void crash() {
  signal(SIGSEGV, SIG_DFL);  // sanitizers handle it otherwise
  raise(SIGSEGV);
  _exit(1);
}

void fillReady(schema::ZygoteReport::Builder report) {
  auto ready = report.initReady();
  ready.setVersion("7.5");
  auto targets = ready.initTargets(2);
  targets.set(0, "sm_80");
  targets.set(1, "sm_90");
}

// The first word of a line, and the rest of it.
struct Line {
  explicit Line(const std::string& text)
      : word(text.substr(0, text.find(' '))),
        rest(text.size() > word.size() ? text.substr(word.size() + 1) : std::string()) {}
  std::string word;
  std::string rest;
};

Line behaviour(const std::string& library) {
  std::ifstream file(library);
  std::string text;
  std::getline(file, text);
  return Line(text);
}

void becomeIfToldTo(const std::string& library, const Line& line) {
  if (line.word != "become") return;
  std::ofstream(library + ".new") << line.rest << "\n";
  std::filesystem::rename(library + ".new", library);
}

class Child {
 public:
  explicit Child(int socket) : socket_(socket) {}

  [[noreturn]] void run() {
    capnp::StreamFdMessageReader job(socket_);
    auto request = convert::read(job.getRoot<schema::Job>().getRequest());
    if (!request) _exit(2);
    std::istringstream lines(request->source);
    for (std::string line; std::getline(lines, line);) obey(Line(line));
    deliver();
    _exit(0);
  }

 private:
  template <typename Fill>
  void finish(Fill fill) {
    capnp::MallocMessageBuilder message;
    auto finished = message.initRoot<schema::ChildMessage>().initFinished();
    finished.setCompileMs(1.5);
    fill(finished);
    capnp::writeMessageToFd(socket_, message);
  }

  void deliver() {
    finish([&](schema::Finished::Builder finished) {
      convert::write(finished.initArtifact(), Artifact{{{OutputKind::cubin, output_, {}}}, "a log", {}});
    });
  }

  std::string look(const std::string& path) {
    capnp::MallocMessageBuilder message;
    auto question = message.initRoot<schema::ChildMessage>().initQuestion();
    question.setPath(path);
    capnp::writeMessageToFd(socket_, message);
    capnp::StreamFdMessageReader answer(socket_);
    auto reply = answer.getRoot<schema::FileReply>();
    auto text = convert::read(reply.getAnswer()).text;
    for (const auto& one : convert::read(reply.getAhead())) text += " " + one.path + "=" + one.answer.text;
    return text;
  }

  void obey(const Line& line) {
    if (line.word == "say") {
      output_ += line.rest;
    } else if (line.word == "look") {
      output_ += look(line.rest);
    } else if (line.word == "fail") {
      finish([&](auto finished) {
        convert::write(finished.initFailure(),
                       Failure{FailureKind::compileError, line.rest, "the log of an error"});
      });
      _exit(0);
    } else if (line.word == "crash") {
      crash();
    } else if (line.word == "exit") {
      _exit(std::stoi(line.rest));
    } else if (line.word == "hang") {
      hang();
    } else if (line.word == "grow") {
      std::string memory(std::stoul(line.rest) << 20, 'x');
      if (memory.back() == 'x') hang();
    } else if (line.word == "finish-and-crash") {
      deliver();
      crash();
    } else {
      misbehave(line.word);
    }
  }

  void misbehave(const std::string& how) {
    if (how == "malformed-frame") {
      std::string noise(4096, '\xff');
      [[maybe_unused]] auto written = write(socket_, noise.data(), noise.size());
      hang();
    } else if (how == "malformed-question") {
      look("not/absolute");
    } else if (how == "wrong-outputs") {
      finish([](auto finished) { finished.initArtifact(); });
    } else if (how == "close") {
      close(socket_);
      hang();
    }
  }

  int socket_;
  std::string output_;
};

class Zygote {
 public:
  explicit Zygote(const std::string& library) : behaviour_(behaviour(library)), parent_(getppid()) {
    std::ofstream(library + ".starts", std::ios::app) << '.';
    start_ = static_cast<int>(std::filesystem::file_size(library + ".starts"));
    becomeIfToldTo(library, behaviour_);
  }

  [[noreturn]] void run() {
    if (behaviour_.word == "hang") hang();
    if (behaviour_.word == "die" && start_ <= std::stoi(behaviour_.rest)) crash();
    if (behaviour_.word == "refuse") {
      report([&](auto report) { report.setFailed(behaviour_.rest); });
      _exit(1);
    }
    report([](auto report) { fillReady(report); });
    for (;;) serve();
  }

 private:
  template <typename Fill>
  void report(Fill fill, int pidfd = -1) {
    capnp::MallocMessageBuilder message;
    fill(message.initRoot<schema::ZygoteReport>());
    auto words = capnp::messageToFlatArray(message);
    send(words.asBytes(), pidfd);
  }

  static void send(kj::ArrayPtr<kj::byte> packet, int descriptor) {
    iovec bytes{packet.begin(), packet.size()};
    alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int))]{};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    if (descriptor >= 0) {
      message.msg_control = space;
      message.msg_controllen = sizeof space;
      cmsghdr* part = CMSG_FIRSTHDR(&message);
      part->cmsg_level = SOL_SOCKET;
      part->cmsg_type = SCM_RIGHTS;
      part->cmsg_len = CMSG_LEN(sizeof descriptor);
      std::memcpy(CMSG_DATA(part), &descriptor, sizeof descriptor);
    }
    if (sendmsg(kControl, &message, MSG_NOSIGNAL) < 0) _exit(3);
  }

  void serve() {
    capnp::word buffer[64];
    iovec bytes{buffer, sizeof buffer};
    alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int))]{};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = space;
    message.msg_controllen = sizeof space;
    auto size = recvmsg(kControl, &message, MSG_CMSG_CLOEXEC);
    if (size <= 0) _exit(0);
    int socket = -1;
    std::memcpy(&socket, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof socket);
    capnp::FlatArrayMessageReader order(
        kj::arrayPtr(buffer, static_cast<std::size_t>(size) / sizeof(capnp::word)));
    clone(order.getRoot<schema::CloneOrder>().getJob(), socket);
  }

  void clone(std::uint64_t job, int socket) {
    int pidfd = -1;
    clone_args arguments{};
    arguments.flags = CLONE_PARENT | CLONE_PIDFD;
    arguments.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
    auto id = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (id == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (getppid() != parent_) _exit(1);
      close(kControl);
      try {
        Child(socket).run();
      } catch (const kj::Exception&) {
        _exit(1);  // the pool has closed its end
      }
    }
    close(socket);
    if (behaviour_.word == "hang-cloning") hang();
    if (behaviour_.word == "die-cloning" && start_ <= std::stoi(behaviour_.rest)) crash();
    report(
        [&](auto report) {
          auto cloned = report.initCloned();
          cloned.setJob(job);
          cloned.setProcessId(static_cast<std::uint32_t>(id));
        },
        pidfd);
    close(pidfd);
  }

  Line behaviour_;
  pid_t parent_;
  int start_ = 0;
};

int describeLibrary(const std::string& library) {
  auto line = behaviour(library);
  std::ofstream(std::filesystem::path(library).parent_path().string() + ".descriptions", std::ios::app)
      << '.';
  becomeIfToldTo(library, line);
  if (line.word == "hang") hang();
  if (line.word == "die") crash();
  capnp::MallocMessageBuilder message;
  auto report = message.initRoot<schema::ZygoteReport>();
  const auto folder = std::filesystem::path(library).parent_path().filename();
  const bool isRefused = line.word == "refuse" || (line.word == "only" && folder != line.rest);
  if (isRefused) {
    report.setFailed(line.rest);
  } else {
    fillReady(report);
  }
  auto words = capnp::messageToFlatArray(message);
  [[maybe_unused]] auto written = write(STDOUT_FILENO, words.begin(), words.asBytes().size());
  return isRefused ? 1 : 0;
}

// Open descriptors, blocked or ignored signals and the environment, one line each.
int surroundings() {
  DIR* directory = opendir("/proc/self/fd");
  std::vector<int> descriptors;
  while (auto* entry = readdir(directory)) {
    int number = std::atoi(entry->d_name);
    if (entry->d_name[0] != '.' && number != dirfd(directory)) descriptors.push_back(number);
  }
  closedir(directory);
  std::ranges::sort(descriptors);
  for (int descriptor : descriptors) std::printf("descriptor %d\n", descriptor);
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("SigBlk") || line.starts_with("SigIgn")) std::printf("%s\n", line.c_str());
  }
  for (char** variable = environ; *variable != nullptr; ++variable) std::printf("variable %s\n", *variable);
  std::printf("session %s\n", getsid(0) == getpid() ? "own" : "shared");
  std::fflush(stdout);
  return 0;
}

}  // namespace
}  // namespace kiln

int main(int argc, char** argv) {
  std::string mode = argc > 1 ? argv[1] : "";
  if (mode == "--surroundings") return kiln::surroundings();
  if (argc == 4 && mode == "--describe") return kiln::describeLibrary(argv[3]);
  if (argc == 4 && mode == "--zygote") kiln::Zygote(argv[3]).run();
  std::fprintf(
      stderr,
      "stand_in_compiler: --surroundings | --describe FRONTEND LIBRARY | --zygote FRONTEND LIBRARY\n");
  return 2;
}
