// A child process of this one, held by its pidfd.
#pragma once

#include <kj/io.h>

#include <optional>
#include <string>

namespace kiln {

struct ExitStatus {
  enum class How {
    exited,
    killed,
    unknown,  // somebody else took the status: SIGCHLD is ignored in this process
  };
  How how = How::unknown;
  int number = 0;  // the exit status or the signal

  bool operator==(const ExitStatus&) const = default;
};

// As the end of a sentence about the process: "was killed by SIGSEGV (Segmentation fault)".
std::string describe(ExitStatus status);

// No KJ event loop needed. Destroying it kills the process, and waits for its end, unless it was reaped
// before.
class Process {
 public:
  Process(kj::AutoCloseFd pidfd, int id);
  Process(Process&& other) noexcept;
  Process& operator=(Process&&) = delete;
  ~Process();

  // SIGKILL. Harmless after the end.
  void kill() const;
  // Reaps the process if it has ended. Gives the same answer ever after.
  std::optional<ExitStatus> tryReap();
  // Blocks until the process has ended.
  ExitStatus reap();

  // Stays this process's own until it is reaped.
  [[nodiscard]] int id() const { return id_; }
  // Readable once the process has ended.
  [[nodiscard]] int pidfd() const { return pidfd_; }

 private:
  std::optional<ExitStatus> wait(int options);

  kj::AutoCloseFd pidfd_;
  int id_;
  std::optional<ExitStatus> status_;
};

}  // namespace kiln
