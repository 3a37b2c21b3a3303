#include "actors/launch_gate.hpp"

#include <algorithm>
#include <deque>
#include <mutex>
#include <string>
#include <utility>

namespace troupe {

struct launch_gate::place {
  call come;
  bool has_come = false;
};

struct launch_gate::line {
  std::mutex guard;
  std::size_t at_once;
  std::size_t longest;
  std::size_t running = 0;
  std::deque<std::shared_ptr<place>> waiting;

  /// Ends a turn; the one whose turn has come by that, if any.
  std::shared_ptr<place> leave(const std::shared_ptr<place>& who) {
    const std::lock_guard lock{guard};
    if (!who->has_come) {
      std::erase(waiting, who);
      return nullptr;
    }
    if (waiting.empty()) {
      --running;
      return nullptr;
    }
    auto next = std::move(waiting.front());
    waiting.pop_front();
    next->has_come = true;
    return next;
  }
};

launch_gate::launch_gate(std::size_t at_once, std::size_t longest_line)
  : line_(std::make_shared<line>()) {
  line_->at_once = std::max<std::size_t>(at_once, 1);
  line_->longest = longest_line;
}

result<launch_gate::turn> launch_gate::enter(call come) {
  turn out;
  out.place_ = std::make_shared<place>();
  out.place_->come = std::move(come);
  const std::lock_guard lock{line_->guard};
  if (line_->running < line_->at_once) {
    ++line_->running;
    out.place_->has_come = true;
  } else if (line_->waiting.size() < line_->longest) {
    line_->waiting.push_back(out.place_);
  } else {
    out.place_.reset();
    return fail(fault::exhausted,
                std::to_string(line_->waiting.size())
                  + " launches wait already; try again later");
  }
  out.line_ = line_;
  return out;
}

launch_gate::turn& launch_gate::turn::operator=(turn&& other) noexcept {
  leave();
  line_ = std::move(other.line_);
  place_ = std::move(other.place_);
  return *this;
}

launch_gate::turn::~turn() {
  leave();
}

bool launch_gate::turn::has_come() const {
  const std::lock_guard lock{line_->guard};
  return place_->has_come;
}

std::size_t launch_gate::turn::before() const {
  const std::lock_guard lock{line_->guard};
  const auto at = std::ranges::find(line_->waiting, place_);
  return at == line_->waiting.end()
           ? 0
           : static_cast<std::size_t>(at - line_->waiting.begin());
}

void launch_gate::turn::leave() noexcept {
  if (!place_)
    return;
  const auto next = line_->leave(std::exchange(place_, nullptr));
  if (next)
    next->come();
}

} // namespace troupe
