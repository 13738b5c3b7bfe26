// What a client remembers between its calls: all of it can be found out again.
#pragma once

#include <memory>

#include "client/digest_cache.h"
#include "client/known_dependencies.h"
#include "client/known_lists.h"

namespace kiln::client {

struct Memory {
  std::shared_ptr<DigestCache> digests = std::make_shared<DigestCache>();
  std::shared_ptr<KnownLists> lists = std::make_shared<KnownLists>();
  std::shared_ptr<KnownDependencies> dependencies = std::make_shared<KnownDependencies>();
};

}  // namespace kiln::client
