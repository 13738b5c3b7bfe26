// The dependencies of entries that were handed out lately: an entry's key covers them, so that a daemon which
// finds the same entry again need not send them.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "jit/dependencies.h"
#include "jit/hash.h"
#include "jit/recency_map.h"

namespace kiln::client {

// By request hash, one entry each. Bounded, least recently used out first. Thread-safe.
class KnownDependencies {
 public:
  struct Known {
    std::string key;  // of the entry, as it is sent; empty: nothing is known
    std::shared_ptr<const DependencySet> dependencies;

    [[nodiscard]] bool isWithoutDependencies() const { return !key.empty() && dependencies->empty(); }
  };

  explicit KnownDependencies(std::size_t capacity = 200'000) : capacity_(capacity) {}

  Known find(const Hash128& requestHash);
  void keep(const Hash128& requestHash, Known known);

 private:
  const std::size_t capacity_;  // dependencies of all entries
  std::mutex mutex_;
  std::size_t size_ = 0;
  RecencyMap<Hash128, Known> entries_;
};

}  // namespace kiln::client
