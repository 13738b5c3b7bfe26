// Outputs as sealed memfds, kept so that a large binary is copied once and not for every client that asks for
// it.
#pragma once

#include <kj/io.h>

#include <cstddef>
#include <memory>

#include "jit/artifact.h"
#include "jit/recency_map.h"

namespace kiln {

// Bounded in bytes and in descriptors, the least recently used out first; a client that has a descriptor
// keeps it. Belongs to the event loop's thread.
class SealedOutputs {
 public:
  using Descriptor = std::shared_ptr<const kj::AutoCloseFd>;

  explicit SealedOutputs(std::size_t maxBytes = 128 << 20, std::size_t maxCount = 256)
      : maxBytes_(maxBytes), maxCount_(maxCount) {}

  // A memfd that holds the output's bytes and that nobody can change; null where the system has no descriptor
  // left.
  Descriptor of(const Output& output);

 private:
  struct Item {
    std::size_t size = 0;
    Descriptor descriptor;
  };

  const std::size_t maxBytes_;
  const std::size_t maxCount_;
  std::size_t bytes_ = 0;
  RecencyMap<Sha256, Item> items_;
};

}  // namespace kiln
