#include "actors/gateway/jobs.hpp"
#include "actors/gateway/newest_line.hpp"
#include "actors/gateway/patience.hpp"
#include "actors/gateway/render.hpp"

namespace troupe::gateway {

namespace {

/// A line each second.
class stats_job : public job {
public:
  stats_job(session& in, container_actor target, const msg::stats& first)
    : in_(in), target_(std::move(target)), lines_(in) {
    lines_.put(render(first));
  }

  void pulled() override {
    lines_.pulled();
  }

  void second_passed() override {
    in_.tick();
    if (reading_)
      return;
    reading_ = true;
    in_.ask<msg::stats>(
      target_, patience::reading, msg::read_stats{},
      [this](const msg::stats& now) { take(now); },
      [this](const failure&) { in_.finish_stream(); }); // It has just ended.
  }

  void container_ended(const msg::snapshot&) override {
    in_.finish_stream();
  }

  void target_gone() override {
    in_.finish_stream();
  }

  void interrupted() override {
    in_.finish_stream();
  }

private:
  void take(const msg::stats& now) {
    reading_ = false;
    lines_.put(render(now));
  }

  session& in_;
  container_actor target_;
  newest_line lines_;
  bool reading_ = false;
};

} // namespace

void stream_stats(session& in, const msg::container_found& target,
                  const msg::stats& first) {
  in.watch(target.container);
  in.tell(target.container, msg::await_exit{in.self()});
  in.begin_stream("application/x-ndjson",
                  std::make_unique<stats_job>(in, target.container, first));
  in.tick();
}

} // namespace troupe::gateway
