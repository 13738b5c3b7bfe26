// A map that knows which of its entries was used least recently: what a bounded cache drops.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <unordered_map>
#include <utility>

namespace kiln {

// Its user counts what it bounds. Not thread-safe.
template <typename Key, typename Value, typename Hash = std::hash<Key>>
class RecencyMap {
 public:
  [[nodiscard]] std::size_t size() const { return items_.size(); }

  // Null if there is none. What is found was used just now. Stays where it is until it is popped.
  Value* find(const Key& key) {
    auto found = index_.find(key);
    if (found == index_.end()) return nullptr;
    items_.splice(items_.begin(), items_, found->second);
    return &found->second->second;
  }
  [[nodiscard]] bool contains(const Key& key) const { return index_.contains(key); }

  // `key` is not here yet.
  void insert(const Key& key, Value value) {
    items_.emplace_front(key, std::move(value));
    index_.emplace(key, items_.begin());
  }

  // Takes out the one used least recently; there is one.
  Value popOldest() {
    auto [key, value] = std::move(items_.back());
    index_.erase(key);
    items_.pop_back();
    return std::move(value);
  }

 private:
  using Items = std::list<std::pair<const Key, Value>>;

  Items items_;  // the most recently used first
  std::unordered_map<Key, typename Items::iterator, Hash> index_;
};

}  // namespace kiln
