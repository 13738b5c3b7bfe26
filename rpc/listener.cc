#include "rpc/listener.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

namespace kiln {
namespace {

namespace fs = std::filesystem;

constexpr int kBacklog = 511;

using Problem = std::unexpected<std::string>;

Problem cannotListen(const fs::path& path, const std::string& reason) {
  return Problem("cannot listen on " + path.string() + ": " + reason);
}

Problem inUse(const fs::path& path) {
  return Problem("another kilnd answers on " + path.string() +
                 "; stop it first (kiln stop), or say --socket PATH");
}

fs::path lockPath(const fs::path& socket) { return socket.string() + ".lock"; }

sockaddr_un addressOf(const fs::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.native().size() + 1);
  return address;
}

std::expected<kj::AutoCloseFd, int> newSocket() {
  int raw = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (raw < 0) return std::unexpected(errno);
  return kj::AutoCloseFd(raw);
}

// The lock says which kilnd owns the socket's name. Whoever holds it may remove the file, so a lock that was
// taken counts only while the name still leads to it.
std::expected<kj::AutoCloseFd, std::string> takeLock(const fs::path& path) {
  auto lock = lockPath(path);
  while (true) {
    int raw = open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (raw < 0 && errno == ENOENT) {
      return cannotListen(path, "there is no directory " + path.parent_path().string() + "; create it");
    }
    if (raw < 0) return cannotListen(path, "cannot open " + lock.string() + ": " + std::strerror(errno));
    kj::AutoCloseFd descriptor(raw);
    if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) return inUse(path);
      return cannotListen(path, "cannot lock " + lock.string() + ": " + std::strerror(errno));
    }
    struct stat taken{};
    struct stat named{};
    if (fstat(descriptor, &taken) != 0 || lstat(lock.c_str(), &named) != 0) continue;
    if (taken.st_dev == named.st_dev && taken.st_ino == named.st_ino) return descriptor;
  }
}

