#include "frontends/nvjitlink/targets.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>

#include "frontends/nvidia_targets.h"
#include "frontends/nvjitlink/link.h"

namespace kiln::nvjitlink {
namespace {

constexpr int kFirst = 50;
constexpr int kLast = 199;

using Known = std::array<std::uint8_t, kLast + 1>;  // 1 for an architecture that can be compiled for

// What the library itself prints of an architecture that it refuses is of no use to anybody.
[[noreturn]] void tryAll(const Library& library, int output) {
  const int null = ::open("/dev/null", O_WRONLY);
  ::dup2(null, STDOUT_FILENO);
  ::dup2(null, STDERR_FILENO);
  Known known{};
  for (int architecture = kFirst; architecture <= kLast; ++architecture) {
    known[static_cast<std::size_t>(architecture)] =
        Link::create(library, {}, {"-arch=sm_" + std::to_string(architecture)}).has_value();
  }
  const auto written = ::write(output, known.data(), known.size());
  ::_exit(written == static_cast<ssize_t>(known.size()) ? 0 : 1);
}

// None if the process that tries them ended early.
Known tryInChild(const Library& library) {
  Known known{};
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return known;
  const pid_t child = ::fork();
  if (child == 0) tryAll(library, ends[1]);
  ::close(ends[1]);
  const auto count = child > 0 ? ::read(ends[0], known.data(), known.size()) : 0;
  ::close(ends[0]);
  if (child > 0) ::waitpid(child, nullptr, 0);
  return count == static_cast<ssize_t>(known.size()) ? known : Known{};
}

}  // namespace

std::expected<std::vector<std::string>, Failure> targetsOf(const Library& library) {
  const auto known = tryInChild(library);
  const auto [major, minor] = library.version();
  std::vector<std::string> targets;
  for (int architecture = kFirst; architecture <= kLast; ++architecture) {
    if (known[static_cast<std::size_t>(architecture)] == 0) continue;
    for (const auto& form :
         formsOfArchitecture(architecture, static_cast<int>(major), static_cast<int>(minor))) {
      targets.push_back("sm_" + form);
    }
  }
  if (!targets.empty()) return targets;
  return std::unexpected(
      Failure{FailureKind::toolchainUnavailable, "nvJitLink compiles for none of the architectures from sm_" +
                                                     std::to_string(kFirst) + " on; install it anew"});
}

}  // namespace kiln::nvjitlink
