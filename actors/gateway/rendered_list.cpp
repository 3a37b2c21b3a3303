#include "actors/gateway/rendered_list.hpp"

#include "actors/gateway/render.hpp"

namespace troupe::gateway {

std::string rendered_list::render(const msg::snapshots& x, bool all) {
  const std::lock_guard guard{mutex_};
  ++lists_;
  std::string out = "[";
  for (const auto& each : x.all) {
    auto& known = entries_[each->id];
    if (known.text.empty() || !known.of.is(each))
      known = {each, gateway::render(each), 0};
    known.list = lists_;
    if (all || lifecycle::is_running(each->status))
      out.append(out.size() == 1 ? "" : ",").append(known.text);
  }
  if (entries_.size() > x.all.size()) // some are gone
    std::erase_if(entries_,
                  [&](const auto& one) { return one.second.list != lists_; });
  return out += ']';
}

} // namespace troupe::gateway
