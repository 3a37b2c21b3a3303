#include "actors/gateway/jobs.hpp"
#include "actors/gateway/newest_line.hpp"
#include "actors/gateway/render.hpp"

#include <memory>

namespace troupe::gateway {

namespace {

/// A line each time that the SAMPLER has looked.
class usage_job : public job {
public:
  explicit usage_job(session& in) : in_(in), lines_(in) {
    in_.tell(in_.with().sampler, msg::subscribe_usage{in_.self()});
  }

  ~usage_job() override {
    in_.tell(in_.with().sampler, msg::unsubscribe_usage{in_.self()});
  }

  void pulled() override {
    lines_.pulled();
  }

  void sampled(const msg::usage_table& x) override {
    lines_.put(render(x));
  }

  void interrupted() override {
    in_.finish_stream();
  }

private:
  session& in_;
  newest_line lines_;
};

} // namespace

void stream_usage(session& in) {
  in.begin_stream("application/x-ndjson", std::make_unique<usage_job>(in));
}

} // namespace troupe::gateway
