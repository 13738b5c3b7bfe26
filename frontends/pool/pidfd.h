// pidfds. glibc 2.36 declares its functions without C linkage, so they are called by number.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

namespace kiln {

// A descriptor that is closed on exec; -1 and errno on failure.
inline int openPidfd(pid_t id) { return static_cast<int>(syscall(SYS_pidfd_open, id, 0)); }

inline void sendSignal(int pidfd, int signal) { syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0); }

}  // namespace kiln
