#include "frontends/pool/process.h"

#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "frontends/pool/pidfd.h"

namespace kiln {

std::string describe(ExitStatus status) {
  switch (status.how) {
    case ExitStatus::How::exited:
      return "exited with status " + std::to_string(status.number);
    case ExitStatus::How::killed: {
      const char* abbreviation = sigabbrev_np(status.number);
      const char* description = sigdescr_np(status.number);
      if (abbreviation == nullptr || description == nullptr) {
        return "was killed by signal " + std::to_string(status.number);
      }
      return std::string("was killed by SIG") + abbreviation + " (" + description + ")";
    }
    case ExitStatus::How::unknown:
      break;
  }
  return "ended, and its status was lost";
}

Process::Process(kj::AutoCloseFd pidfd, int id) : pidfd_(kj::mv(pidfd)), id_(id) {}

Process::Process(Process&& other) noexcept
    : pidfd_(kj::mv(other.pidfd_)), id_(other.id_), status_(std::exchange(other.status_, ExitStatus{})) {}

Process::~Process() {
  if (status_) return;
  kill();
  reap();
}

void Process::kill() const {
  if (!status_) sendSignal(pidfd_, SIGKILL);
}

std::optional<ExitStatus> Process::tryReap() { return wait(WNOHANG); }

ExitStatus Process::reap() { return *wait(0); }

std::optional<ExitStatus> Process::wait(int options) {
  if (status_) return status_;
  siginfo_t info{};
  int result = 0;
  do {
    result = waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED | options);
  } while (result != 0 && errno == EINTR);
  if (result != 0) {
    status_ = ExitStatus{};
  } else if (info.si_pid != 0) {
    auto how = info.si_code == CLD_EXITED ? ExitStatus::How::exited : ExitStatus::How::killed;
    status_ = ExitStatus{how, info.si_status};
  }
  return status_;
}

}  // namespace kiln
