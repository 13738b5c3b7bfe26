// Work that can wait until the replies which are being written are on their way.
#pragma once

#include <kj/async.h>

#include <functional>
#include <vector>

namespace kiln {

// Belongs to the event loop's thread.
class AfterReplies {
 public:
  AfterReplies() = default;
  ~AfterReplies() { run(); }
  AfterReplies(const AfterReplies&) = delete;
  AfterReplies& operator=(const AfterReplies&) = delete;

  // Runs `work`, after what was added before it, when the loop has nothing else to do, and before it reads
  // any more.
  void add(std::function<void()> work);
  // Runs at once what has not run yet.
  void run();

 private:
  std::vector<std::function<void()>> work_;
  kj::Promise<void> turn_ = nullptr;
};

}  // namespace kiln
