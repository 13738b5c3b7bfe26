// Descriptors that end with a fork.
//
// A forked child that does not exec inherits the connection's socket, and while it has it the daemon takes
// the parent for alive: its files would be asked after, and nobody's would take over, long after it died. So
// a fork closes these descriptors in the child.
#pragma once

namespace kiln::client {

// While one is alive, a child that fork() makes does not keep `descriptor`. Thread-safe.
class ForkGuard {
 public:
  explicit ForkGuard(int descriptor);
  ~ForkGuard();
  ForkGuard(const ForkGuard&) = delete;
  ForkGuard& operator=(const ForkGuard&) = delete;

 private:
  const int descriptor_;
};

}  // namespace kiln::client
