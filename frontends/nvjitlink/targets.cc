#include "frontends/nvjitlink/targets.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "frontends/nvjitlink/link.h"

namespace kiln::nvjitlink {

const char* const kSmallKernel =
    ".version 7.0\n.target sm_50\n.address_size 64\n"
    ".visible .entry scale(.param .u64 data)\n{\n  .reg .b64 %rd<3>;\n  .reg .f32 %f<3>;\n"
    "  ld.param.u64 %rd1, [data];\n  cvta.to.global.u64 %rd2, %rd1;\n  ld.global.f32 %f1, [%rd2];\n"
    "  mul.f32 %f2, %f1, 0f40000000;\n  st.global.f32 [%rd2], %f2;\n  ret;\n}\n";

namespace {

constexpr int kFirst = 50;
constexpr int kLast = 199;

bool compilesFor(const Library& library, const std::string& target) {
  auto link = Link::create(library, {}, {"-arch=" + target});
  return link && link->add({{}, kSmallKernel}) && link->run();
}

enum class Trial { compiles, refused, notMade };

// In a process of its own. What the library prints there of an architecture that it refuses is of no use to
// anybody.
Trial tryInChild(const Library& library, const std::string& target) {
  constexpr unsigned kMostSeconds = 20;
  const pid_t child = ::fork();
  if (child < 0) return Trial::notMade;
  if (child == 0) {
    ::alarm(kMostSeconds);
    const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    ::dup2(null, STDOUT_FILENO);
    ::dup2(null, STDERR_FILENO);
    ::_exit(compilesFor(library, target) ? 0 : 1);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return Trial::notMade;
  }
  if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGALRM)) {
    return Trial::notMade;
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? Trial::compiles : Trial::refused;
}

Failure unavailable(const std::string& problem) {
  return {FailureKind::toolchainUnavailable, "cannot tell what nvJitLink compiles for: " + problem};
}

}  // namespace

std::expected<std::vector<std::string>, Failure> targetsOf(const Library& library) {
  std::vector<std::string> targets;
  for (int architecture = kFirst; architecture <= kLast; ++architecture) {
    for (const char* form : {"", "a", "f"}) {
      const auto target = "sm_" + std::to_string(architecture) + form;
      const auto trial = tryInChild(library, target);
      if (trial == Trial::notMade) {
        return std::unexpected(
            unavailable("the process that tries " + target +
                        " could not be started, or was killed; is the node short of memory?"));
      }
      if (trial == Trial::compiles) targets.push_back(target);
      // What has no plain form has no specific one.
      if (trial == Trial::refused && *form == '\0') break;
    }
  }
  if (!targets.empty()) return targets;
  return std::unexpected(unavailable("it takes none of the architectures from sm_" + std::to_string(kFirst) +
                                     " on; install it anew"));
}

}  // namespace kiln::nvjitlink
