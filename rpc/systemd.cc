#include "rpc/systemd.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <optional>

namespace kiln {
namespace {

constexpr int kMaxActivated = 64;

// The number in an environment variable.
std::optional<int> numberFrom(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr) return std::nullopt;
  int number = 0;
  const char* end = text + std::strlen(text);
  auto result = std::from_chars(text, end, number);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return number;
}

std::vector<std::string> namesFrom(const char* variable) {
  std::vector<std::string> names;
  const char* text = std::getenv(variable);
  if (text == nullptr) return names;
  std::string_view rest = text;
  while (true) {
    auto colon = rest.find(':');
    names.emplace_back(rest.substr(0, colon));
    if (colon == std::string_view::npos) return names;
    rest.remove_prefix(colon + 1);
  }
}

bool isListeningStream(int descriptor) {
  int type = 0;
  int listening = 0;
  socklen_t size = sizeof type;
  if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_STREAM) return false;
  size = sizeof listening;
  return getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening != 0;
}

// Where a Unix socket is bound; nothing if it is none. Empty for one without a name in the file system.
std::optional<std::filesystem::path> boundPath(int descriptor) {
  sockaddr_un address{};
  socklen_t size = sizeof address;
  if (getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
      address.sun_family != AF_UNIX) {
    return std::nullopt;
  }
  auto length = size - offsetof(sockaddr_un, sun_path);
  return std::filesystem::path(std::string(address.sun_path, strnlen(address.sun_path, length)));
}

}  // namespace

std::expected<std::vector<ActivatedSocket>, std::string> takeActivatedSockets(int first) {
  auto process = numberFrom("LISTEN_PID");
  int count = numberFrom("LISTEN_FDS").value_or(0);
  auto names = namesFrom("LISTEN_FDNAMES");
  for (const char* variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) unsetenv(variable);
  std::vector<ActivatedSocket> sockets;
  if (process != getpid() || count <= 0) return sockets;
  if (count > kMaxActivated) {
    return std::unexpected("LISTEN_FDS announces " + std::to_string(count) + " sockets; at most " +
                           std::to_string(kMaxActivated) + " are taken");
  }
  for (int i = 0; i < count; ++i) {
    kj::AutoCloseFd descriptor(first + i);
    auto path = boundPath(descriptor);
    if (!path || !isListeningStream(descriptor) || fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0) {
      return std::unexpected(
          "descriptor " + std::to_string(first + i) +
          ", passed by LISTEN_FDS, is no listening Unix stream socket; the socket unit needs "
          "ListenStream= with an absolute path and Accept=no");
    }
    auto name = static_cast<std::size_t>(i) < names.size() ? names[i] : std::string();
    sockets.push_back({kj::mv(descriptor), std::move(name), std::move(*path)});
  }
  return sockets;
}

bool notifyServiceManager(std::string_view state) {
  const char* name = std::getenv("NOTIFY_SOCKET");
  if (name == nullptr) return false;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::size_t length = std::strlen(name);
  if (length < 2 || length >= sizeof address.sun_path || (name[0] != '/' && name[0] != '@')) return false;
  std::memcpy(address.sun_path, name, length);
  if (name[0] == '@') address.sun_path[0] = '\0';  // an abstract address
  int raw = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (raw < 0) return false;
  kj::AutoCloseFd socket(raw);
  auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  return sendto(socket, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&address),
                size) == static_cast<ssize_t>(state.size());
}

}  // namespace kiln
