#pragma once

#include "actors/cluster/messages.hpp"
#include "actors/errors.hpp"
#include "actors/gateway/rendered_list.hpp"
#include "actors/gateway/request.hpp"
#include "actors/interfaces.hpp"
#include "actors/services.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace troupe::msg {

/// From the CONNECTION: a request, read whole.
struct serve {
  std::shared_ptr<const gateway::request> what;
};

/// From the CONNECTION: everything sent so far is written.
struct pulled {};

/// From the CONNECTION: the gateway is closing. What waits is to be answered
/// now; what is under way may end.
struct closing {};

} // namespace troupe::msg

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::serve)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::pulled)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::closing)

namespace troupe {

/// GATEWAY SESSION: serves one connection's requests, one after the other.
/// Ended by its CONNECTION with an exit message.
using session_actor
  = protocol<caf::reacts_to<msg::serve>, caf::reacts_to<msg::pulled>,
             caf::reacts_to<msg::closing>,
             // What it waits for on behalf of the client.
             caf::reacts_to<msg::exited>, caf::reacts_to<msg::exec_exited>,
             caf::reacts_to<msg::events_committed>,
             caf::reacts_to<msg::usage_sampled>,
             // A followed log has changed.
             caf::reacts_to<msg::fd_ready>,
             // INTERNAL: the next statistics are due.
             caf::reacts_to<msg::deadline>>::plus<remote_session_actor>
  // What another node answers.
  ::plus<remote_caller_actor>::actor;

} // namespace troupe

CAF_BEGIN_TYPE_ID_BLOCK(troupe_gateway,
                        caf::id_block::troupe_cluster_local::end)

  CAF_ADD_TYPE_ID(troupe_gateway, (troupe::session_actor))
  CAF_ADD_TYPE_ID(troupe_gateway, (troupe::msg::serve))
  CAF_ADD_TYPE_ID(troupe_gateway, (troupe::msg::pulled))
  CAF_ADD_TYPE_ID(troupe_gateway, (troupe::msg::closing))

CAF_END_TYPE_ID_BLOCK(troupe_gateway)

namespace troupe::gateway {

/// What sessions stand on.
struct origin {
  supervisor_actor supervisor;
  shared_services with;
  cluster_actor cluster; ///< Null: there is none.
  std::shared_ptr<rendered_list> lists = std::make_shared<rendered_list>();
};

using shared_origin = std::shared_ptr<const origin>;

/// What a session is busy with when one reply is not all of it: a wait or a
/// stream. Whoever ends the call through the session ends the job.
class job {
public:
  job() = default;
  job(const job&) = delete;
  job& operator=(const job&) = delete;
  virtual ~job() = default;

  virtual void pulled() {
  }
  virtual void container_ended(const msg::snapshot&) {
  }
  virtual void exec_ended(const msg::exec_snapshot&) {
  }
  virtual void committed(std::int64_t) {
  }
  virtual void sampled(const msg::usage_table&) {
  }
  virtual void readable() {
  }
  virtual void second_passed() {
  }
  /// The watched actor is gone, after everything that it had to say.
  virtual void target_gone() {
  }

  // -- what another node answers
  virtual void remote_responded(const msg::remote_response&) {
  }
  virtual void remote_began(const msg::remote_stream&,
                            const caf::strong_actor_ptr& /*by*/) {
  }
  virtual void remote_sent(const msg::remote_chunk&) {
  }
  virtual void remote_ended(bool /*cut*/) {
  }
  virtual void remote_upgraded(const caf::strong_actor_ptr& /*to*/) {
  }

  /// The gateway is closing.
  virtual void interrupted() = 0;
};

/// The state of a GATEWAY SESSION, and what handlers and jobs may ask of it.
class session {
public:
  using self_pointer = session_actor::stateful_pointer<session>;
  static constexpr const char* name = "gateway.session";

  explicit session(self_pointer self) : self_(self) {
  }
  session(const session&) = delete;
  session& operator=(const session&) = delete;
  ~session();

