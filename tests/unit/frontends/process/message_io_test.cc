#include "frontends/process/message_io.h"

#include <capnp/serialize.h>
#include <sys/socket.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <array>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "compiler.capnp.h"
#include "rpc/schema/convert.h"

using namespace kiln;

namespace {

// Both ends of a socket, closed at the end.
struct SocketPair {
  explicit SocketPair(int type) { REQUIRE(::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()) == 0); }
  ~SocketPair() {
    for (int end : ends) ::close(end);
  }
  SocketPair(const SocketPair&) = delete;
  SocketPair& operator=(const SocketPair&) = delete;

  std::array<int, 2> ends{-1, -1};
};

capnp::MallocMessageBuilder& question(capnp::MallocMessageBuilder& message, const std::string& path) {
  message.initRoot<schema::FileQuestion>().setPath(convert::toText(path));
  return message;
}

}  // namespace

TEST_CASE("messages larger than a socket's buffer arrive whole and in order") {
  const SocketPair pair(SOCK_STREAM);
  std::thread sender([&] {
    for (std::size_t size : {10U, 3'000'000U, 7U}) {
      capnp::MallocMessageBuilder message;
      if (!MessageSocket(pair.ends[0]).send(question(message, std::string(size, 'x')))) break;
    }
  });
  std::vector<std::size_t> sizes;
  MessageSocket receiver(pair.ends[1]);
  for (int i = 0; i < 3; ++i) {
    auto message = receiver.receive();
    if (message) sizes.push_back((*message)->reader.getRoot<schema::FileQuestion>().getPath().size());
  }
  sender.join();
  CHECK(sizes == std::vector<std::size_t>{10, 3'000'000, 7});
}

TEST_CASE("a peer that is gone is an error for the reader and, without a signal, for the writer") {
  SocketPair pair(SOCK_STREAM);
  ::close(std::exchange(pair.ends[0], -1));
  auto received = MessageSocket(pair.ends[1]).receive();
  REQUIRE_FALSE(received);
  CHECK(received.error() == "the peer closed the socket");
  capnp::MallocMessageBuilder message;
  CHECK_FALSE(MessageSocket(pair.ends[1]).send(question(message, "a")));
}

TEST_CASE("a packet carries a message and a descriptor") {
  const SocketPair pair(SOCK_SEQPACKET);
  std::array<int, 2> pipe{};
  REQUIRE(::pipe(pipe.data()) == 0);
  capnp::MallocMessageBuilder message;
  REQUIRE(sendPacket(pair.ends[0], question(message, "with"), pipe[1]));
  capnp::MallocMessageBuilder second;
  REQUIRE(sendPacket(pair.ends[0], question(second, "without")));
  ::close(pipe[1]);

  auto first = receivePacket(pair.ends[1]);
  REQUIRE((first && *first));
  capnp::FlatArrayMessageReader reader((*first)->words);
  CHECK(convert::text(reader.getRoot<schema::FileQuestion>().getPath()) == "with");
  REQUIRE((*first)->descriptor >= 0);
  CHECK(::write((*first)->descriptor, "x", 1) == 1);
  ::close((*first)->descriptor);
  char byte = 0;
  CHECK(::read(pipe[0], &byte, 1) == 1);
  ::close(pipe[0]);

  auto next = receivePacket(pair.ends[1]);
  REQUIRE((next && *next));
  CHECK((*next)->descriptor == -1);
}

TEST_CASE("a closed control socket is the end, a packet cut short an error") {
  SocketPair pair(SOCK_SEQPACKET);
  REQUIRE(::send(pair.ends[0], "abc", 3, 0) == 3);
  CHECK_FALSE(receivePacket(pair.ends[1]));
  ::close(std::exchange(pair.ends[0], -1));
  auto end = receivePacket(pair.ends[1]);
  REQUIRE(end);
  CHECK_FALSE(*end);
}
