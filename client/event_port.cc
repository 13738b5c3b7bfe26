#include "client/event_port.h"

#include <kj/debug.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>

namespace kiln::client {
namespace {

// To put a processor to sleep and wake it up again takes longer than a hit does otherwise. So who had to wait
// for a short time only, which includes such a sleep, does not sleep the next time unless it becomes longer.
constexpr auto kBusyTime = 100 * kj::MICROSECONDS;
constexpr auto kShortWait = 500 * kj::MICROSECONDS;
// A look that takes longer was interrupted: others want this processor, which then will not sleep either.
constexpr auto kLongLook = 8 * kj::MICROSECONDS;

kj::TimePoint now() { return kj::systemPreciseMonotonicClock().now(); }

// What poll() gives, without blocking; 0 if nothing came in time.
int lookAgainAndAgain(std::vector<pollfd>& descriptors) {
  const auto start = now();
  for (auto last = start;;) {
    int ready = ::poll(descriptors.data(), descriptors.size(), 0);
    const auto time = now();
    if (ready != 0 || time - start >= kBusyTime || time - last > kLongLook) return ready;
    last = time;
  }
}

bool isWaited(const kj::Own<kj::PromiseFulfiller<void>>& waiter) {
  return waiter.get() != nullptr && const_cast<kj::PromiseFulfiller<void>&>(*waiter).isWaiting();
}

void fulfill(kj::Own<kj::PromiseFulfiller<void>>& waiter) {
  if (waiter.get() == nullptr) return;
  waiter->fulfill();
  waiter = nullptr;
}

}  // namespace

EventPort::EventPort() : timer_(now()) {}

bool EventPort::wait() {
  constexpr int kForever = -1;
  int timeout = kForever;
  KJ_IF_MAYBE (milliseconds, timer_.timeoutToNextEvent(now(), kj::MILLISECONDS, INT32_MAX)) {
    timeout = static_cast<int>(*milliseconds);
  }
  const auto start = now();
  pollOnce(timeout, wasShort_ && timeout != 0 ? Look::forAWhile : Look::once);
  wasShort_ = now() - start < kShortWait;
  return false;
}

bool EventPort::poll() {
  pollOnce(0, Look::once);
  return false;
}

void EventPort::pollOnce(int timeoutMilliseconds, Look look) {
  std::vector<Observer*> polled;
  std::vector<pollfd> descriptors;
  for (auto* observer : observers_) {
    if (!observer->isWaiting()) continue;
    polled.push_back(observer);
    descriptors.push_back({observer->descriptor_, observer->events(), 0});
  }
  int ready = look == Look::forAWhile ? lookAgainAndAgain(descriptors) : 0;
  if (ready == 0) ready = ::poll(descriptors.data(), descriptors.size(), timeoutMilliseconds);
  if (ready < 0 && errno != EINTR) KJ_FAIL_SYSCALL("poll", errno);
  // Fulfilling only queues events, so no observer goes away in this loop.
  for (std::size_t i = 0; ready > 0 && i < polled.size(); ++i) polled[i]->fire(descriptors[i].revents);
  timer_.advanceTo(now());
}

EventPort::Observer::Observer(EventPort& port, int descriptor) : port_(port), descriptor_(descriptor) {
  port_.observers_.push_back(this);
}

EventPort::Observer::~Observer() { std::erase(port_.observers_, this); }

kj::Promise<void> EventPort::Observer::waitFor(Waiter& waiter) {
  auto pair = kj::newPromiseAndFulfiller<void>();
  waiter = kj::mv(pair.fulfiller);
  return kj::mv(pair.promise);
}

bool EventPort::Observer::isWaiting() const {
  return isWaited(readable_) || isWaited(writable_) || isWaited(hungUp_);
}

short EventPort::Observer::events() const {
  return static_cast<short>((isWaited(readable_) ? POLLIN : 0) | (isWaited(writable_) ? POLLOUT : 0));
}

void EventPort::Observer::fire(short happened) {
  if ((happened & (POLLIN | POLLHUP | POLLERR)) != 0) fulfill(readable_);
  if ((happened & (POLLOUT | POLLHUP | POLLERR)) != 0) fulfill(writable_);
  if ((happened & (POLLHUP | POLLERR)) != 0) fulfill(hungUp_);
}

}  // namespace kiln::client
