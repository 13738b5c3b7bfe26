#include "frontends/pool/printed_lines.h"

#include <fcntl.h>
#include <kj/debug.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace kiln {
namespace {

constexpr std::size_t kLongestLine = 1024;
// Read in one go, so that a compiler that prints without end does not hold up the event loop.
constexpr std::size_t kMostAtOnce = 16 * 1024;

}  // namespace

PrintedLines::Pipe PrintedLines::makePipe() {
  int ends[2];
  KJ_SYSCALL(::pipe2(ends, O_CLOEXEC), "no pipe for what compilers print; give kilnd more descriptors");
  Pipe pipe{kj::AutoCloseFd(ends[0]), kj::AutoCloseFd(ends[1])};
  KJ_SYSCALL(::fcntl(pipe.readEnd, F_SETFL, O_NONBLOCK));
  return pipe;
}

PrintedLines::PrintedLines(kj::UnixEventPort& port, OnLine onLine)
    : onLine_(std::move(onLine)),
      pipe_(makePipe()),
      observer_(port, pipe_.readEnd, kj::UnixEventPort::FdObserver::OBSERVE_READ),
      reading_(read().eagerlyEvaluate(
          [](kj::Exception&& exception) { KJ_LOG(ERROR, "cannot read what compilers print", exception); })) {}

PrintedLines::~PrintedLines() noexcept {
  reading_ = nullptr;
  readSome();
  if (!begun_.empty()) onLine_(begun_);
}

kj::Promise<void> PrintedLines::read() {
  const bool isAll = readSome();
  // The event loop tells of what comes, not of what is there.
  auto next = isAll ? observer_.whenBecomesReadable() : kj::evalLater([] {});
  return next.then([this] { return read(); });
}

bool PrintedLines::readSome() {
  std::array<char, 4096> buffer;
  for (std::size_t all = 0; all < kMostAtOnce;) {
    const auto size = ::read(pipe_.readEnd, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return true;
    all += static_cast<std::size_t>(size);
    handOver({buffer.data(), static_cast<std::size_t>(size)});
  }
  return false;
}

void PrintedLines::handOver(std::string_view text) {
  for (const char c : text) {
    if (c != '\n') begun_ += c;
    if (c != '\n' && begun_.size() < kLongestLine) continue;
    onLine_(begun_);
    begun_.clear();
  }
}

}  // namespace kiln
