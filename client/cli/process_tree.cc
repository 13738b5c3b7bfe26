#include "client/cli/process_tree.h"

#include <fcntl.h>
#include <kj/io.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <optional>

namespace kiln::cli {
namespace {

constexpr int kSignalled = 128;  // as shells tell of a signal

int statusOf(int status) { return WIFSIGNALED(status) ? kSignalled + WTERMSIG(status) : WEXITSTATUS(status); }

// In the child. Tells through `problem`, which a command closes, why there is none.
[[noreturn]] void become(const std::vector<std::string>& command,
                         const std::vector<std::pair<std::string, std::string>>& variables,
                         const KeptSignals& signals, int problem) {
  std::vector<char*> arguments;
  for (const auto& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  for (const auto& [name, value] : variables) ::setenv(name.c_str(), value.c_str(), 1);
  signals.restore();
  ::execvp(arguments.front(), arguments.data());
  const int error = errno;
  const auto written = ::write(problem, &error, sizeof error);
  ::_exit(written == sizeof error ? 0 : 1);
}

// The process, or an errno.
std::expected<pid_t, int> start(const std::vector<std::string>& command,
                                const std::vector<std::pair<std::string, std::string>>& variables,
                                const KeptSignals& signals) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return std::unexpected(errno);
  const kj::AutoCloseFd readEnd(ends[0]);
  kj::AutoCloseFd writeEnd(ends[1]);
  const pid_t process = ::fork();
  if (process < 0) return std::unexpected(errno);
  if (process == 0) become(command, variables, signals, writeEnd.get());
  writeEnd = nullptr;
  int problem = 0;
  if (::read(readEnd.get(), &problem, sizeof problem) != sizeof problem) return process;
  ::waitpid(process, nullptr, 0);
  return std::unexpected(problem);
}

}  // namespace

KeptSignals::KeptSignals() {
  ::sigemptyset(&kept_);
  for (const int signal : {SIGINT, SIGQUIT, SIGTERM, SIGHUP}) {
    struct sigaction action{};
    ::sigaction(signal, nullptr, &action);
    if (action.sa_handler != SIG_IGN) ::sigaddset(&kept_, signal);
  }
  // Ignored, the system would not tell how children ended.
  ::sigaddset(&kept_, SIGCHLD);
  struct sigaction usual{};
  usual.sa_handler = SIG_DFL;
  ::sigaction(SIGCHLD, &usual, &childBefore_);
  struct sigaction ignored{};
  ignored.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &ignored, &pipeBefore_);
  ::sigprocmask(SIG_BLOCK, &kept_, &before_);
}

KeptSignals::~KeptSignals() {
  const timespec none{};
  while (::sigtimedwait(&kept_, nullptr, &none) > 0) continue;
  restore();
}

void KeptSignals::restore() const {
  ::sigaction(SIGCHLD, &childBefore_, nullptr);
  ::sigaction(SIGPIPE, &pipeBefore_, nullptr);
  ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

int KeptSignals::next() const {
  const timespec second{.tv_sec = 1, .tv_nsec = 0};
  const int signal = ::sigtimedwait(&kept_, nullptr, &second);
  return signal > 0 ? signal : 0;
}

std::expected<TreeEnd, int> runTree(const std::vector<std::string>& command,
                                    const std::vector<std::pair<std::string, std::string>>& variables,
                                    const KeptSignals& signals) {
  // Whose parent ends becomes a child of this process, rather than of the system's first.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  const auto process = start(command, variables, signals);
  if (!process) return std::unexpected(process.error());
  std::optional<int> status;  // of the command, once it has ended
  bool hasSaid = false;
  for (;;) {
    int ending = 0;
    pid_t ended = 0;
    while ((ended = ::waitpid(-1, &ending, WNOHANG)) > 0) {
      if (ended == *process) status = statusOf(ending);
    }
    if (ended < 0) return TreeEnd{status.value_or(0)};
    const int signal = signals.next();
    if (signal == SIGCHLD) continue;
    if (!status) {
      if (signal == SIGTERM || signal == SIGHUP) ::kill(*process, signal);
    } else if (signal != 0) {
      return TreeEnd{*status, true};
    } else if (!hasSaid) {
      hasSaid = true;
      std::cerr
          << "kiln: '" << command.front()
          << "' has ended; waiting for the processes that it left behind (Ctrl-C or SIGTERM ends the wait)\n";
    }
  }
}

}  // namespace kiln::cli
