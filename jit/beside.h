// Work of its own beside the caller's.
#pragma once

#include <future>
#include <system_error>

namespace kiln {

// The result of `work()`, which runs on a thread of its own, or where the system gives none in the future's
// get(). What `work` refers to outlives the future.
template <typename Work>
auto beside(const Work& work) {
  try {
    return std::async(std::launch::async, work);
  } catch (const std::system_error&) {
    return std::async(std::launch::deferred, work);
  }
}

}  // namespace kiln
