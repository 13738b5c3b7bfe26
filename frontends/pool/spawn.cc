#include "frontends/pool/spawn.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>

#include "frontends/pool/pidfd.h"

namespace kiln {
namespace {

constexpr int kControl = 3;
constexpr int kTrouble = 4;  // where the child tells why it could not run the program
constexpr int kOutOfTheWay = 64;

// All that the child needs, made before the fork: behind it nothing may allocate or lock.
struct Plan {
  const char* program;
  char* const* arguments;
  char* const* environment;
  int control;         // -1: none
  int standardOutput;  // -1: standard error's
  int standardError;   // -1: the one that is there
  int trouble;
  pid_t parent;
};

std::vector<std::string> keptEnvironment() {
  std::vector<std::string> kept;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    std::string_view text = *variable;
    if (text.substr(0, text.find('=')).ends_with("SAN_OPTIONS")) kept.emplace_back(text);
  }
  return kept;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (auto& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// Leaves 0 to 2, the control socket and kTrouble open, nothing else. `trouble` is above all of them. Until
// this succeeds it stays open.
bool arrangeDescriptors(const Plan& plan, int trouble) {
  // First out of the way of the numbers that they are about to get.
  int control = plan.control < 0 ? -1 : fcntl(plan.control, F_DUPFD_CLOEXEC, kOutOfTheWay);
  int output = plan.standardOutput < 0 ? -1 : fcntl(plan.standardOutput, F_DUPFD_CLOEXEC, kOutOfTheWay);
  int errors = plan.standardError < 0 ? -1 : fcntl(plan.standardError, F_DUPFD_CLOEXEC, kOutOfTheWay);
  int opened = open("/dev/null", O_RDWR | O_CLOEXEC);
  int nothing = fcntl(opened, F_DUPFD_CLOEXEC, kOutOfTheWay);
  if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0) return false;
  if (errors < 0 && fcntl(STDERR_FILENO, F_GETFD) < 0) errors = nothing;
  if (errors >= 0 && dup2(errors, STDERR_FILENO) < 0) return false;
  if (dup2(output < 0 ? STDERR_FILENO : output, STDOUT_FILENO) < 0) return false;
  if (control < 0) {
    close(kControl);
  } else if (dup2(control, kControl) < 0) {
    return false;
  }
  return dup3(trouble, kTrouble, O_CLOEXEC) >= 0 && close_range(kTrouble + 1, ~0U, 0) == 0;
}

void resetSignals() {
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) sigaction(number, &action, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Runs in the child, between fork and exec: system calls alone.
[[noreturn]] void becomeCompiler(const Plan& plan) {
  resetSignals();
  // A session of its own: what the terminal sends to kilnd is not for its compilers, and the group tells
  // which processes came from one zygote.
  setsid();
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != plan.parent) _exit(1);
  int trouble = fcntl(plan.trouble, F_DUPFD_CLOEXEC, kOutOfTheWay);
  if (arrangeDescriptors(plan, trouble)) {
    trouble = kTrouble;
    execve(plan.program, plan.arguments, plan.environment);
  }
  int error = errno;
  [[maybe_unused]] auto written = write(trouble, &error, sizeof error);
  _exit(127);
}

// Forks with every signal blocked, so that no handler of the parent runs in the child.
pid_t forkQuietly(const Plan& plan) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t id = fork();
  if (id == 0) becomeCompiler(plan);
  int error = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return id;
}

// The errno that the child reports; 0 when it runs the program.
int readTrouble(int descriptor) {
  int error = 0;
  ssize_t size = 0;
  do {
    size = read(descriptor, &error, sizeof error);
  } while (size < 0 && errno == EINTR);
  return size == sizeof error ? error : 0;
}

std::unexpected<Failure> cannotStart(const SpawnOrder& order, int error) {
  return std::unexpected(Failure{FailureKind::toolchainUnavailable,
                                 "cannot start the compiler program '" + order.program.string() + "': " +
                                     std::strerror(error) + "; check that kiln is installed completely"});
}

}  // namespace

std::expected<Process, Failure> spawn(const SpawnOrder& order) {
  std::vector<std::string> arguments{order.program.string()};
  arguments.insert(arguments.end(), order.arguments.begin(), order.arguments.end());
  auto environment = keptEnvironment();
  auto argumentPointers = pointers(arguments);
  auto environmentPointers = pointers(environment);

  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return cannotStart(order, errno);
  kj::AutoCloseFd trouble(ends[0]);
  kj::AutoCloseFd troubleOfChild(ends[1]);
  pid_t id = forkQuietly({order.program.c_str(), argumentPointers.data(), environmentPointers.data(),
                          order.control.value_or(-1), order.standardOutput.value_or(-1),
                          order.standardError.value_or(-1), troubleOfChild, getpid()});
  if (id < 0) return cannotStart(order, errno);
  troubleOfChild = nullptr;
  // Nobody else reaps children of this process, so the number is still this child's.
  int pidfd = openPidfd(id);
  if (pidfd < 0) {
    int error = errno;
    kill(id, SIGKILL);
    waitpid(id, nullptr, 0);
    return cannotStart(order, error);
  }
  Process process(kj::AutoCloseFd(pidfd), id);
  if (int error = readTrouble(trouble); error != 0) return cannotStart(order, error);
  return process;
}

}  // namespace kiln
