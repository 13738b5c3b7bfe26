#include "client/connection.h"

#include <kj/debug.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "jit/request_hash.h"
#include "rpc/schema/convert.h"

namespace kiln::client {
namespace {

// One for each output of an artifact, with room to spare.
constexpr unsigned kMaxDescriptorsPerMessage = 8;
// How often a connect is tried again while the daemon's backlog is full.
constexpr auto kBacklogPause = 10 * kj::MILLISECONDS;

// Inline outputs and lists of dependencies come from a daemon that this client trusts with its compiles.
capnp::ReaderOptions readerOptions() {
  capnp::ReaderOptions options;
  options.traversalLimitInWords = (1ULL << 30) / sizeof(capnp::word);
  return options;
}

std::string howToConnect(int error) {
  std::string text = std::strerror(error);
  if (error == ENOENT || error == ECONNREFUSED) {
    return text + ". Start kilnd with that socket, or name the socket of one that runs in KILN_SOCKET";
  }
  if (error == EACCES) {
    return text + ". Ask for a socket whose mode and group let this user in (kilnd's [[listen]] section)";
  }
  return text;
}

std::string versionsDiffer(schema::DaemonInfo::Reader daemon) {
  return "it is version " + std::string(convert::text(daemon.getVersion())) + " with protocol " +
         std::to_string(daemon.getProtocolVersion()) + " and request hash " +
         std::to_string(daemon.getRequestHashVersion()) + ", this library speaks protocol " +
         std::to_string(schema::PROTOCOL_VERSION) + " and request hash " +
         std::to_string(kRequestHashVersion) + ". Install both from one release";
}

bool fillAddress(sockaddr_un& address, const std::string& socket) {
  address = {};
  address.sun_family = AF_UNIX;
  if (socket.size() >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, socket.data(), socket.size());
  return true;
}

}  // namespace

kj::Exception describedError(kj::Exception::Type type, const std::string& text) {
  return {type, __FILE__, __LINE__, kj::heapString(text.data(), text.size())};
}

Connection::Connection(EventPort& port, kj::AutoCloseFd socket, bool takesDescriptors)
    : stream_(port, kj::mv(socket)),
      network_(stream_, takesDescriptors ? kMaxDescriptorsPerMessage : 0, capnp::rpc::twoparty::Side::CLIENT,
               readerOptions()),
      rpc_(capnp::makeRpcClient(network_)),
      session_(nullptr),
      watch_(network_.onDisconnect().then([this] { lost_ = true; }).eagerlyEvaluate(nullptr)) {}

kj::Promise<void> Connection::sayHello(const std::string& clientName, bool takesDescriptors) {
  capnp::word scratch[4]{};
  capnp::MallocMessageBuilder message(scratch);
  auto vatId = message.getRoot<capnp::rpc::twoparty::VatId>();
  vatId.setSide(capnp::rpc::twoparty::Side::SERVER);
  auto request = rpc_.bootstrap(vatId).castAs<schema::Kiln>().connectRequest();
  auto info = request.initClient();
  info.setProtocolVersion(schema::PROTOCOL_VERSION);
  info.setRequestHashVersion(kRequestHashVersion);
  info.setName(convert::toText(clientName));
  info.setTakesDescriptors(takesDescriptors);
  return request.send().then([this](auto&& response) {
    auto daemon = response.getDaemon();
    if (daemon.getProtocolVersion() != schema::PROTOCOL_VERSION ||
        daemon.getRequestHashVersion() != kRequestHashVersion) {
      kj::throwFatalException(describedError(kj::Exception::Type::FAILED, versionsDiffer(daemon)));
    }
    domain_ = convert::text(daemon.getDomain());
    session_ = response.getSession();
  });
}

Connector::Connector(EventPort& port, ConnectOptions options) : port_(port), options_(std::move(options)) {}

kj::Promise<kj::Own<Connection>> Connector::connection() {
  if (failed_ || (standing_ != nullptr && standing_->isLost())) {
    current_ = nullptr;
    standing_ = nullptr;
    failed_ = false;
  }
  KJ_IF_MAYBE (current, current_) {
    return current->addBranch();
  }
  current_ = makeConnection().fork();
  return KJ_ASSERT_NONNULL(current_).addBranch();
}

kj::Promise<kj::Own<Connection>> Connector::makeConnection() {
  auto connecting = kj::evalLater([this] { return connectSocket(); }).then([this](kj::AutoCloseFd socket) {
    auto connection = kj::refcounted<Connection>(port_, kj::mv(socket), options_.takesDescriptors);
    auto hello = connection->sayHello(options_.name, options_.takesDescriptors);
    return hello.then([this, connection = kj::mv(connection)]() mutable {
      standing_ = connection;
      return kj::mv(connection);
    });
  });
  auto late = port_.timer()
                  .afterDelay(options_.timeout.count() * kj::MILLISECONDS)
                  .then([]() -> kj::Promise<kj::Own<Connection>> {
                    return describedError(kj::Exception::Type::FAILED,
                                          "it does not answer in time. It may be stopped or overloaded");
                  });
  return connecting.exclusiveJoin(kj::mv(late)).catch_([this](kj::Exception&& why) {
    failed_ = true;
    bool hungUp = why.getType() == kj::Exception::Type::DISCONNECTED;
    auto text = hungUp ? "it closed the connection before it answered" : why.getDescription().cStr();
    return kj::Promise<kj::Own<Connection>>(cannotReach(why.getType(), text));
  });
}

// A connect to a Unix socket is done at once, or refused because the daemon's backlog is full: then it is
// tried again until makeConnection() gives up.
kj::Promise<kj::AutoCloseFd> Connector::connectSocket() {
  auto fail = [](const std::string& text) { return describedError(kj::Exception::Type::FAILED, text); };
  sockaddr_un address;
  if (!fillAddress(address, options_.socket))
    return fail("the path is too long for a socket. Choose a shorter one");
  kj::AutoCloseFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket.get() < 0) return fail(std::string("no socket can be made: ") + std::strerror(errno));
  if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0)
    return kj::mv(socket);
  if (errno != EAGAIN && errno != EINTR) return fail(howToConnect(errno));
  return port_.timer().afterDelay(kBacklogPause).then([this] { return connectSocket(); });
}

kj::Exception Connector::cannotReach(kj::Exception::Type type, const std::string& why) const {
  return describedError(type, "kilnd cannot be reached at '" + options_.socket + "': " + why);
}

}  // namespace kiln::client
