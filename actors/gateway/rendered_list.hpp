#pragma once

#include "actors/messages.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace troupe::gateway {

/// Lists of containers as JSON, for all sessions. Of a thousand containers few
/// have changed since the last list: the text of the others is kept.
class rendered_list {
public:
  /// Those that run, or all of them.
  [[nodiscard]] std::string render(const msg::snapshots& x, bool all);

private:
  struct entry {
    msg::shared_snapshot of;
    std::string text;
    std::uint64_t list = 0; ///< The last that it was in.
  };

  std::mutex mutex_;
  std::uint64_t lists_ = 0;
  std::map<std::string, entry, std::less<>> entries_; ///< By id.
};

} // namespace troupe::gateway
