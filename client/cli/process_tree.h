// Runs a command and waits for all that it starts.
#pragma once

#include <csignal>
#include <expected>
#include <string>
#include <utility>
#include <vector>

namespace kiln::cli {

// Signals that would end this process are kept back while one is alive, but for those that it was started to
// ignore, and a reader that has gone ends it no more. For a process without threads.
class KeptSignals {
 public:
  KeptSignals();
  // Drops those that came.
  ~KeptSignals();
  KeptSignals(const KeptSignals&) = delete;
  KeptSignals& operator=(const KeptSignals&) = delete;

  // For a command, in the child: as this process was started.
  void restore() const;
  // The next one, or SIGCHLD. Waits at most a second; 0 if none came.
  [[nodiscard]] int next() const;

 private:
  sigset_t kept_, before_;
  struct sigaction childBefore_, pipeBefore_;
};

struct TreeEnd {
  int status = 0;               // of the command, as a shell tells it
  bool isStillRunning = false;  // some process that it started
};

// Runs `command` with `variables` in its environment until it and every process that it left behind have
// ended, or, once it has ended itself, until a signal says to wait no longer. SIGTERM and SIGHUP are given on
// to the command; keys typed at the terminal reach it anyway. The error is the errno with which it could not
// be started.
std::expected<TreeEnd, int> runTree(const std::vector<std::string>& command,
                                    const std::vector<std::pair<std::string, std::string>>& variables,
                                    const KeptSignals& signals);

}  // namespace kiln::cli
