#include "client/runtime.h"

#include <unistd.h>

#include <algorithm>

namespace kiln::client {
namespace {

// Reading files is system calls and hashing: two threads keep a daemon busy that asks for several compiles,
// and more than four only take cores from the application.
unsigned workerThreads() { return std::clamp(std::thread::hardware_concurrency(), 2U, 4U); }

}  // namespace

Runtime::Loop::Loop(IoThread& io, const ConnectOptions& options)
    : socket(options.socket), workers(io, workerThreads()), connector(io.port(), options) {}

kj::Exception Runtime::Loop::describe(const kj::Exception& exception) const {
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

IoThread* Runtime::thread() {
  std::lock_guard lock(mutex_);
  if (!thread_ && !stopped_) {
    thread_ =
        std::make_unique<IoThread>([this](IoThread& io) { return std::make_unique<Loop>(io, options_); });
  }
  return thread_.get();
}

void Runtime::stop() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
  if (thread_) thread_->stop();
}

}  // namespace kiln::client
