#include "frontends/nvjitlink/targets.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

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
  return link && link->addPtx(kSmallKernel) && link->run();
}

// Whether `test` holds, in a process of its own; not if that ends early. What the library prints there of an
// architecture that it refuses is of no use to anybody.
template <typename Test>
bool holdsInChild(Test test) {
  const pid_t child = ::fork();
  if (child == 0) {
    const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    ::dup2(null, STDOUT_FILENO);
    ::dup2(null, STDERR_FILENO);
    ::_exit(test() ? 0 : 1);
  }
  int status = -1;
  while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

std::expected<std::vector<std::string>, Failure> targetsOf(const Library& library) {
  std::vector<std::string> targets;
  for (int architecture = kFirst; architecture <= kLast; ++architecture) {
    const auto name = "sm_" + std::to_string(architecture);
    for (const char* form : {"", "a", "f"}) {
      // What has no plain form has no specific one.
      if (!holdsInChild([&] { return compilesFor(library, name + form); })) {
        if (*form == '\0') break;
        continue;
      }
      targets.push_back(name + form);
    }
  }
  if (!targets.empty()) return targets;
  return std::unexpected(
      Failure{FailureKind::toolchainUnavailable, "nvJitLink compiles for none of the architectures from sm_" +
                                                     std::to_string(kFirst) + " on; install it anew"});
}

}  // namespace kiln::nvjitlink
