#include "client/unix_stream.h"

#include <kj/debug.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace kiln::client {
namespace {

// More than any one message of ours carries; the kernel closes what does not fit.
constexpr std::size_t kMaxDescriptors = 16;
constexpr std::size_t kMaxPieces = 64;

struct ControlBuffer {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kMaxDescriptors)> bytes{};
};

bool wouldBlock(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

// Takes every descriptor out of `message`; those beyond `maxFds` are closed.
std::size_t takeDescriptors(msghdr& message, kj::AutoCloseFd* fds, std::size_t maxFds) {
  std::size_t taken = 0;
  for (auto* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int descriptor = -1;
      std::memcpy(&descriptor, CMSG_DATA(header) + i * sizeof(int), sizeof descriptor);
      kj::AutoCloseFd owned(descriptor);
      if (taken < maxFds) fds[taken++] = kj::mv(owned);
    }
  }
  return taken;
}

}  // namespace

UnixStream::UnixStream(EventPort& port, kj::AutoCloseFd socket)
    : socket_(kj::mv(socket)), guard_(socket_.get()), observer_(port, socket_.get()) {}

UnixStream::~UnixStream() noexcept { ::shutdown(socket_.get(), SHUT_RDWR); }

kj::Promise<std::size_t> UnixStream::tryRead(void* buffer, std::size_t minBytes, std::size_t maxBytes) {
  return tryReadWithFds(buffer, minBytes, maxBytes, nullptr, 0).then([](ReadResult result) {
    return result.byteCount;
  });
}

kj::Promise<UnixStream::ReadResult> UnixStream::tryReadWithFds(void* buffer, std::size_t minBytes,
                                                               std::size_t maxBytes, kj::AutoCloseFd* fds,
                                                               std::size_t maxFds) {
  return receive({static_cast<kj::byte*>(buffer), minBytes, maxBytes, fds, maxFds}, {0, 0});
}

kj::Promise<UnixStream::ReadResult> UnixStream::receive(Destination to, ReadResult soFar) {
  while (soFar.byteCount < to.minBytes) {
    ssize_t received = receiveOnce(to, soFar);
    if (received == 0) break;
    if (received > 0 || errno == EINTR) continue;
    if (!wouldBlock(errno)) KJ_FAIL_SYSCALL("recvmsg", errno);
    return observer_.whenReadable().then([this, to, soFar] { return receive(to, soFar); });
  }
  return soFar;
}

ssize_t UnixStream::receiveOnce(Destination& to, ReadResult& soFar) {
  ControlBuffer control;
  iovec piece{to.at + soFar.byteCount, to.maxBytes - soFar.byteCount};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes.data();
  message.msg_controllen = CMSG_SPACE(sizeof(int) * std::min(to.maxFds - soFar.capCount, kMaxDescriptors));
  if (to.maxFds == soFar.capCount) message.msg_controllen = 0;

  ssize_t received = ::recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (received < 0) return received;
  soFar.capCount += takeDescriptors(message, to.fds + soFar.capCount, to.maxFds - soFar.capCount);
  soFar.byteCount += static_cast<std::size_t>(received);
  return received;
}

kj::Promise<void> UnixStream::write(const void* buffer, std::size_t size) {
  return send({static_cast<const kj::byte*>(buffer), size}, nullptr, nullptr);
}

kj::Promise<void> UnixStream::write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) {
  return send(nullptr, pieces, nullptr);
}

kj::Promise<void> UnixStream::writeWithFds(kj::ArrayPtr<const kj::byte> data,
                                           kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> moreData,
                                           kj::ArrayPtr<const int> fds) {
  KJ_REQUIRE(fds.size() <= kMaxDescriptors, "too many descriptors for one message", fds.size());
  return send(data, moreData, fds);
}

kj::Promise<void> UnixStream::send(kj::ArrayPtr<const kj::byte> first,
                                   kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> more,
                                   kj::ArrayPtr<const int> fds) {
  for (;;) {
    while (first.size() == 0) {
      if (more.size() == 0) return kj::READY_NOW;
      first = more[0];
      more = more.slice(1, more.size());
    }
    ssize_t sent = sendOnce(first, more, fds);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (!wouldBlock(errno)) KJ_FAIL_SYSCALL("sendmsg", errno);
      return observer_.whenWritable().then([this, first, more, fds] { return send(first, more, fds); });
    }
    fds = nullptr;
    for (auto left = static_cast<std::size_t>(sent); left > 0;) {
      auto step = std::min(left, first.size());
      first = first.slice(step, first.size());
      left -= step;
      if (left > 0) {
        first = more[0];
        more = more.slice(1, more.size());
      }
    }
  }
}

ssize_t UnixStream::sendOnce(kj::ArrayPtr<const kj::byte> first,
                             kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> more,
                             kj::ArrayPtr<const int> fds) {
  std::array<iovec, kMaxPieces> pieces;
  std::size_t count = 0;
  // sendmsg() takes what it only reads as non-const.
  auto add = [&](kj::ArrayPtr<const kj::byte> piece) {
    pieces[count++] = {const_cast<kj::byte*>(piece.begin()), piece.size()};
  };
  add(first);
  for (std::size_t i = 0; i < more.size() && count < kMaxPieces; ++i) add(more[i]);

  ControlBuffer control;
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = count;
  if (fds.size() > 0) {
    message.msg_control = control.bytes.data();
    message.msg_controllen = CMSG_SPACE(sizeof(int) * fds.size());
    auto* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * fds.size());
    std::memcpy(CMSG_DATA(header), fds.begin(), sizeof(int) * fds.size());
  }
  return ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void UnixStream::shutdownWrite() { KJ_SYSCALL(::shutdown(socket_.get(), SHUT_WR)); }

void UnixStream::abortRead() { KJ_SYSCALL(::shutdown(socket_.get(), SHUT_RD)); }

void UnixStream::getsockopt(int level, int option, void* value, kj::uint* length) {
  socklen_t size = *length;
  KJ_SYSCALL(::getsockopt(socket_.get(), level, option, value, &size));
  *length = size;
}

kj::Promise<UnixStream::ReadResult> UnixStream::tryReadWithStreams(void*, std::size_t, std::size_t,
                                                                   kj::Own<AsyncCapabilityStream>*,
                                                                   std::size_t) {
  KJ_UNIMPLEMENTED("this stream passes descriptors, not streams");
}

kj::Promise<void> UnixStream::writeWithStreams(kj::ArrayPtr<const kj::byte>,
                                               kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>>,
                                               kj::Array<kj::Own<AsyncCapabilityStream>>) {
  KJ_UNIMPLEMENTED("this stream passes descriptors, not streams");
}

}  // namespace kiln::client
