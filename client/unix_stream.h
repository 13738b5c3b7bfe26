// A connected Unix stream socket as KJ wants it, descriptors included. It never raises SIGPIPE.
#pragma once

#include <kj/async-io.h>
#include <kj/io.h>
#include <sys/types.h>

#include "client/event_port.h"
#include "client/fork_guard.h"

namespace kiln::client {

// Belongs to the loop. `port` outlives it.
class UnixStream final : public kj::AsyncCapabilityStream {
 public:
  UnixStream(EventPort& port, kj::AutoCloseFd socket);
  // The peer learns of it whoever else may have inherited the socket.
  ~UnixStream() noexcept;

  kj::Promise<std::size_t> tryRead(void* buffer, std::size_t minBytes, std::size_t maxBytes) override;
  kj::Promise<ReadResult> tryReadWithFds(void* buffer, std::size_t minBytes, std::size_t maxBytes,
                                         kj::AutoCloseFd* fds, std::size_t maxFds) override;
  kj::Promise<void> write(const void* buffer, std::size_t size) override;
  kj::Promise<void> write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) override;
  kj::Promise<void> writeWithFds(kj::ArrayPtr<const kj::byte> data,
                                 kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> moreData,
                                 kj::ArrayPtr<const int> fds) override;
  kj::Promise<void> whenWriteDisconnected() override { return observer_.whenHungUp(); }
  void shutdownWrite() override;
  void abortRead() override;
  void getsockopt(int level, int option, void* value, kj::uint* length) override;

  // Descriptors travel; streams as objects do not: these throw.
  kj::Promise<ReadResult> tryReadWithStreams(void* buffer, std::size_t minBytes, std::size_t maxBytes,
                                             kj::Own<AsyncCapabilityStream>* streams,
                                             std::size_t maxStreams) override;
  kj::Promise<void> writeWithStreams(kj::ArrayPtr<const kj::byte> data,
                                     kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> moreData,
                                     kj::Array<kj::Own<AsyncCapabilityStream>> streams) override;

 private:
  struct Destination {
    kj::byte* at;
    std::size_t minBytes;
    std::size_t maxBytes;
    kj::AutoCloseFd* fds;
    std::size_t maxFds;
  };
  kj::Promise<ReadResult> receive(Destination to, ReadResult soFar);
  ssize_t receiveOnce(Destination& to, ReadResult& soFar);
  kj::Promise<void> send(kj::ArrayPtr<const kj::byte> first,
                         kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> more, kj::ArrayPtr<const int> fds);
  ssize_t sendOnce(kj::ArrayPtr<const kj::byte> first, kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> more,
                   kj::ArrayPtr<const int> fds);

  kj::AutoCloseFd socket_;
  ForkGuard guard_;
  EventPort::Observer observer_;
};

}  // namespace kiln::client
