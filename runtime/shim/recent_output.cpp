#include "runtime/shim/recent_output.hpp"

#include <algorithm>

namespace troupe::shim {

void recent_output::add(frame_stream from, std::string_view bytes) {
  if (limit_ == 0)
    return;
  if (bytes.size() > limit_)
    bytes.remove_prefix(bytes.size() - limit_);
  while (!bytes.empty()) {
    if (pieces_.empty() || pieces_.back().from != from
        || pieces_.back().text.size() >= piece_size)
      pieces_.push_back({from, {}});
    auto& text = pieces_.back().text;
    const auto more = bytes.substr(0, piece_size - text.size());
    text.append(more);
    size_ += more.size();
    bytes.remove_prefix(more.size());
  }
  // A piece more than the limit, so that the whole of it can be shown.
  while (pieces_.size() > 1
         && (size_ - pieces_.front().text.size() >= limit_
             || pieces_.size() * piece_cost > limit_)) {
    size_ -= pieces_.front().text.size();
    pieces_.pop_front();
  }
}

} // namespace troupe::shim
