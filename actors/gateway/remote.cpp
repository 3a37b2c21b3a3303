#include "actors/gateway/remote.hpp"

#include "actors/gateway/patience.hpp"
#include "actors/gateway/pipe.hpp"
#include "actors/gateway/query.hpp"
#include "config/base/quote.hpp"
#include "runtime/linux/stream_socket.hpp"

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <array>
#include <utility>

namespace troupe::gateway {

namespace {

// -- where the client is ------------------------------------------------------

/// What the other node says goes to the client.
class remote_job : public job {
public:
  remote_job(session& in, const remote_place& at, std::string websocket_key)
    : in_(in),
      node_(at.node),
      websocket_key_(std::move(websocket_key)),
      seconds_left_(at.timeout) {
    if (seconds_left_ > 0)
      in_.tick();
  }

  void second_passed() override {
    if (there_)
      return;
    if (--seconds_left_ > 0)
      in_.tick();
    else
      in_.refuse({fault::timed_out, 0, "node " + node_ + " does not answer"});
  }

  void remote_responded(const msg::remote_response& x) override {
    in_.answer({x.status, x.body, x.content_type, x.allow, x.offers_stream});
  }

  void remote_began(const msg::remote_stream& x,
                    const caf::strong_actor_ptr& by) override {
    there_ = caf::actor_cast<remote_session_actor>(by);
    in_.begin_stream(x.content_type);
  }

  void pulled() override {
    in_.tell(there_, msg::remote_pull{});
  }

  void remote_sent(const msg::remote_chunk& x) override {
    in_.send(x.data);
  }

  void remote_ended(bool cut) override {
    if (cut)
      in_.cut_stream();
    else
      in_.finish_stream();
  }

  void remote_upgraded(const caf::strong_actor_ptr& to) override {
    in_.upgrade(websocket_key_,
                [&system = in_.self()->home_system(),
                 reactor = in_.with().reactor, to](msg::shared_fd socket) {
                  join_pipe(system, *reactor, std::move(*socket), to);
                });
  }

  /// Its link is gone; what it was told to do, it does.
  void target_gone() override {
    in_.refuse({fault::node_unreachable, 0,
                "node " + node_ + " is lost; what it has done is not known"});
  }

  void interrupted() override {
    in_.refuse({fault::unavailable, 0, "the supervisor is ending"});
  }

private:
  session& in_;
  std::string node_;
  std::string websocket_key_;
  remote_session_actor there_; ///< Null until a stream has begun.
  std::uint32_t seconds_left_; ///< 0: there is no limit.
};

// -- where the request is served ----------------------------------------------

/// A client whose connection another node has.
class remote_client : public client {
public:
  remote_client(session::self_pointer self, const caf::strong_actor_ptr& caller)
    : self_(self), to_(caf::actor_cast<remote_caller_actor>(caller)) {
  }

  void respond(response what) override {
    tell(msg::remote_response{what.status, std::move(what.body),
                              std::move(what.content_type),
                              std::move(what.allow), what.offers_stream});
    end();
  }

  void begin_stream(std::string content_type) override {
    tell(msg::remote_stream{std::move(content_type)});
  }

  void send(std::string chunk) override {
    tell(msg::remote_chunk{std::move(chunk)});
  }

  void end_stream() override {
    tell(msg::remote_end{false});
    end();
  }

  void upgrade(std::string, std::function<void(msg::shared_fd)> take) override {
    auto pair = sys::stream_pair();
    auto* reactor = self_->state.with().reactor;
    if (!pair || !reactor)
      return close();
    take(std::make_shared<sys::unique_fd>(std::move(pair->first)));
    offer_pipe(self_->home_system(), *reactor, std::move(pair->second),
               std::exchange(to_, nullptr));
    end();
  }

  /// Also called when the session is being destroyed, and cannot send any more.
  void close() override {
    if (to_)
      caf::anon_send(std::exchange(to_, nullptr), msg::remote_end{true});
  }

private:
  template <class Message>
  void tell(Message what) {
    if (to_)
      self_->send(to_, std::move(what));
  }

