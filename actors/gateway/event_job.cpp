#include "actors/gateway/jobs.hpp"
#include "actors/gateway/patience.hpp"
#include "actors/gateway/render.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace troupe::gateway {

namespace {

/// Reads pages of events at the client's pace: the next one only when the last
/// one is written and there is something new.
class event_job : public job {
public:
  event_job(session& in, msg::read_events from, bool follow)
    : in_(in), next_(std::move(from)), follow_(follow) {
  }

  void pulled() override {
    client_ready_ = true;
    proceed();
  }

  void committed(std::int64_t last_seq) override {
    newest_ = std::max(newest_, last_seq);
    proceed();
  }

  void interrupted() override {
    in_.finish_stream();
  }

  /// What it had to say is in the log, though perhaps not in the page that is
  /// being read.
  void target_gone() override {
    follow_ = false;
    stale_ = reading_;
    proceed();
  }

private:
  void proceed() {
    if (!client_ready_ || reading_ || (follow_ && newest_ <= next_.since))
      return;
    reading_ = true;
    in_.ask<msg::events>(in_.with().events, patience::reading, next_,
                         [this](const msg::events& page) { take(page); });
  }

  void take(const msg::events& page) {
    reading_ = false;
    newest_ = std::max(newest_, page.last_seq);
    // A page that is not full was read to the log's end, whatever it left out.
    const auto full = std::ssize(page.all) >= next_.limit;
    next_.since = full ? page.all.back().seq
                       : std::max(next_.since, page.last_seq);
    std::string lines;
    for (const auto& each : page.all)
      lines.append(render(each)).append("\n");
    if (!lines.empty()) {
      client_ready_ = false;
      in_.send(std::move(lines));
    }
    const auto stale = std::exchange(stale_, false);
    if (!follow_ && !full && !stale)
      in_.finish_stream();
    else
      proceed();
  }

  session& in_;
  msg::read_events next_;
  bool follow_;
  bool client_ready_ = false;
  bool reading_ = false;
  bool stale_ = false; ///< What is being read may lack the end.
  std::int64_t newest_ = -1;
};

} // namespace

result<event_request> parse_event_request(const query& x) {
  event_request out;
  TROUPE_TRY(const auto since,
             x.natural("since", std::numeric_limits<std::int64_t>::max()));
  TROUPE_TRY(out.follow, x.flag("follow"));
  out.from.since = static_cast<std::int64_t>(since.value_or(0));
  out.from.container = x.text("container");
  out.from.type = x.text("type");
  return out;
}

void stream_events(session& in, event_request what) {
  in.begin_stream(
    "application/x-ndjson",
    std::make_unique<event_job>(in, std::move(what.from), what.follow));
  if (what.follow)
    in.tell(in.with().events, msg::subscribe_events{in.self()});
}

} // namespace troupe::gateway
