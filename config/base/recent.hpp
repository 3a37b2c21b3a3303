#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace troupe {

/// The values of the last `capacity` keys, for what is dear to make and needed
/// again soon. Looked for one by one: it is meant for a handful of large keys.
template <class Key, class Value>
class recent {
public:
  explicit recent(std::size_t capacity) : capacity_(capacity) {
  }

  /// Null if it is not kept; else valid until the next call.
  [[nodiscard]] const Value* find(const Key& key) {
    const auto found = std::ranges::find(entries_, key, &entry::key);
    if (found == entries_.end())
      return nullptr;
    std::rotate(entries_.begin(), found, found + 1);
    return &entries_.front().value;
  }

  /// In place of the one that has not been looked for longest.
  const Value& keep(Key key, Value value) {
    if (entries_.size() == capacity_)
      entries_.pop_back();
    entries_.insert(entries_.begin(), {std::move(key), std::move(value)});
    return entries_.front().value;
  }

private:
  struct entry {
    Key key;
    Value value;
  };

  std::size_t capacity_;
  std::vector<entry> entries_; ///< Last looked for first.
};

} // namespace troupe
