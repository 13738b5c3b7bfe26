#include "client/runtime.h"

#include <unistd.h>

#include <algorithm>

namespace kiln::client {
namespace {

// Reading files is system calls and hashing: two threads keep a daemon busy that asks for several compiles,
// and more than four only take cores from the application.
unsigned workerThreads() { return std::clamp(std::thread::hardware_concurrency(), 2U, 4U); }

}  // namespace

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

void Runtime::stop() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
  if (loop_) loop_->stop();
}

}  // namespace kiln::client
