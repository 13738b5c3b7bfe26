// Accepts clients and speaks kiln.capnp with them.
#pragma once

#include <kj/async-io.h>
#include <kj/timer.h>

#include <list>
#include <string>

#include "rpc/listener.h"
#include "rpc/session.h"

namespace kiln {

// Belongs to the event loop's thread. Destroying it ends every connection and cancels every call.
class Server final : private kj::TaskSet::ErrorHandler {
 public:
  // All outlive it.
  Server(kj::LowLevelAsyncIoProvider& io, kj::Timer& timer, SessionContext& context);
  ~Server() noexcept;

  // Takes clients from now on.
  void listen(Listener listener);
  // Serves one client, whose kernel-given user is `user`.
  void serve(kj::Own<kj::AsyncCapabilityStream> stream, std::string domain, Lane lane, uid_t user);

  // Takes no more clients and removes the sockets' names; those who are connected stay.
  void stopListening();
  // Resolves when all that was answered has been handed to the system.
  kj::Promise<void> flushed();

 private:
  struct Connection;
  struct Door;

  kj::Promise<void> acceptFrom(Door& door);
  [[nodiscard]] bool isFlushed() const;
  void taskFailed(kj::Exception&& exception) override;

  kj::LowLevelAsyncIoProvider& io_;
  kj::Timer& timer_;
  SessionContext& context_;
  unsigned lastNumber_ = 0;
  std::list<Connection*> connections_;
  std::list<kj::Own<Door>> doors_;
  kj::TaskSet tasks_;
};

}  // namespace kiln
