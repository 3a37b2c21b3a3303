#pragma once

#include <chrono>
#include <cstdlib>

namespace troupe::test {

/// How many times as long as on real hardware things may take here:
/// TROUPE_TEST_PATIENCE, which the lane of the emulated machine sets
/// (tests/vm), else 1.
inline int patience_factor() {
  static const auto factor = [] {
    const auto* text = std::getenv("TROUPE_TEST_PATIENCE");
    const auto given = text == nullptr ? 1 : std::atoi(text);
    return given < 1 ? 1 : given;
  }();
  return factor;
}

/// A deadline of a test: `usual`, and longer where everything is slower.
inline std::chrono::milliseconds patient(std::chrono::milliseconds usual) {
  return usual * patience_factor();
}

/// The same as poll(2) takes it.
inline int patient_ms(int usual) {
  return usual * patience_factor();
}

} // namespace troupe::test
