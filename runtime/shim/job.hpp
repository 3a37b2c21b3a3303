#pragma once

#include "runtime/shim/handover.hpp"
#include "runtime/shim/table.hpp"

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace troupe::shim {

/// A child that does something about a container and ends: a cleaner, or a
/// runner of poststart hooks.
class job final : public parent {
public:
  enum class kind : std::uint8_t { teardown, poststart };

  job(const job&) = delete;
  job& operator=(const job&) = delete;
  ~job() override;

  [[nodiscard]] static result<std::unique_ptr<job>>
  run(const surroundings& in, table& tell, kind what, process_key key,
      const std::function<int(int)>& body);

  /// One that takes over from another; `resume` comes next.
  job(const surroundings& in, table& tell, loader& from);

  template <class Way>
  void hand_over(Way& with) {
    with(kind_, key_, child_, askers_, last_);
  }

  [[nodiscard]] outcome resume();

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
  outcome open(const std::function<int(int)>& body);
  void look() override;
  void read_line();
  void on_report(const launcher::report& what);
  void finish(const std::string& how_it_ended);

  surroundings in_;
  table& table_;
  kind kind_{};
  process_key key_;
  child child_;
  watch line_ready_;
  watch exited_;
  std::vector<asker> askers_;
  std::optional<launcher::report> last_; ///< done or failed
  bool done_ = false;
};

} // namespace troupe::shim
