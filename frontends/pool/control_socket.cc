#include "frontends/pool/control_socket.h"

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "compiler.capnp.h"

namespace kiln {
namespace {

constexpr std::size_t kMaximumPacket = 64 * 1024;

// Room for one descriptor, aligned as the kernel wants it.
union Ancillary {
  cmsghdr header;
  char space[CMSG_SPACE(sizeof(int))];
};

std::optional<kj::AutoCloseFd> descriptorOf(msghdr& message) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(part), sizeof descriptor);
    return kj::AutoCloseFd(descriptor);
  }
  return std::nullopt;
}

}  // namespace

ControlSocket::ControlSocket(kj::UnixEventPort& port, kj::AutoCloseFd socket)
    : socket_(kj::mv(socket)), observer_(port, socket_, kj::UnixEventPort::FdObserver::OBSERVE_READ) {}

std::optional<ControlSocket::Packet> ControlSocket::receiveNow(End& end) {
  auto buffer = kj::heapArray<capnp::word>(kMaximumPacket / sizeof(capnp::word));
  Ancillary ancillary;
  iovec bytes{buffer.begin(), kMaximumPacket};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = &ancillary;
  message.msg_controllen = sizeof ancillary;
  ssize_t size = 0;
  do {
    size = recvmsg(socket_, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (size < 0 && errno == EINTR);
  if (size <= 0) {
    end = size < 0 && errno == EAGAIN ? End::open : End::closed;
    return std::nullopt;
  }
  // A packet cut short is no message; whoever reads it finds out.
  return Packet{kj::heapArray<capnp::word>(buffer.slice(0, size / sizeof(capnp::word))),
                descriptorOf(message)};
}

std::optional<ControlSocket::Packet> ControlSocket::tryReceive() {
  End end{};
  return receiveNow(end);
}

kj::Promise<kj::Maybe<ControlSocket::Packet>> ControlSocket::receive() {
  End end{};
  if (auto packet = receiveNow(end)) return kj::Maybe<Packet>(kj::mv(*packet));
  if (end == End::closed) return kj::Maybe<Packet>(nullptr);
  return observer_.whenBecomesReadable().then([this] { return receive(); });
}

bool ControlSocket::order(std::uint64_t job, int socket) {
  capnp::MallocMessageBuilder builder;
  builder.initRoot<schema::CloneOrder>().setJob(job);
  auto words = capnp::messageToFlatArray(builder);
  auto flat = words.asBytes();
  iovec bytes{flat.begin(), flat.size()};
  Ancillary ancillary{};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = &ancillary;
  message.msg_controllen = sizeof ancillary;
  cmsghdr* part = CMSG_FIRSTHDR(&message);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(sizeof socket);
  std::memcpy(CMSG_DATA(part), &socket, sizeof socket);
  return sendmsg(socket_, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == static_cast<ssize_t>(flat.size());
}

}  // namespace kiln
