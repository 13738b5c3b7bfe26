// What a client has within one process: its loop with the connection and the workers on it, and what it
// remembers of files. A forked child makes another and leaves its parent's alone.
#pragma once

#include <sys/types.h>

#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

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
  using Work = std::function<kj::Promise<void>(Connection&, WorkerPool&)>;

  // call() without the result, so that each kind of result costs little code.
  std::expected<void, CallError> perform(const Work& work, Retry retry);
  static kj::Promise<void> performOn(Resident& resident, kj::Own<Connection> connection, const Work& work);
  // Made by the first call; null if stop() came first. Throws std::system_error if it cannot be made.
  SharedLoop* loop();

  const pid_t process_;
  const ConnectOptions options_;
  const Memory memory_;
  std::mutex mutex_;
  bool stopped_ = false;
  std::unique_ptr<SharedLoop> loop_;
};

template <typename T>
std::expected<T, CallError> Runtime::call(std::function<kj::Promise<T>(Connection&, WorkerPool&)> work,
                                          Retry retry) {
  auto result = std::make_shared<std::optional<T>>();
  auto done = perform(
      [work = std::move(work), result](Connection& connection, WorkerPool& workers) {
        return work(connection, workers).then([result](T&& value) { result->emplace(std::move(value)); });
      },
      retry);
  if (!done) return std::unexpected(std::move(done.error()));
  return std::move(**result);
}

}  // namespace kiln::client
