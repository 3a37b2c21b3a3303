#pragma once

#include "tests/support/patience.hpp"

#include <algorithm>

namespace troupe::test {

/// How often to try what is a matter of chance: `usual` times, a quarter of it
/// (but two) where each time takes that much longer (patience.hpp).
inline int repeats(int usual) {
  return patience_factor() == 1 ? usual : std::max(2, usual / 4);
}

} // namespace troupe::test