  void end() {
    to_ = nullptr;
    self_->state.leave_caller();
  }

  session::self_pointer self_;
  remote_caller_actor to_; ///< Null: it has had its answer.
};

/// Takes `node_timeout` off the end of `target`; 0: it is not there.
result<std::uint32_t> take_timeout(std::string& target) {
  constexpr std::array<std::string_view, 1> name{"node_timeout"};
  constexpr std::uint64_t most = 3600;
  const auto at = target.find_last_of("?&");
  if (at == target.npos || !target.substr(at + 1).starts_with(name[0]))
    return 0U;
  TROUPE_TRY(const auto last,
             query::parse(std::string_view{target}.substr(at + 1), name));
  TROUPE_TRY(const auto seconds, last.natural(name[0], most));
  target.resize(at);
  return static_cast<std::uint32_t>(seconds.value_or(0));
}

session_actor::behavior_type serve_node(session::self_pointer self,
                                        shared_origin from,
                                        const caf::strong_actor_ptr& caller) {
  auto out = serve_client(self, std::move(from),
                          std::make_shared<remote_client>(self, caller));
  self->state.serve_caller(caller);
  return out;
}

} // namespace

result<std::optional<remote_place>> remote_target(std::string_view target) {
  constexpr std::string_view prefix = "/v1/nodes/";
  if (!target.starts_with(prefix))
    return std::nullopt;
  const auto rest = target.substr(prefix.size());
  const auto slash = rest.find('/');
  if (slash == 0 || slash >= rest.find('?'))
    return std::nullopt;
  remote_place out;
  TROUPE_TRY(out.node, percent_decoded(rest.substr(0, slash)));
  out.target = "/v1" + std::string{rest.substr(slash)};
  TROUPE_TRY(out.timeout, take_timeout(out.target));
  return out;
}

outcome check_cluster(const session& in) {
  if (in.cluster())
    return {};
  return fail(fault::unsupported,
              "nodes: this supervisor is in no cluster (--cluster-listen)");
}

outcome call_node(session& in, const request& x, const remote_place& at) {
  if (x.from_node)
    return fail(fault::invalid_config, "nodes: a node asks no third one");
  TROUPE_CHECK(check_cluster(in));
  if (x.has_more)
    return fail(fault::invalid_config, "bytes sent before the answer");
  auto what = x;
  what.target = at.target;
  what.from_node = true;
  in.ask<msg::node_found>(
    in.cluster(), patience::lookup, msg::find_node{at.node},
    [&in, at, what = std::move(what)](const msg::node_found& found) {
      if (found.self)
        return in.serve_own(what);
      in.watch(found.node);
      in.begin(std::make_unique<remote_job>(in, at, what.websocket_key));
      in.tell(found.node, msg::remote_call{what.method, what.target, what.body,
                                           what.wants_stream,
                                           what.websocket_key, what.observing});
    });
  return {};
}

remote_service serve_nodes(caf::actor_system& system,
                           supervisor_actor supervisor, shared_services with) {
  const origin base{std::move(supervisor), std::move(with), {}};
  return [&system, base](const msg::remote_call& x,
                         const caf::strong_actor_ptr& caller,
                         const cluster_actor& here) {
    if (!caller)
      return;
    auto own = base;
    own.cluster = here;
    auto from = std::make_shared<const origin>(std::move(own));
    if (x.method != "GET")
      spdlog::info("audit: another node: {} {}", x.method, quote(x.target));
    auto what = std::make_shared<request>();
    what->method = x.method;
    what->target = x.target;
    what->body = x.body;
    what->wants_stream = x.wants_stream;
    what->websocket_key = x.websocket_key;
    what->from_node = true;
    what->observing = x.observing;
    caf::anon_send(system.spawn(serve_node, from, caller),
                   msg::serve{std::move(what)});
  };
}

} // namespace troupe::gateway
