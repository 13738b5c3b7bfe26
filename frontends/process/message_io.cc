#include "frontends/process/message_io.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

namespace kiln {
namespace {

constexpr std::size_t kMaximumPacketWords = 8 * 1024;

std::string errorText(int error) { return std::strerror(error); }

std::expected<void, std::string> receiveAll(int socket, kj::ArrayPtr<kj::byte> bytes) {
  for (size_t filled = 0; filled < bytes.size();) {
    ssize_t count = ::recv(socket, bytes.begin() + filled, bytes.size() - filled, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::unexpected(errorText(errno));
    if (count == 0) return std::unexpected("the peer closed the socket");
    filled += static_cast<size_t>(count);
  }
  return {};
}

capnp::ReaderOptions trustedPeer() {
  capnp::ReaderOptions options;
  options.traversalLimitInWords = std::numeric_limits<uint64_t>::max();
  return options;
}

struct ControlBuffer {
  alignas(cmsghdr) char bytes[CMSG_SPACE(sizeof(int))] = {};
};

void attach(msghdr& header, ControlBuffer& control, int descriptor) {
  header.msg_control = control.bytes;
  header.msg_controllen = sizeof control.bytes;
  cmsghdr* item = CMSG_FIRSTHDR(&header);
  item->cmsg_level = SOL_SOCKET;
  item->cmsg_type = SCM_RIGHTS;
  item->cmsg_len = CMSG_LEN(sizeof descriptor);
  std::memcpy(CMSG_DATA(item), &descriptor, sizeof descriptor);
}

int attachedDescriptor(msghdr& header) {
  int descriptor = -1;
  for (cmsghdr* item = CMSG_FIRSTHDR(&header); item != nullptr; item = CMSG_NXTHDR(&header, item)) {
    if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_RIGHTS) continue;
    std::memcpy(&descriptor, CMSG_DATA(item), sizeof descriptor);
  }
  return descriptor;
}

}  // namespace

ReceivedMessage::ReceivedMessage(kj::Array<capnp::word> content)
    : words(kj::mv(content)), reader(words, trustedPeer()) {}

std::expected<void, std::string> MessageSocket::send(capnp::MessageBuilder& message) {
  auto words = capnp::messageToFlatArray(message);
  auto bytes = words.asBytes();
  for (size_t sent = 0; sent < bytes.size();) {
    ssize_t count = ::send(descriptor_, bytes.begin() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::unexpected(errorText(errno));
    sent += static_cast<size_t>(count);
  }
  return {};
}

// The segment table in front tells the message's size, and the table's first word the size of the table.
std::expected<std::unique_ptr<ReceivedMessage>, std::string> MessageSocket::receive() {
  kj::Array<capnp::word> words;
  size_t known = 0;
  for (size_t expected = 1; known < expected;) {
    auto longer = kj::heapArray<capnp::word>(expected);
    std::copy(words.begin(), words.end(), longer.begin());
    words = kj::mv(longer);
    if (auto got = receiveAll(descriptor_, words.slice(known, expected).asBytes()); !got) {
      return std::unexpected(got.error());
    }
    known = expected;
    expected = capnp::expectedSizeInWordsFromPrefix(words);
  }
  return std::make_unique<ReceivedMessage>(kj::mv(words));
}

std::expected<void, std::string> sendPacket(int socket, capnp::MessageBuilder& message, int descriptor) {
  auto words = capnp::messageToFlatArray(message);
  auto bytes = words.asBytes();
  iovec piece{bytes.begin(), bytes.size()};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  ControlBuffer control;
  if (descriptor >= 0) attach(header, control, descriptor);
  while (::sendmsg(socket, &header, MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) return std::unexpected(errorText(errno));
  }
  return {};
}

std::expected<std::optional<Packet>, std::string> receivePacket(int socket) {
  Packet packet;
  packet.words = kj::heapArray<capnp::word>(kMaximumPacketWords);
  auto bytes = packet.words.asBytes();
  iovec piece{bytes.begin(), bytes.size()};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  ControlBuffer control;
  header.msg_control = control.bytes;
  header.msg_controllen = sizeof control.bytes;
  ssize_t size;
  do {
    size = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
  } while (size < 0 && errno == EINTR);
  if (size == 0) return std::optional<Packet>();
  if (size < 0) return std::unexpected(errorText(errno));
  packet.descriptor = attachedDescriptor(header);
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || size % sizeof(capnp::word) != 0) {
    if (packet.descriptor >= 0) ::close(packet.descriptor);
    return std::unexpected("a packet was cut short");
  }
  packet.words =
      kj::heapArray<capnp::word>(packet.words.begin(), static_cast<size_t>(size) / sizeof(capnp::word));
  return std::optional<Packet>(std::move(packet));
}

}  // namespace kiln
