#pragma once

#include "runtime/plan/fields.hpp"

#include <concepts>
#include <string>
#include <type_traits>
#include <vector>

namespace troupe::test {

template <class T>
concept plan_record = requires(T& x) {
  plan::fields(x);
};

/// Fills every member of every struct of a plan, lists with two elements each,
/// with a value that is not its default and differs from its neighbours'. What
/// a codec forgets or swaps shows.
class plan_filler {
public:
  void fill(bool& x) {
    x = !x;
  }

  void fill(std::string& x) {
    // Environment values and paths may be any bytes, not only UTF-8.
    x = "text " + std::to_string(++count_) + " \xff\n";
  }

  void fill(std::vector<std::uint8_t>& x) {
    x.assign(300, static_cast<std::uint8_t>(++count_));
  }

  /// Small ones, negative ones, and ones that need all of their bits.
  template <std::integral T>
  void fill(T& x) {
    const auto n = static_cast<T>(++count_ % 100 + 1);
    if constexpr (std::is_signed_v<T>)
      x = count_ % 2 == 0 ? n : static_cast<T>(-n * 1'000'000);
    else
      x = count_ % 2 == 0 ? n : static_cast<T>(static_cast<T>(~T{0}) - n);
  }

  void fill(plan::cgroup_mode& x) {
    x = plan::cgroup_mode::hybrid;
  }

  void fill(plan::mount_kind& x) {
    x = ++count_ % 2 == 0 ? plan::mount_kind::bind : plan::mount_kind::cgroup;
  }

  void fill(plan::mount_idmap& x) {
    x = plan::mount_idmap::recursive;
  }

  template <plan_record T>
  void fill(T& x) {
    std::apply([&](auto&... each) { (fill(each), ...); }, plan::fields(x));
  }

  template <class T>
  void fill(std::vector<T>& xs) {
    xs.resize(2);
    for (auto& x : xs)
      fill(x);
  }

private:
  unsigned count_ = 0;
};

/// A plan without a default value anywhere but in its version.
template <plan_record T>
T maximal() {
  T out;
  plan_filler{}.fill(out);
  out.version = plan::plan_version;
  return out;
}

} // namespace troupe::test
