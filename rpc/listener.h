// A listening Unix socket: bound so that no other daemon's is taken, or handed over by systemd.
#pragma once

#include <kj/io.h>
#include <sys/types.h>

#include <expected>
#include <string>
#include <vector>

#include "rpc/config.h"
#include "rpc/systemd.h"

namespace kiln {

// No KJ event loop needed. Destroying it removes the socket's name if it is still that of this socket and was
// not systemd's.
class Listener {
 public:
  // Binds and listens. A socket at the path that nobody answers on is replaced; one that answers is an error,
  // and so is anything else that is there. Owner, group and mode are right before anyone can connect. Errors
  // are for a person.
  static std::expected<Listener, std::string> bind(const ListenerConfig& config);
  static Listener adopt(ActivatedSocket socket, std::string domain, Lane lane);

  Listener(Listener&& other) noexcept;
  Listener& operator=(Listener&&) = delete;
  ~Listener();

  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] const std::string& domain() const { return domain_; }
  [[nodiscard]] Lane lane() const { return lane_; }

 private:
  // What this process put into the file system, so that it removes nothing else.
  struct Bound {
    dev_t device = 0;
    ino_t number = 0;
    kj::AutoCloseFd lock;
  };

  Listener(kj::AutoCloseFd descriptor, std::filesystem::path path, std::string domain, Lane lane,
           kj::Maybe<Bound> bound);

  kj::AutoCloseFd descriptor_;
  std::filesystem::path path_;
  std::string domain_;
  Lane lane_;
  kj::Maybe<Bound> bound_;
};

// All listeners that the configuration and systemd ask for. An activated socket belongs to the [[listen]] of
// its path, or else to the one of its name as the domain; where nothing is configured, its name is its
// domain, if it is the name of one. `fallback` is what is bound where there is neither: its directory is
// created, for this user alone.
std::expected<std::vector<Listener>, std::string> openListeners(const Config& config,
                                                                std::vector<ActivatedSocket> activated,
                                                                const ListenerConfig& fallback);

}  // namespace kiln
