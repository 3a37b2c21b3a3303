#pragma once

#include "programs/troupe/api_client.hpp"

#include <string>

namespace troupe::bench {

/// One container's life over one open connection.
class container_api {
public:
  explicit container_api(const std::string& socket,
                         const std::string& node = {})
    : api_(socket, node) {
  }

  [[nodiscard]] outcome create(const std::string& id,
                               const std::string& bundle);
  [[nodiscard]] outcome start(const std::string& id);
  /// Waits for its end, which has to be a good one.
  [[nodiscard]] outcome wait(const std::string& id);
  [[nodiscard]] outcome remove(const std::string& id);
  /// All of the above.
  [[nodiscard]] outcome run(const std::string& id, const std::string& bundle);

  [[nodiscard]] client::api_client& api() {
    return api_;
  }

private:
  client::api_client api_;
};

/// A name that no other container of this process has.
[[nodiscard]] std::string fresh_id();

} // namespace troupe::bench
