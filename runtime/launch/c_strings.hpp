#pragma once

#include <string>
#include <vector>

namespace troupe::launch {

/// Strings as execve(2) takes them. The strings must outlive it.
class c_strings {
public:
  explicit c_strings(const std::vector<std::string>& xs) {
    pointers_.reserve(xs.size() + 1);
    for (const auto& x : xs)
      pointers_.push_back(const_cast<char*>(x.c_str()));
    pointers_.push_back(nullptr);
  }

  [[nodiscard]] char* const* get() const noexcept {
    return pointers_.data();
  }

private:
  std::vector<char*> pointers_;
};

} // namespace troupe::launch