// Fails unless the path is free, or holds a socket on which nobody answers. With the lock held.
std::expected<void, std::string> checkFree(const fs::path& path) {
  struct stat status{};
  if (lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return {};
    return cannotListen(path, std::strerror(errno));
  }
  if (!S_ISSOCK(status.st_mode))
    return cannotListen(path, "something else is there; remove it or choose another path");
  auto probe = newSocket();
  if (!probe) return cannotListen(path, std::strerror(probe.error()));
  auto address = addressOf(path);
  if (connect(*probe, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return inUse(path);
  switch (errno) {
    case ECONNREFUSED:
    case ENOENT:
      return {};
    case EAGAIN:  // it listens, and its backlog is full
      return inUse(path);
    default:
      return cannotListen(
          path, std::string("cannot tell whether the socket there is in use: ") + std::strerror(errno));
  }
}

std::expected<gid_t, std::string> findGroup(const std::string& name) {
  gid_t number = 0;
  const char* end = name.data() + name.size();
  if (auto result = std::from_chars(name.data(), end, number); result.ec == std::errc() && result.ptr == end)
    return number;
  if (const auto* entry = getgrnam(name.c_str())) return entry->gr_gid;
  return Problem("there is no group '" + name + "'; create it (groupadd --system " + name +
                 ") or change `group`");
}

// Binds under a name of its own, where nobody looks, and gives the socket its real name once it is complete.
std::expected<kj::AutoCloseFd, std::string> bindComplete(const ListenerConfig& config, struct stat& status) {
  std::optional<gid_t> group;
  if (!config.group.empty()) {
    auto found = findGroup(config.group);
    if (!found) return cannotListen(config.path, found.error());
    group = *found;
  }
  auto failed = [&](const char* what) {
    return cannotListen(config.path, std::string(what) + ": " + std::strerror(errno));
  };
  auto socket = newSocket();
  if (!socket) return cannotListen(config.path, std::strerror(socket.error()));
  fs::path unfinished = config.path.string() + ".new";
  unlink(unfinished.c_str());
  auto address = addressOf(unfinished);
  if (bind(*socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return failed("cannot bind");
  bool ready = false;
  KJ_DEFER(if (!ready) unlink(unfinished.c_str()));
  if (group && lchown(unfinished.c_str(), static_cast<uid_t>(-1), *group) != 0)
    return failed("cannot set the group");
  if (chmod(unfinished.c_str(), config.mode) != 0) return failed("cannot set the mode");
  if (lstat(unfinished.c_str(), &status) != 0) return failed("the socket is gone");
  if (listen(*socket, kBacklog) != 0) return failed("cannot listen");
  if (rename(unfinished.c_str(), config.path.c_str()) != 0) return failed("cannot name the socket");
  ready = true;
  return std::move(*socket);
}

std::expected<void, std::string> createDirectory(const fs::path& directory) {
  if (mkdir(directory.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return Problem("cannot create " + directory.string() + " for the socket: " + std::strerror(errno) +
                 "; say --socket PATH, or [[listen]] in the configuration");
}

// The configured listener that an activated socket is for.
std::optional<std::size_t> listenerFor(const ActivatedSocket& socket,
                                       const std::vector<ListenerConfig>& listen) {
  auto byPath = std::ranges::find(listen, socket.path, &ListenerConfig::path);
  if (byPath != listen.end()) return byPath - listen.begin();
  const auto byDomain = std::ranges::find(listen, socket.name, &ListenerConfig::domain);
  if (byDomain == listen.end()) return std::nullopt;
  // A name that means an open and a locked one means neither.
  const bool isAmbiguous = std::ranges::any_of(listen, [&](const ListenerConfig& other) {
    return other.domain == socket.name && other.lane != byDomain->lane;
  });
  if (isAmbiguous) return std::nullopt;
  return byDomain - listen.begin();
}

}  // namespace

Listener::Listener(kj::AutoCloseFd descriptor, fs::path path, std::string domain, Lane lane,
                   kj::Maybe<Bound> bound)
    : descriptor_(kj::mv(descriptor)),
      path_(std::move(path)),
      domain_(std::move(domain)),
      lane_(lane),
      bound_(kj::mv(bound)) {}

Listener::Listener(Listener&& other) noexcept
    : descriptor_(kj::mv(other.descriptor_)),
      path_(std::move(other.path_)),
      domain_(std::move(other.domain_)),
      lane_(other.lane_),
      bound_(kj::mv(other.bound_)) {
  other.bound_ = nullptr;
}

Listener::~Listener() {
  KJ_IF_MAYBE (bound, bound_) {
    struct stat status{};
    if (lstat(path_.c_str(), &status) == 0 && status.st_dev == bound->device &&
        status.st_ino == bound->number) {
      unlink(path_.c_str());
    }
    unlink(lockPath(path_).c_str());
  }
}

std::expected<Listener, std::string> Listener::bind(const ListenerConfig& config) {
  if (auto problem = socketPathProblem(config.path); !problem.empty()) return Problem(problem);
  auto lock = takeLock(config.path);
  if (!lock) return Problem(lock.error());
  struct stat status{};
  auto free = checkFree(config.path);
  auto socket = free ? bindComplete(config, status) : Problem(free.error());
  if (!socket) {
    unlink(lockPath(config.path).c_str());
    return Problem(socket.error());
  }
  return Listener(kj::mv(*socket), config.path, config.domain, config.lane,
                  Bound{status.st_dev, status.st_ino, kj::mv(*lock)});
}

Listener Listener::adopt(ActivatedSocket socket, std::string domain, Lane lane) {
  return {kj::mv(socket.descriptor), std::move(socket.path), std::move(domain), lane, nullptr};
}

std::expected<std::vector<Listener>, std::string> openListeners(const Config& config,
                                                                std::vector<ActivatedSocket> activated,
                                                                const ListenerConfig& fallback) {
  std::vector<Listener> listeners;
  std::vector<bool> served(config.listen.size());
  for (auto& socket : activated) {
    auto index = listenerFor(socket, config.listen);
    if (index) {
      served[*index] = true;
      const auto& listen = config.listen[*index];
      listeners.push_back(Listener::adopt(kj::mv(socket), listen.domain, listen.lane));
    } else if (config.listen.empty()) {
      auto domain = isDomainName(socket.name) ? socket.name : fallback.domain;
      listeners.push_back(Listener::adopt(kj::mv(socket), std::move(domain), fallback.lane));
    } else {
      return Problem(
          "the socket " + socket.path.string() + " ('" + socket.name +
          "'), passed by systemd, is in no [[listen]]; add one with its path, or the only one with its "
          "FileDescriptorName= as the domain");
    }
  }
  auto missing = config.listen;
  if (missing.empty() && listeners.empty()) {
    if (auto created = createDirectory(fallback.path.parent_path()); !created)
      return Problem(created.error());
    missing.push_back(fallback);
    served.push_back(false);
  }
  for (std::size_t i = 0; i < missing.size(); ++i) {
    if (served[i]) continue;
    auto listener = Listener::bind(missing[i]);
    if (!listener) return Problem(listener.error());
    listeners.push_back(kj::mv(*listener));
  }
  return listeners;
}

}  // namespace kiln
