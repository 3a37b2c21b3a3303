#include "actors/gateway/session.hpp"

#include "actors/gateway/faults.hpp"
#include "actors/gateway/handlers.hpp"
#include "actors/gateway/remote.hpp"
#include "actors/guard.hpp"
#include "config/base/fault_point.hpp"
#include "config/base/quote.hpp"

#include <algorithm>

namespace troupe::gateway {

namespace {

/// A body where none belongs is a client's mistake; `{}` says nothing either.
bool says_nothing(std::string_view body) {
  return body.empty() || body == "{}";
}

} // namespace

session::~session() {
  if (client_)
    client_->close();
}

void session::serve_caller(const caf::strong_actor_ptr& caller) {
  caller_ = caf::actor_cast<caf::actor_addr>(caller);
  self_->monitor(caller);
}

void session::leave_caller() {
  self_->demonitor(std::exchange(caller_, {}));
  self_->quit();
}

session_actor::behavior_type session::behavior(shared_origin from,
                                               std::shared_ptr<client> to) {
  from_ = std::move(from);
  client_ = std::move(to);
  guard(self_);
  self_->set_down_handler([this](const caf::down_msg& x) { lose(x); });
  return {
    [this](const msg::serve& x) { serve(*x.what); },
    [this](const msg::pulled&) { with_job([](job& x) { x.pulled(); }); },
    [this](const msg::remote_pull&) { with_job([](job& x) { x.pulled(); }); },
    [this](const msg::remote_response& x) {
      with_job([&](job& to) { to.remote_responded(x); });
    },
    [this](const msg::remote_stream& x) {
      with_job([&](job& to) { to.remote_began(x, self_->current_sender()); });
    },
    [this](const msg::remote_chunk& x) {
      with_job([&](job& to) { to.remote_sent(x); });
    },
    [this](const msg::remote_end& x) {
      with_job([&](job& to) { to.remote_ended(x.cut); });
    },
    [this](const msg::remote_upgrade&) {
      with_job([&](job& to) { to.remote_upgraded(self_->current_sender()); });
    },
    [this](const msg::closing&) {
      closing_ = true;
      with_job([](job& x) { x.interrupted(); });
    },
    [this](const msg::exited& fact) {
      with_job([&](job& x) { x.container_ended(fact.last); });
    },
    [this](const msg::exec_exited& fact) {
      with_job([&](job& x) { x.exec_ended(fact.last); });
    },
    [this](const msg::events_committed& fact) {
      with_job([&](job& x) { x.committed(fact.last_seq); });
    },
    [this](const msg::usage_sampled& fact) {
      with_job([&](job& x) { x.sampled(*fact.table); });
    },
    [this](const msg::fd_ready&) { with_job([](job& x) { x.readable(); }); },
    [this](const msg::deadline& of) {
      if (of.generation == call_)
        with_job([](job& x) { x.second_passed(); });
    },
  };
}

void session::serve(const request& x) {
  ++call_;
  if (auto begun = route(x); !begun)
    refuse(begun.error());
  ended_job_.reset();
}

outcome session::route(const request& x) {
  TROUPE_TRY(const auto there, remote_target(x.target));
  if (there)
    return call_node(*this, x, *there);
  const auto target = std::string_view{x.target};
  const auto mark = std::min(target.find('?'), target.size());
  const auto path = target.substr(0, mark);
  const auto found = find_route(x.method, path);
  if (!found.which && found.allow.empty())
    return fail(fault::not_found, "no route " + quote(path));
  if (!found.which) {
    auto what = error_response(405, "method_not_allowed",
                               x.method + ' ' + std::string{path}
                                 + ": allowed: " + found.allow);
    what.allow = found.allow;
    answer(std::move(what));
    return {};
  }
  if (x.observing && !found.which->is_for_observers())
    return fail(fault::denied, "an observer looks, and does not act");
  if (!found.which->takes_body && !says_nothing(x.body))
    return fail(fault::invalid_config, "body: expected none, found "
                                         + std::to_string(x.body.size())
                                         + " bytes");
  call out{x, {}, {}};
  for (const auto id : found.ids) {
    TROUPE_TRY(out.ids.emplace_back(), percent_decoded(id));
  }
  TROUPE_TRY(out.parameters,
             query::parse(target.substr(std::min(mark + 1, target.size())),
                          found.which->allowed()));
  return found.which->serve(*this, out);
}

void session::answer(response what) {
  fault_point("gateway", "answer", "before");
  client_->respond(std::move(what));
  end_call();
}

void session::refuse(const failure& why) {
  if (streaming_)
    cut_stream();
  else
    answer(error_response(why));
}

void session::finish_stream() {
  client_->end_stream();
  end_call();
}

void session::cut_stream() {
  client_->close();
  end_call();
}

void session::begin_stream(std::string content_type, std::unique_ptr<job> by) {
  begin_stream(std::move(content_type));
  begin(std::move(by));
}

void session::begin_stream(std::string content_type) {
  streaming_ = true;
  client_->begin_stream(std::move(content_type));
}

void session::begin(std::unique_ptr<job> by) {
  job_ = std::move(by);
  if (closing_)
    with_job([](job& x) { x.interrupted(); });
}

void session::send(std::string chunk) {
  client_->send(std::move(chunk));
}

void session::upgrade(std::string websocket_key,
                      std::function<void(msg::shared_fd)> take) {
  client_->upgrade(std::move(websocket_key), std::move(take));
  end_call();
}

void session::tick() {
  self_->delayed_send(self_, std::chrono::seconds{1}, msg::deadline{0, call_});
}

/// Nothing that still comes for this call reaches anyone from here on.
void session::end_call() {
  ++call_;
  streaming_ = false;
  ended_job_ = std::move(job_);
  if (watched_)
    self_->demonitor(std::exchange(watched_, {}));
}

void session::lose(const caf::down_msg& x) {
  if (x.source == caller_)
    return self_->quit();
  if (!watched_ || x.source != watched_)
    return;
  watched_ = {};
  with_job([](job& each) { each.target_gone(); });
}

session_actor::behavior_type serve_client(session::self_pointer self,
                                          shared_origin from,
                                          std::shared_ptr<client> to) {
  return self->state.behavior(std::move(from), std::move(to));
}

} // namespace troupe::gateway
