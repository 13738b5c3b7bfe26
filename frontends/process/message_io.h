// Blocking Cap'n Proto messages over Unix sockets, for a process without an event loop. Interrupted calls are
// repeated; a peer that is gone is an error, never a signal. Errors are a sentence's tail: "the peer closed
// the socket".
#pragma once

#include <capnp/serialize.h>

#include <expected>
#include <memory>
#include <optional>
#include <string>

namespace kiln {

// A message together with the words that it is read from.
struct ReceivedMessage {
  explicit ReceivedMessage(kj::Array<capnp::word> content);

  kj::Array<capnp::word> words;
  capnp::FlatArrayMessageReader reader;
};

// Messages over a stream socket, with the usual stream framing.
class MessageSocket {
 public:
  explicit MessageSocket(int descriptor) : descriptor_(descriptor) {}

  std::expected<void, std::string> send(capnp::MessageBuilder& message);
  // Waits for one message. Without size limits: the peer is kilnd.
  std::expected<std::unique_ptr<ReceivedMessage>, std::string> receive();

 private:
  int descriptor_;
};

// A message that arrived as one packet, with the descriptor that came along, which the receiver owns.
struct Packet {
  kj::Array<capnp::word> words;
  int descriptor = -1;
};

// Sends `message` as one packet of a SOCK_SEQPACKET socket, with a copy of `descriptor` unless it is
// negative.
std::expected<void, std::string> sendPacket(int socket, capnp::MessageBuilder& message, int descriptor = -1);
// Waits for one packet; nothing when the peer has closed its end.
std::expected<std::optional<Packet>, std::string> receivePacket(int socket);

}  // namespace kiln
