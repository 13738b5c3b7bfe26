// kiln-compiler: runs one compiler library on behalf of kilnd.
#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "frontends/frontend.h"
#include "frontends/process/loaded_toolchain.h"
#include "frontends/process/own_frontends.h"
#include "frontends/process/process_setup.h"
#include "frontends/process/zygote.h"

namespace {

constexpr int kControlSocket = 3;

constexpr const char* kUsage =
    "usage: " KILN_PROGRAM
    " --zygote FRONTEND LIBRARY [FILE...]\n"
    "       " KILN_PROGRAM
    " --describe FRONTEND LIBRARY [FILE...]\n"
    "       " KILN_PROGRAM
    " --help | --version\n"
    "\n"
    "Runs one compiler library on behalf of kilnd, which starts it; people have no use for it.\n"
    "\n"
    "  --zygote    load LIBRARY, then clone a process per compile, as ordered on the SOCK_SEQPACKET socket "
    "that is\n"
    "              descriptor 3 (rpc/schema/compiler.capnp)\n"
    "  --describe  load LIBRARY and write its version and targets to the standard output (ZygoteReport)\n"
    "\n"
    "FRONTEND is the name of a folder below frontends/: " KILN_FRONTENDS
    ". LIBRARY is the path of its library,\n"
    "a FILE that of what it is to load besides.\n";

// FRONTEND LIBRARY [FILE...]
struct Toolchain {
  const char* frontend;
  std::filesystem::path library;
  std::vector<std::filesystem::path> handed;
};

// The row of the table that is called `name`; null if it is of another program.
const kiln::Frontend* ownFrontend(std::string_view name) {
  const auto* frontend = kiln::frontendByName(name);
  if (frontend == nullptr) return nullptr;
  const auto program = frontend->program.empty() ? "kiln-compiler" : frontend->program;
  return program == KILN_PROGRAM ? frontend : nullptr;
}

std::expected<kiln::LoadedToolchain, kiln::Failure> load(const Toolchain& toolchain) {
  const auto* frontend = ownFrontend(toolchain.frontend);
  if (frontend == nullptr) {
    return std::unexpected(kiln::Failure{kiln::FailureKind::toolchainUnavailable,
                                         "there is no frontend '" + std::string(toolchain.frontend) +
                                             "' in this " KILN_PROGRAM
                                             "; kilnd and its compiler programs must be of one build"});
  }
  return kiln::loadToolchain(*frontend, toolchain.library,
                             [&] { return kiln::loadOwn(*frontend, toolchain.library, toolchain.handed); });
}

// kilnd, which holds the other end, may have died before this process was tied to it.
bool isPeerGone(int socket) {
  pollfd item{socket, 0, 0};
  return ::poll(&item, 1, 0) < 0 || (item.revents & (POLLHUP | POLLNVAL | POLLERR)) != 0;
}

int zygote(const Toolchain& toolchain) {
  kiln::dieWith(::getppid());
  if (isPeerGone(kControlSocket)) {
    std::fprintf(stderr,
                 KILN_PROGRAM ": descriptor 3 is no socket to a running kilnd; kilnd starts this program\n");
    return 1;
  }
  kiln::isolateProcess(kControlSocket + 1);
  return kiln::runZygote(kControlSocket, load(toolchain));
}

// What the library itself may print must not mix with the description.
int describe(const Toolchain& toolchain) {
  kiln::isolateProcess(STDERR_FILENO + 1);
  int output = ::dup(STDOUT_FILENO);
  ::dup2(STDERR_FILENO, STDOUT_FILENO);
  return kiln::writeDescription(output, load(toolchain));
}

}  // namespace

int main(int count, char** arguments) {
  kiln::ensureOwnEnvironment(arguments);
  const std::span<char*> given(arguments, static_cast<std::size_t>(count));
  const std::string_view command = count > 1 ? given[1] : "";
  if (command == "--help" && count == 2) return std::fputs(kUsage, stdout) < 0;
  if (command == "--version" && count == 2) return std::puts(KILN_PROGRAM " " KILN_VERSION) < 0;
  if ((command != "--zygote" && command != "--describe") || count < 4) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  const Toolchain toolchain{given[2], given[3], {given.begin() + 4, given.end()}};
  return command == "--zygote" ? zygote(toolchain) : describe(toolchain);
}
