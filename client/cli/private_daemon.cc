#include "client/cli/private_daemon.h"

#include <fcntl.h>
#include <kj/io.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <string_view>
#include <utility>
#include <vector>

#include "client/cli/printable_text.h"
#include "frontends/pool/pidfd.h"

namespace kiln::cli {
namespace {

constexpr int kFirstPassed = 3;  // where systemd, and this, passes sockets
constexpr std::string_view kSocketName = "/kilnd.sock";
constexpr const char* kLogName = "kilnd.log";

std::string problem(const std::string& what) { return what + ": " + std::strerror(errno); }

std::filesystem::path kilndProgram() {
  std::error_code error;
  const auto own = std::filesystem::read_symlink("/proc/self/exe", error);
  return own.parent_path() / "kilnd";
}

// A socket that listens already, so that whoever connects waits until kilnd takes it over.
kj::AutoCloseFd listenAt(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return {};
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  kj::AutoCloseFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0 || ::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(socket.get(), 16) != 0) {
    return {};
  }
  return socket;
}

// The last that says something; empty if none does.
std::string lastLineOf(const std::filesystem::path& log) {
  std::ifstream file(log);
  std::string last;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty()) last = std::move(line);
  }
  return last;
}

// In the child. Takes over the socket as if systemd passed it.
[[noreturn]] void becomeDaemon(const std::vector<std::string>& arguments, int socket, int log) {
  // In a group of its own, so that what is typed ends kiln and not this: it ends when kiln has.
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  if (socket == kFirstPassed) {
    ::fcntl(socket, F_SETFD, 0);
  } else {
    ::dup2(socket, kFirstPassed);
  }
  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  ::setenv("LISTEN_FDS", "1", 1);
  ::unsetenv("NOTIFY_SOCKET");
  std::vector<char*> pointers;
  for (const auto& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  ::execv(pointers.front(), pointers.data());
  ::_exit(127);
}

}  // namespace

std::expected<std::unique_ptr<PrivateDaemon>, std::string> PrivateDaemon::start(BuildFolder taken,
                                                                                const std::string& config) {
  const auto folder = taken.path();
  const auto program = kilndProgram();
  if (::access(program.c_str(), X_OK) != 0)
    return std::unexpected(problem("cannot run '" + program.string() + "'"));
  std::error_code error;
  // In the folder too, unless its path is too long for a socket: then where an interrupted command leaves it
  // behind.
  std::string place = std::filesystem::absolute(folder);
  if (place.size() + kSocketName.size() >= sizeof(sockaddr_un::sun_path)) {
    place = std::filesystem::temp_directory_path(error) / "kiln-XXXXXX";
    if (::mkdtemp(place.data()) == nullptr)
      return std::unexpected(problem("cannot make a folder for a socket"));
  }
  const auto socket = place + std::string(kSocketName);
  ::unlink(socket.c_str());  // of one that was interrupted
  const auto listening = listenAt(socket);
  const auto logPath = folder / kLogName;
  const kj::AutoCloseFd log(::open(logPath.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (listening.get() < 0 || log.get() < 0) {
    auto why = problem("cannot make the socket or the log of a kilnd in '" + folder.string() + "'");
    return std::unexpected(std::move(why));
  }
  std::vector<std::string> arguments = {program.string(), "--store", folder / "store", "--socket", socket};
  if (!config.empty()) arguments.insert(arguments.end(), {"--config", config});
  const pid_t process = ::fork();
  if (process == 0) becomeDaemon(arguments, listening.get(), log.get());
  if (process < 0) return std::unexpected(problem("cannot start a kilnd"));
  return std::unique_ptr<PrivateDaemon>(new PrivateDaemon(process, socket, std::move(taken)));
}

std::string PrivateDaemon::end() const {
  constexpr int kPatience = 2'000;  // milliseconds
  const kj::AutoCloseFd process(openPidfd(process_));
  pollfd ended{process.get(), POLLIN, 0};
  if (process.get() < 0 || ::poll(&ended, 1, kPatience) != 1) return {};
  const auto log = folder_.path() / kLogName;
  const auto line = lastLineOf(log);
  return "the kilnd of this build has ended" + (line.empty() ? "" : ": " + onOneLine(line)) + " (its log: '" +
         log.string() + "')";
}

PrivateDaemon::~PrivateDaemon() {
  ::kill(process_, SIGTERM);
  while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) continue;
  std::error_code error;
  const auto place = std::filesystem::path(socket_).parent_path();
  std::filesystem::remove(socket_, error);
  if (place != std::filesystem::absolute(folder_.path())) std::filesystem::remove(place, error);
}

}  // namespace kiln::cli
