#include "actors/gateway/jobs.hpp"
#include "actors/gateway/render.hpp"

namespace troupe::gateway {

namespace {

class wait_job : public job {
public:
  wait_job(session& in, std::string id) : in_(in), id_(std::move(id)) {
  }

  void container_ended(const msg::snapshot& last) override {
    if (last.id == id_)
      in_.answer({200, render(last)});
  }

  void exec_ended(const msg::exec_snapshot& last) override {
    if (last.id == id_)
      in_.answer({200, render(last)});
  }

  void target_gone() override {
    in_.refuse({fault::destroyed, 0, "wait for " + id_ + ": it is gone"});
  }

  void interrupted() override {
    in_.refuse({fault::unavailable, 0,
                "wait for " + id_ + ": the supervisor is ending"});
  }

private:
  session& in_;
  std::string id_;
};

} // namespace

void wait_for(session& in, const msg::container_found& target) {
  in.watch(target.container);
  in.tell(target.container, msg::await_exit{in.self()});
  in.begin(std::make_unique<wait_job>(in, target.now->id));
}

void wait_for(session& in, const msg::exec_created& target) {
  in.watch(target.session);
  in.tell(target.session, msg::await_exec{in.self()});
  in.begin(std::make_unique<wait_job>(in, target.now.id));
}

} // namespace troupe::gateway
