// kilnd's end of a zygote's control socket: one message a packet, with a descriptor attached where there is
// one.
#pragma once

#include <capnp/common.h>
#include <kj/array.h>
#include <kj/async-unix.h>
#include <kj/io.h>

#include <cstdint>
#include <optional>

namespace kiln {

class ControlSocket {
 public:
  struct Packet {
    kj::Array<capnp::word> message;  // flat: the segment table in front
    std::optional<kj::AutoCloseFd> descriptor;
  };

  // `socket` is SOCK_SEQPACKET.
  ControlSocket(kj::UnixEventPort& port, kj::AutoCloseFd socket);

  // The next packet; null when the other end is closed. One at a time.
  kj::Promise<kj::Maybe<Packet>> receive();
  // A packet that is there already, nothing if there is none.
  std::optional<Packet> tryReceive();
  // Sends a CloneOrder without blocking; false if it cannot be sent.
  bool order(std::uint64_t job, int socket);

 private:
  enum class End { open, closed };
  std::optional<Packet> receiveNow(End& end);

  kj::AutoCloseFd socket_;
  kj::UnixEventPort::FdObserver observer_;
};

}  // namespace kiln
