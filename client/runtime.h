// What a client has within one process: its loop with the connection and the workers on it, and what it
// remembers of files. A forked child makes another and leaves its parent's alone.
#pragma once

#include <sys/types.h>

#include <expected>
#include <functional>
#include <memory>
#include <mutex>

#include "client/connection.h"
#include "client/memory.h"
#include "client/shared_loop.h"
#include "client/worker_pool.h"

namespace kiln::client {

// Whether a call may be sent to two daemons, one after the other.
enum class Retry { onceIfDisconnected, never };

// Thread-safe.
class Runtime {
 public:
  explicit Runtime(ConnectOptions options);

  [[nodiscard]] pid_t process() const { return process_; }
  [[nodiscard]] const Memory& memory() const { return memory_; }

  // Runs `work` on the loop with a connection that stands, and blocks until it is done. `work` may run twice.
  template <typename T>
  std::expected<T, CallError> call(std::function<kj::Promise<T>(Connection&, WorkerPool&)> work,
                                   Retry retry = Retry::onceIfDisconnected);

  // Cancels all calls; those that come later fail.
  void stop();

 private:
  struct Resident;
  template <typename T>
  using Work = std::function<kj::Promise<T>(Connection&, WorkerPool&)>;

  template <typename T>
  static kj::Promise<T> callOn(Resident& resident, kj::Own<Connection> connection, const Work<T>& work);
  // Made by the first call; null if stop() came first. Throws std::system_error if it cannot be made.
  SharedLoop* loop();

  const pid_t process_;
  const ConnectOptions options_;
  const Memory memory_;
  std::mutex mutex_;
  bool stopped_ = false;
  std::unique_ptr<SharedLoop> loop_;
};

struct Runtime::Resident : SharedLoop::Resident {
  Resident(SharedLoop& loop, const ConnectOptions& options);

  // `exception` as the caller of the library is to read it.
  [[nodiscard]] kj::Exception describe(const kj::Exception& exception) const;

  const std::string socket;
  WorkerPool workers;
  Connector connector;
};

template <typename T>
kj::Promise<T> Runtime::callOn(Resident& resident, kj::Own<Connection> connection, const Work<T>& work) {
  auto& standing = *connection;
  return work(standing, resident.workers)
      .catch_([&resident, &standing](kj::Exception&& exception) -> kj::Promise<T> {
        if (exception.getType() == kj::Exception::Type::DISCONNECTED) standing.markLost();
        return resident.describe(exception);
      })
      .attach(kj::mv(connection));
}

template <typename T>
std::expected<T, CallError> Runtime::call(Work<T> work, Retry retry) {
  auto* running = loop();
  if (running == nullptr) return std::unexpected(CallError{false, "the client was destroyed"});
  auto once = [&] {
    return running->call<T>([work](SharedLoop::Resident& onLoop) {
      auto& resident = static_cast<Resident&>(onLoop);
      return resident.connector.connection().then([&resident, work](kj::Own<Connection> connection) {
        return callOn<T>(resident, kj::mv(connection), work);
      });
    });
  };
  auto result = once();
  if (!result && result.error().disconnected && retry == Retry::onceIfDisconnected) result = once();
  return result;
}

}  // namespace kiln::client
