#pragma once

#include "config/base/clock.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace troupe::client {

/// Rows of text in aligned columns; the first row is the heading.
class table {
public:
  explicit table(std::vector<std::string> heading) : rows_{std::move(heading)} {
  }

  void add(std::vector<std::string> row) {
    rows_.push_back(std::move(row));
  }

  [[nodiscard]] std::string str() const;

private:
  std::vector<std::vector<std::string>> rows_;
};

/// `3 seconds`, `5 minutes`, `2 hours`, `4 days`.
[[nodiscard]] std::string age(time_ns span);

/// `1.5MiB`; `-` for negative, `unlimited` for INT64_MAX.
[[nodiscard]] std::string size_text(std::int64_t bytes);

} // namespace troupe::client
