#include "frontends/process/process_setup.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "frontends/process/raw_calls.h"

namespace kiln {
namespace {

// UTC0 rather than UTC, which would be looked up in a file.
constexpr std::array<std::string_view, 2> kFixed = {"TZ=UTC0", "LC_ALL=C"};
constexpr std::array<std::string_view, 4> kKept = {
    "ASAN_OPTIONS=", "LSAN_OPTIONS=", "TSAN_OPTIONS=", "UBSAN_OPTIONS="};

std::vector<std::string> ownEnvironment() {
  std::vector<std::string> result(kFixed.begin(), kFixed.end());
  for (char** variable = environ; *variable != nullptr; ++variable) {
    std::string_view text(*variable);
    if (std::any_of(kKept.begin(), kKept.end(), [&](auto name) { return text.starts_with(name); })) {
      result.emplace_back(text);
    }
  }
  return result;
}

void raiseOutOfMemoryScore() {
  int file = raw::openAt(AT_FDCWD, "/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  constexpr std::string_view kScore = "800";
  raw::call(SYS_write, file, kScore.data(), kScore.size());
  raw::call(SYS_close, file);
}

}  // namespace

void ensureOwnEnvironment(char** arguments) {
  auto wanted = ownEnvironment();
  std::vector<std::string> present;
  for (char** variable = environ; *variable != nullptr; ++variable) present.emplace_back(*variable);
  if (std::is_permutation(present.begin(), present.end(), wanted.begin(), wanted.end())) return;
  std::vector<char*> environment;
  for (auto& variable : wanted) environment.push_back(variable.data());
  environment.push_back(nullptr);
  ::execve("/proc/self/exe", arguments, environment.data());
  // Without /proc: the loader has seen the old environment, the compiler will not.
  ::clearenv();
  for (auto& variable : wanted) ::putenv(strdup(variable.c_str()));
}

void isolateProcess(int firstUnused) {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  raiseOutOfMemoryScore();
  raw::call(SYS_close_range, firstUnused, ~0U, 0);

  for (int signal : {SIGINT, SIGTERM, SIGHUP}) ::signal(signal, SIG_IGN);
  for (int signal : {SIGPIPE, SIGCHLD}) ::signal(signal, SIG_DFL);
  sigset_t empty;
  sigemptyset(&empty);
  ::sigprocmask(SIG_SETMASK, &empty, nullptr);
}

void dieWith(pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (::getppid() != parent) ::_exit(1);
}

}  // namespace kiln
