#include "actors/gateway/jobs.hpp"
#include "actors/gateway/render.hpp"

#include <memory>
#include <string>
#include <utility>

namespace troupe::gateway {

namespace {

/// For a client that reads slower than once a second, the newest look replaces
/// the one that waits.
class usage_job : public job {
public:
  explicit usage_job(session& in) : in_(in) {
    in_.tell(in_.with().sampler, msg::subscribe_usage{in_.self()});
  }

  ~usage_job() override {
    in_.tell(in_.with().sampler, msg::unsubscribe_usage{in_.self()});
  }

  void pulled() override {
    client_ready_ = true;
    push();
  }

  void sampled(const msg::usage_table& x) override {
    line_ = render(x) + '\n';
    push();
  }

  void interrupted() override {
    in_.finish_stream();
  }

private:
  void push() {
    if (!client_ready_ || line_.empty())
      return;
    client_ready_ = false;
    in_.send(std::exchange(line_, {}));
  }

  session& in_;
  std::string line_;
  bool client_ready_ = false;
};

} // namespace

void stream_usage(session& in) {
  in.begin_stream("application/x-ndjson", std::make_unique<usage_job>(in));
}

} // namespace troupe::gateway
