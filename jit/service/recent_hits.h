// The entries that were hit lately, ready to be checked against the asker's files and handed out: a hit of
// one reads nothing from the store.
#pragma once

#include <sys/types.h>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "jit/artifact.h"
#include "jit/content_stamp.h"
#include "jit/service/file_expectation.h"
#include "jit/toolchain.h"

namespace kiln {

struct RecentHit {
  std::shared_ptr<const Entry> entry;
  FileExpectation expectation;  // for a client of the names it was hit under
  // What the last client that had to read its files found there: it saves the next process of the same user,
  // and of no other, the reading. A client takes them for true. Never null.
  std::shared_ptr<const std::vector<KnownContent>> hints =
      std::make_shared<const std::vector<KnownContent>>();
  uid_t hintsFrom = 0;
  bool isMostRecent = false;  // of its request's entries
};

// Bounded, least recently used out first. An entry is found under the names for which it was kept, so that
// names which bind agree. Belongs to the event loop's thread.
class RecentHits {
 public:
  explicit RecentHits(std::size_t capacity = kDefaultCapacity) : capacity_(capacity) {}

  // Of any of these toolchains; null if there is none.
  std::shared_ptr<RecentHit> find(const std::string& domain, const Hash128& requestHash, const Names& names,
                                  const ToolchainList& toolchains);
  void keep(std::shared_ptr<const Entry> entry, const Names& names);
  // `entry` is used now: whether it was not already the one of its request's entries here that was used last.
  bool becomesMostRecent(const Entry& entry);
  // To be called whenever an entry of the request may have come, changed or gone.
  void forget(const std::string& domain, const Hash128& requestHash);
  // The same for all requests of a domain. What was read from the store before must not be kept afterwards:
  // the age tells.
  void forget(const std::string& domain);
  [[nodiscard]] std::uint64_t age() const { return age_; }

 private:
  struct Key {
    std::string domain;
    Hash128 requestHash;
    Hash128 names;

    auto operator<=>(const Key&) const = default;
  };
  struct Item {
    Key key;
    std::shared_ptr<RecentHit> hit;
    std::size_t size;  // bytes, about
  };
  using Items = std::list<Item>;

  void drop(std::map<Key, Items::iterator>::iterator at);

  static constexpr std::size_t kDefaultCapacity = 64 << 20;

  const std::size_t capacity_;  // bytes
  std::size_t size_ = 0;
  std::uint64_t age_ = 0;  // how often a whole domain was forgotten
  Items items_;            // the most recently used first
  std::map<Key, Items::iterator> index_;
};

}  // namespace kiln
