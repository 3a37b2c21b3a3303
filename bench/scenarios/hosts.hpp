#pragma once

#include "bench/harness/container_api.hpp"
#include "bench/harness/session.hpp"

#include <string>
#include <utility>
#include <vector>

namespace troupe::bench {

/// Whoever runs containers that something is done with; removes them.
class hosts {
public:
  explicit hosts(session& in) : in_(in), api_(in.in.trouped->socket()) {
  }
  hosts(const hosts&) = delete;
  hosts& operator=(const hosts&) = delete;
  ~hosts() {
    for (const auto& undo : undo_)
      (void)in_.in.run.time(undo);
    if (!api_id_.empty())
      (void)api_.remove(api_id_);
  }

  [[nodiscard]] result<std::string> start_with_api() {
    api_id_ = fresh_id();
    TROUPE_CHECK(api_.create(api_id_, in_.in.idle_bundle()));
    TROUPE_CHECK(api_.start(api_id_));
    return api_id_;
  }

  /// Runs `start`; true if it did. `undo` is for the end.
  [[nodiscard]] bool start(const std::string& who, const command& start,
                           command undo) {
    undo_.push_back(std::move(undo));
    const auto started = in_.in.run.time(start);
    if (!started)
      in_.absent(who, started.error().what);
    return started.has_value();
  }

private:
  session& in_;
  container_api api_;
  std::string api_id_;
  std::vector<command> undo_;
};

} // namespace troupe::bench
