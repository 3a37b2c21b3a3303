#pragma once

#include "actors/errors.hpp"
#include "actors/interfaces.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <iterator>
#include <utility>
#include <vector>

namespace troupe {

/// An actor's way to the event log: its events get there in the order in which
/// it put them, whatever the disk does meanwhile. One append is under way at a
/// time; one that failed is tried again, with everything that came after.
template <class Pointer>
class event_outbox {
public:
  explicit event_outbox(Pointer self) : self_(self) {
  }

  /// Opens the box. `drained` is called whenever everything is on disk; `stuck`
  /// when an append has failed: it lets `send` be called again later.
  void open(event_log_actor log, std::function<void()> drained,
            std::function<void(const failure&)> stuck) {
    log_ = std::move(log);
    drained_ = std::move(drained);
    stuck_ = std::move(stuck);
  }

  /// Events without a key of their own are dropped, loudly, once `limit` events
  /// wait; those with one are few by their nature.
  void put(msg::event x) {
    if (x.once.empty() && pending_.size() >= limit) {
      spdlog::error("container {} loses event {}: the event log takes none",
                    x.container, x.type);
      return;
    }
    pending_.push_back(std::move(x));
    send();
  }

  /// Puts events that belong into one transaction.
  void put(std::vector<msg::event> xs) {
    std::move(xs.begin(), xs.end(), std::back_inserter(pending_));
    send();
  }

  /// Sends what waits, unless an append is under way.
  void send() {
    if (under_way_ > 0 || pending_.empty())
      return;
    under_way_ = pending_.size();
    self_->request(log_, patience, msg::append_events{pending_})
      .then([this](const msg::events_committed&) { sent(); },
            [this](const caf::error& why) {
              under_way_ = 0;
              failing_ = true;
              stuck_(from_caf(why));
            });
  }

  [[nodiscard]] bool empty() const noexcept {
    return pending_.empty();
  }

  /// Whether the last append has failed.
  [[nodiscard]] bool failing() const noexcept {
    return failing_;
  }

private:
  static constexpr std::size_t limit = 1024;
  static constexpr auto patience = std::chrono::seconds{30};

  void sent() {
    const auto committed = static_cast<std::ptrdiff_t>(under_way_);
    pending_.erase(pending_.begin(), pending_.begin() + committed);
    under_way_ = 0;
    failing_ = false;
    if (pending_.empty())
      drained_();
    else
      send();
  }

  Pointer self_;
  event_log_actor log_;
  std::function<void()> drained_;
  std::function<void(const failure&)> stuck_;
  std::vector<msg::event> pending_;
  std::size_t under_way_ = 0;
  bool failing_ = false;
};

} // namespace troupe
