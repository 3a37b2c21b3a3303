#pragma once

#include "runtime/shim/followed_child.hpp"

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace troupe::shim {

/// A child that does something about a container and ends: a cleaner, or a
/// runner of poststart hooks.
class job final {
public:
  enum class kind : std::uint8_t { teardown, poststart };

  job(const job&) = delete;
  job& operator=(const job&) = delete;

  [[nodiscard]] static result<std::unique_ptr<job>>
  run(const surroundings& in, table& tell, kind what, process_key key,
      const std::function<int(int)>& body);

  /// One that takes over from another; `resume` comes next.
  job(const surroundings& in, table& tell, loader& from);

  template <class Way>
  void hand_over(Way& with) {
    with(kind_, key_, askers_, last_);
    child_.hand_over(with);
  }

  [[nodiscard]] outcome resume() {
    return child_.resume();
  }

  /// `who` gets the answer too.
  void join(const asker& who) {
    askers_.push_back(who);
  }

  [[nodiscard]] bool is(kind what, const process_key& key) const noexcept {
    return kind_ == what && key_ == key;
  }

  [[nodiscard]] bool done() const noexcept {
    return done_;
  }

private:
  job(const surroundings& in, table& tell, kind what, process_key key);
  [[nodiscard]] followed_child::listener listener_for_child();
  bool read(int line);
  void on_report(const launcher::report& what);
  void finish(const std::string& how_it_ended);

  table& table_;
  kind kind_{};
  process_key key_;
  followed_child child_;
  std::vector<asker> askers_;
  std::optional<launcher::report> last_; ///< done or failed
  bool done_ = false;
};

} // namespace troupe::shim
