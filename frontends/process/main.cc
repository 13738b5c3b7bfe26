// kiln-compiler: runs one compiler library on behalf of kilnd.
#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "frontends/frontend.h"
#include "frontends/process/loaded_toolchain.h"
#include "frontends/process/process_setup.h"
#include "frontends/process/zygote.h"

namespace {

constexpr int kControlSocket = 3;

constexpr const char* kUsage =
    "usage: kiln-compiler --zygote FRONTEND LIBRARY\n"
    "       kiln-compiler --describe FRONTEND LIBRARY\n"
    "       kiln-compiler --help | --version\n"
    "\n"
    "Runs one compiler library on behalf of kilnd, which starts it; people have no use for it.\n"
    "\n"
    "  --zygote    load LIBRARY, then clone a process per compile, as ordered on the SOCK_SEQPACKET socket "
    "that is\n"
    "              descriptor 3 (rpc/schema/compiler.capnp)\n"
    "  --describe  load LIBRARY and write its version and targets to the standard output (ZygoteReport)\n"
    "\n"
    "FRONTEND is the name of a folder below frontends/: nvrtc, nvjitlink, hiprtc. LIBRARY is the path of its "
    "library.\n";

std::expected<kiln::LoadedToolchain, kiln::Failure> load(const char* frontendName, const char* library) {
  const auto* frontend = kiln::frontendByName(frontendName);
  if (frontend == nullptr) {
    return std::unexpected(
        kiln::Failure{kiln::FailureKind::toolchainUnavailable,
                      "there is no frontend '" + std::string(frontendName) +
                          "' in this kiln-compiler; kilnd and kiln-compiler must be of one build"});
  }
  return kiln::loadToolchain(*frontend, library);
}

// kilnd, which holds the other end, may have died before this process was tied to it.
bool isPeerGone(int socket) {
  pollfd item{socket, 0, 0};
  return ::poll(&item, 1, 0) < 0 || (item.revents & (POLLHUP | POLLNVAL | POLLERR)) != 0;
}

int zygote(const char* frontendName, const char* library) {
  kiln::dieWith(::getppid());
  if (isPeerGone(kControlSocket)) {
    std::fprintf(stderr,
                 "kiln-compiler: descriptor 3 is no socket to a running kilnd; kilnd starts this program\n");
    return 1;
  }
  kiln::isolateProcess(kControlSocket + 1);
  return kiln::runZygote(kControlSocket, load(frontendName, library));
}

// What the library itself may print must not mix with the description.
int describe(const char* frontendName, const char* library) {
  kiln::isolateProcess(STDERR_FILENO + 1);
  int output = ::dup(STDOUT_FILENO);
  ::dup2(STDERR_FILENO, STDOUT_FILENO);
  return kiln::writeDescription(output, load(frontendName, library));
}

}  // namespace

int main(int count, char** arguments) {
  kiln::ensureOwnEnvironment(arguments);
  const std::span<char*> given(arguments, static_cast<std::size_t>(count));
  const std::string_view command = count > 1 ? given[1] : "";
  if (command == "--help" && count == 2) return std::fputs(kUsage, stdout) < 0;
  if (command == "--version" && count == 2) return std::puts("kiln-compiler " KILN_VERSION) < 0;
  if (command == "--zygote" && count == 4) return zygote(given[2], given[3]);
  if (command == "--describe" && count == 4) return describe(given[2], given[3]);
  std::fputs(kUsage, stderr);
  return 2;
}
