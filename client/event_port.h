// The event port of libkiln's loop: poll(2) over a handful of descriptors, and timers.
//
// KJ's own UnixEventPort sets SIGPIPE to ignored for the whole process, which is not for a library to do.
// This one touches no signal and keeps no state outside itself. All of it belongs to the thread that
// runs the loop.
#pragma once

#include <kj/async.h>
#include <kj/timer.h>

#include <vector>

namespace kiln::client {

class EventPort final : public kj::EventPort {
 public:
  class Observer;

  EventPort();
  [[nodiscard]] kj::Timer& timer() { return timer_; }

  bool wait() override;
  bool poll() override;

 private:
  enum class Look { once, forAWhile };  // before it blocks
  void pollOnce(int timeoutMilliseconds, Look look);

  kj::TimerImpl timer_;
  std::vector<Observer*> observers_;
  bool wasShort_ = false;  // the last wait
};

// Watches one descriptor, which it does not own. Each promise resolves once; a new one replaces it.
class EventPort::Observer {
 public:
  Observer(EventPort& port, int descriptor);
  ~Observer();
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;

  kj::Promise<void> whenReadable() { return waitFor(readable_); }
  kj::Promise<void> whenWritable() { return waitFor(writable_); }
  // When the peer is gone and nothing can be written any more.
  kj::Promise<void> whenHungUp() { return waitFor(hungUp_); }

 private:
  friend class EventPort;
  using Waiter = kj::Own<kj::PromiseFulfiller<void>>;

  static kj::Promise<void> waitFor(Waiter& waiter);
  [[nodiscard]] bool isWaiting() const;
  [[nodiscard]] short events() const;
  void fire(short happened);

  EventPort& port_;
  int descriptor_;
  Waiter readable_;
  Waiter writable_;
  Waiter hungUp_;
};

}  // namespace kiln::client
