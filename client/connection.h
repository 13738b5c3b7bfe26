// The connection to kilnd: made when a call needs it, shared by all calls, made anew after it was lost.
#pragma once

#include <capnp/rpc-twoparty.h>
#include <kj/refcount.h>

#include <chrono>
#include <optional>
#include <string>

#include "client/event_port.h"
#include "client/unix_stream.h"
#include "kiln.capnp.h"

namespace kiln::client {

struct ConnectOptions {
  std::string socket;
  std::string name;
  bool takesDescriptors = true;
  std::chrono::milliseconds timeout{5'000};
};

// Belongs to the loop, like all in this file.
class Connection final : public kj::Refcounted {
 public:
  Connection(EventPort& port, kj::AutoCloseFd socket, bool takesDescriptors);

  kj::Promise<void> sayHello(const std::string& clientName, bool takesDescriptors);
  schema::Session::Client& session() { return session_; }
  // The daemon's word for the set of clients this one belongs to.
  [[nodiscard]] const std::string& domain() const { return domain_; }
  // Resolves when the daemon has closed the connection.
  kj::Promise<void> onDisconnect() { return network_.onDisconnect(); }
  // Whether calls on it are known to be in vain.
  [[nodiscard]] bool isLost() const { return lost_; }
  void markLost() { lost_ = true; }

  kj::Own<Connection> addRef() { return kj::addRef(*this); }

 private:
  UnixStream stream_;
  capnp::TwoPartyVatNetwork network_;
  capnp::RpcSystem<capnp::rpc::twoparty::VatId> rpc_;
  schema::Session::Client session_;
  std::string domain_;
  bool lost_ = false;
  kj::Promise<void> watch_;
};

// What went wrong with the connection or on it, in words for a person, and of DISCONNECTED type only if
// another try on a new connection makes sense.
kj::Exception describedError(kj::Exception::Type type, const std::string& text);

class Connector {
 public:
  Connector(EventPort& port, ConnectOptions options);

  // The connection that stands, or a new one.
  kj::Promise<kj::Own<Connection>> connection();

 private:
  kj::Promise<kj::Own<Connection>> makeConnection();
  kj::Promise<kj::AutoCloseFd> connectSocket();
  [[nodiscard]] kj::Exception cannotReach(kj::Exception::Type type, const std::string& why) const;

  EventPort& port_;
  ConnectOptions options_;
  kj::Maybe<kj::ForkedPromise<kj::Own<Connection>>> current_;
  const Connection* standing_ = nullptr;  // what `current_` has become, once it has
  bool failed_ = false;                   // `current_` came to nothing
};

}  // namespace kiln::client