  session_actor::behavior_type behavior(shared_origin from,
                                        std::shared_ptr<client> to);

  /// Goes on with another request in the place of the one it serves.
  void serve_own(const request& x) {
    if (auto begun = route(x); !begun)
      refuse(begun.error());
  }
  /// Ends with `caller`, a session of another node.
  void serve_caller(const caf::strong_actor_ptr& caller);
  /// The call of `caller` is over, and this session with it.
  void leave_caller();

  // -- ends of a call

  void answer(response what);
  void refuse(const failure& why);

  /// Ends the stream; with a failure, so that the client sees it was cut.
  void finish_stream();
  void cut_stream();

  // -- on the way

  /// Begins a chunked 200 that `by` feeds.
  void begin_stream(std::string content_type, std::unique_ptr<job> by);
  void begin_stream(std::string content_type);
  /// Waits, without an answer yet.
  void begin(std::unique_ptr<job> by);
  void send(std::string chunk);
  void upgrade(std::string websocket_key,
               std::function<void(msg::shared_fd)> take);
  /// `second_passed` in a second.
  void tick();
  /// `target_gone` when `whom` ends, until the call is over.
  template <class Handle>
  void watch(const Handle& whom);

  /// Sends a request. A reply goes to `then`, a failure to `otherwise`. Both
  /// are passed over when the call is over.
  template <class Reply, class Handle, class Message, class Then, class Else>
  void ask(const Handle& whom, caf::timespan patience, Message what, Then then,
           Else otherwise);

  /// The same; a failure ends the call.
  template <class Reply, class Handle, class Message, class Then>
  void ask(const Handle& whom, caf::timespan patience, Message what,
           Then then) {
    ask<Reply>(whom, patience, std::move(what), std::move(then),
               [this](const failure& why) { refuse(why); });
  }

  template <class Handle, class Message>
  void tell(const Handle& whom, Message what) {
    self_->send(whom, std::move(what));
  }

  [[nodiscard]] session_actor self() const {
    return self_;
  }
  [[nodiscard]] const supervisor_actor& supervisor() const {
    return from_->supervisor;
  }
  [[nodiscard]] const services& with() const {
    return *from_->with;
  }
  [[nodiscard]] const cluster_actor& cluster() const {
    return from_->cluster;
  }
  [[nodiscard]] rendered_list& lists() const {
    return *from_->lists;
  }

private:
  void serve(const request& x);
  outcome route(const request& x);
  void end_call();
  void lose(const caf::down_msg& x);

  /// Tells the job, if there is one. It may end itself by that, and is
  /// destroyed only after it has returned.
  template <class Tell>
  void with_job(Tell tell) {
    if (job_)
      tell(*job_);
    ended_job_.reset();
  }

  self_pointer self_;
  shared_origin from_;
  std::shared_ptr<client> client_;
  std::unique_ptr<job> job_;
  std::unique_ptr<job> ended_job_;
  caf::actor_addr watched_;
  caf::actor_addr caller_;
  std::uint64_t call_ = 0; ///< Tells answers to earlier calls apart.
  bool streaming_ = false;
  bool closing_ = false;
};

template <class Handle>
void session::watch(const Handle& whom) {
  watched_ = whom->address();
  self_->monitor(whom);
}

template <class Reply, class Handle, class Message, class Then, class Else>
void session::ask(const Handle& whom, caf::timespan patience, Message what,
                  Then then, Else otherwise) {
  self_->request(whom, patience, std::move(what))
    .then(
      [this, call = call_, then = std::move(then)](const Reply& reply) mutable {
        if (call == call_)
          then(reply);
        ended_job_.reset();
      },
      [this, call = call_,
       otherwise = std::move(otherwise)](const caf::error& why) mutable {
        if (call == call_)
          otherwise(from_caf(why));
        ended_job_.reset();
      });
}

/// The GATEWAY SESSION's behaviour, for spawn.
session_actor::behavior_type serve_client(session::self_pointer self,
                                          shared_origin from,
                                          std::shared_ptr<client> to);

} // namespace troupe::gateway
