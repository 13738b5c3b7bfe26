#include "client/runtime.h"

#include <unistd.h>

#include <algorithm>

namespace kiln::client {
namespace {

// Reading files is system calls and hashing: two threads keep a daemon busy that asks for several compiles,
// and more than four only take cores from the application.
unsigned workerThreads() { return std::clamp(std::thread::hardware_concurrency(), 2U, 4U); }

struct Done {};

}  // namespace

struct Runtime::Resident : SharedLoop::Resident {
  Resident(SharedLoop& loop, const ConnectOptions& options);

  // `exception` as the caller of the library is to read it.
  [[nodiscard]] kj::Exception describe(const kj::Exception& exception) const;

  const std::string socket;
  WorkerPool workers;
  Connector connector;
};

Runtime::Resident::Resident(SharedLoop& loop, const ConnectOptions& options)
    : socket(options.socket), workers(loop, workerThreads()), connector(loop.port(), options) {}

kj::Exception Runtime::Resident::describe(const kj::Exception& exception) const {
  auto text = "kilnd at '" + socket + "' ";
  if (exception.getType() == kj::Exception::Type::DISCONNECTED) {
    text +=
        "went away during the call. Its log says why, unless the request is far larger than its "
        "max_source_mb "
        "allows";
  } else {
    text += std::string("could not answer: ") + exception.getDescription().cStr();
  }
  return describedError(exception.getType(), text);
}

Runtime::Runtime(ConnectOptions options) : process_(::getpid()), options_(std::move(options)) {}

SharedLoop* Runtime::loop() {
  std::lock_guard lock(mutex_);
  if (!loop_ && !stopped_) {
    loop_ = std::make_unique<SharedLoop>(
        [this](SharedLoop& loop) { return std::make_unique<Resident>(loop, options_); });
  }
  return loop_.get();
}

kj::Promise<void> Runtime::performOn(Resident& resident, kj::Own<Connection> connection, const Work& work) {
  auto& standing = *connection;
  return work(standing, resident.workers)
      .catch_([&resident, &standing](kj::Exception&& exception) -> kj::Promise<void> {
        if (exception.getType() == kj::Exception::Type::DISCONNECTED) standing.markLost();
        return resident.describe(exception);
      })
      .attach(kj::mv(connection));
}

std::expected<void, CallError> Runtime::perform(const Work& work, Retry retry) {
  auto* running = loop();
  if (running == nullptr) return std::unexpected(CallError{false, "the client was destroyed"});
  auto once = [&] {
    return running->call<Done>([work](SharedLoop::Resident& onLoop) {
      auto& resident = static_cast<Resident&>(onLoop);
      return resident.connector.connection()
          .then([&resident, work](kj::Own<Connection> connection) {
            return performOn(resident, kj::mv(connection), work);
          })
          .then([] { return Done(); });
    });
  };
  auto done = once();
  if (!done && done.error().disconnected && retry == Retry::onceIfDisconnected) done = once();
  if (!done) return std::unexpected(std::move(done.error()));
  return {};
}

void Runtime::stop() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
  if (loop_) loop_->stop();
}

}  // namespace kiln::client
