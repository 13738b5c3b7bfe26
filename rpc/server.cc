#include "rpc/server.h"

#include <capnp/rpc-twoparty.h>
#include <kj/debug.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "jit/request_hash.h"
#include "rpc/schema/convert.h"
#include "rpc/version.h"

namespace kiln {
namespace {

// Clients send no descriptors; Cap'n Proto takes 0 for a connection that carries none in either direction.
constexpr unsigned kMaxDescriptorsPerMessage = 1;
constexpr auto kAcceptPause = 100 * kj::MILLISECONDS;
constexpr auto kFlushInterval = 2 * kj::MILLISECONDS;

// A message holds a request, or the content of the client's files; what is read twice counts twice.
capnp::ReaderOptions readerOptions(std::uint64_t maxSourceMegabytes) {
  capnp::ReaderOptions options;
  options.traversalLimitInWords = (256 + 3 * maxSourceMegabytes) << 20 >> 3;
  return options;
}

class KilnImpl final : public schema::Kiln::Server {
 public:
  KilnImpl(SessionContext& context, Peer peer) : context_(context), peer_(std::move(peer)) {}

 protected:
  kj::Promise<void> connect(ConnectContext context) override {
    auto client = context.getParams().getClient();
    checkVersions(client);
    auto peer = peer_;
    peer.name = convert::text(client.getName());
    peer.takesDescriptors = client.getTakesDescriptors();
    context_.log.debug("client " + std::to_string(peer.number) + " is " + quotedForLog(peer.name));
    auto results = context.getResults();
    auto daemon = results.initDaemon();
    daemon.setProtocolVersion(schema::PROTOCOL_VERSION);
    daemon.setRequestHashVersion(kRequestHashVersion);
    daemon.setVersion(kVersion);
    daemon.setDomain(convert::toText(peer.domain));
    results.setSession(makeSession(context_, std::move(peer)));
    return kj::READY_NOW;
  }

 private:
  void checkVersions(schema::ClientInfo::Reader client) {
    auto refuse = [&](const char* what, std::uint32_t theirs, std::uint32_t ours) {
      kj::throwFatalException(KJ_EXCEPTION(
          FAILED, kj::str("this client's ", what, " version is ", theirs, ", that of kilnd ", kVersion,
                          " is ", ours, "; use the libkiln of kilnd's version, or update kilnd")));
    };
    if (client.getProtocolVersion() != schema::PROTOCOL_VERSION) {
      refuse("protocol", client.getProtocolVersion(), schema::PROTOCOL_VERSION);
    }
    auto hashVersion = client.getRequestHashVersion();
    if (hashVersion != 0 && hashVersion != kRequestHashVersion)
      refuse("request hash", hashVersion, kRequestHashVersion);
  }

  SessionContext& context_;
  const Peer peer_;
};

uid_t userOf(kj::AsyncIoStream& stream) {
  ucred credentials{};
  kj::uint size = sizeof credentials;
  stream.getsockopt(SOL_SOCKET, SO_PEERCRED, &credentials, &size);
  return credentials.uid;
}

}  // namespace

struct Server::Connection {
  Connection(Server& owner, kj::Own<kj::AsyncCapabilityStream> connected, Peer peer)
      : server(owner),
        number(peer.number),
        stream(kj::mv(connected)),
        network(*stream, kMaxDescriptorsPerMessage, capnp::rpc::twoparty::Side::SERVER,
                readerOptions(owner.context_.maxSourceMegabytes)),
        rpc(capnp::makeRpcServer(network, kj::heap<KilnImpl>(owner.context_, std::move(peer)))) {
    place = server.connections_.insert(server.connections_.end(), this);
    ++server.context_.clients;
  }
  ~Connection() noexcept {
    server.connections_.erase(place);
    --server.context_.clients;
    server.context_.log.debug("client " + std::to_string(number) + " left");
  }
  KJ_DISALLOW_COPY(Connection);

  Server& server;
  unsigned number;
  kj::Own<kj::AsyncCapabilityStream> stream;
  capnp::TwoPartyVatNetwork network;
  capnp::RpcSystem<capnp::rpc::twoparty::VatId> rpc;
  std::list<Connection*>::iterator place;
};

// A socket that clients come in through.
struct Server::Door {
  Door(kj::LowLevelAsyncIoProvider& io, Listener own)
      : listener(kj::mv(own)), receiver(io.wrapListenSocketFd(listener.descriptor())) {}

  Listener listener;
  kj::Own<kj::ConnectionReceiver> receiver;
  kj::Promise<void> accepting = nullptr;
};

Server::Server(kj::LowLevelAsyncIoProvider& io, kj::Timer& timer, SessionContext& context)
    : io_(io), timer_(timer), context_(context), tasks_(*this) {}

Server::~Server() noexcept { context_.calls.cancel(KJ_EXCEPTION(DISCONNECTED, "kilnd ends")); }

void Server::listen(Listener listener) {
  context_.log.info("listening on " + listener.path().string() + " for domain " + listener.domain() +
                    (listener.lane() == Lane::locked ? ", locked: it compiles nothing" : ""));
  context_.lanes.push_back({listener.path().string(), listener.domain(), listener.lane()});
  doors_.push_back(kj::heap<Door>(io_, kj::mv(listener)));
  auto& door = *doors_.back();
  door.accepting = acceptFrom(door).eagerlyEvaluate(nullptr);
}

kj::Promise<void> Server::acceptFrom(Door& door) {
  return door.receiver->accept()
      .then([this, &door](kj::Own<kj::AsyncIoStream>&& stream) -> kj::Promise<void> {
        auto user = userOf(*stream);
        serve(stream.downcast<kj::AsyncCapabilityStream>(), door.listener.domain(), door.listener.lane(),
              user);
        return kj::READY_NOW;
      })
      .catch_([this](kj::Exception&& exception) {
        // Such as a process that is out of descriptors: others may leave meanwhile.
        context_.log.error("cannot accept a client: " + std::string(exception.getDescription().cStr()));
        return timer_.afterDelay(kAcceptPause);
      })
      .then([this, &door] { return acceptFrom(door); });
}

void Server::serve(kj::Own<kj::AsyncCapabilityStream> stream, std::string domain, Lane lane, uid_t user) {
  Peer peer{.number = ++lastNumber_, .user = user, .domain = std::move(domain), .lane = lane};
  context_.log.debug("client " + std::to_string(peer.number) + " of user " + std::to_string(user) +
                     " comes into domain " + peer.domain);
  auto connection = kj::heap<Connection>(*this, kj::mv(stream), std::move(peer));
  auto gone = connection->network.onDisconnect();
  tasks_.add(gone.attach(kj::mv(connection)));
}

void Server::stopListening() { doors_.clear(); }

kj::Promise<void> Server::flushed() {
  // A timer fires only after everything that was ready has run.
  return timer_.afterDelay(kFlushInterval).then([this]() -> kj::Promise<void> {
    if (isFlushed()) return kj::READY_NOW;
    return flushed();
  });
}

bool Server::isFlushed() const {
  return std::ranges::all_of(connections_,
                             [](auto* connection) { return connection->network.getCurrentQueueSize() == 0; });
}

void Server::taskFailed(kj::Exception&& exception) {
  context_.log.debug("a connection ended: " + std::string(exception.getDescription().cStr()));
}

}  // namespace kiln
