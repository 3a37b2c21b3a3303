#pragma once

#include "config/base/result.hpp"

#include <string>
#include <vector>

namespace troupe::bench {

/// Idle containers of a supervisor, as many as a scenario wants. Kept from one
/// scenario to the next: making thousands takes longer than measuring them.
class population {
public:
  population(std::string socket, std::string bundle)
    : socket_(std::move(socket)), bundle_(std::move(bundle)) {
  }

  /// Starts or removes containers until there are `count`.
  [[nodiscard]] outcome resize(std::size_t count);

  [[nodiscard]] const std::vector<std::string>& ids() const {
    return ids_;
  }

private:
  [[nodiscard]] outcome grow(std::size_t count);
  [[nodiscard]] outcome shrink(std::size_t count);

  std::string socket_;
  std::string bundle_;
  std::vector<std::string> ids_;
};

} // namespace troupe::bench
