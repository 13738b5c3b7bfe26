#include "client/fork_guard.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <vector>

namespace kiln::client {
namespace {

// What the handlers below work on: pthread_atfork() gives them no argument. Never destroyed, since threads
// may still fork while the process ends.
struct Guarded {
  std::mutex mutex;
  std::vector<int> descriptors;
};

Guarded& guarded() {
  static auto& all = *new Guarded;
  return all;
}

void beforeFork() { guarded().mutex.lock(); }
void inParent() { guarded().mutex.unlock(); }
void inChild() {
  for (int descriptor : guarded().descriptors) ::close(descriptor);
  guarded().descriptors.clear();
  guarded().mutex.unlock();
}

}  // namespace

ForkGuard::ForkGuard(int descriptor) : descriptor_(descriptor) {
  static const int registered = ::pthread_atfork(beforeFork, inParent, inChild);
  (void)registered;
  std::lock_guard lock(guarded().mutex);
  guarded().descriptors.push_back(descriptor_);
}

ForkGuard::~ForkGuard() {
  std::lock_guard lock(guarded().mutex);
  auto& descriptors = guarded().descriptors;
  if (auto found = std::find(descriptors.begin(), descriptors.end(), descriptor_);
      found != descriptors.end()) {
    descriptors.erase(found);
  }
}

}  // namespace kiln::client
