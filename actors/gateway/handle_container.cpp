#include "actors/gateway/body.hpp"
#include "actors/gateway/handlers.hpp"
#include "actors/gateway/jobs.hpp"
#include "actors/gateway/targets.hpp"

#include <csignal>

namespace troupe::gateway {

outcome list_containers(session& in, const call& x) {
  TROUPE_TRY(const auto all, x.parameters.flag("all"));
  in.ask<msg::snapshots>(in.supervisor(), patience::lookup,
                         msg::list_containers{},
                         [&in, all](const msg::snapshots& reply) {
                           in.answer({200, in.lists().render(reply, all)});
                         });
  return {};
}

outcome create_container(session& in, const call& x) {
  TROUPE_TRY(auto what, parse_create_container(x.from.body));
  if (what.log.driver == "passthrough") {
    TROUPE_TRY(what.stdio.all, descriptors_of(x.from.peer, 0, 3));
  }
  forward<msg::snapshot>(in, in.supervisor(),
                         patience::creating(*in.with().settings.now()),
                         std::move(what), 201);
  return {};
}

/// From the supervisor's picture: a container that is stuck cannot hold it up.
outcome show_container(session& in, const call& x) {
  with_container(in, x, [&in](const msg::container_found& found) {
    in.answer({200, render(found.now)});
  });
  return {};
}

outcome remove_container(session& in, const call& x) {
  TROUPE_TRY(const auto force, x.parameters.flag("force"));
  return forward_to_container(in, x, patience::removing, msg::remove{force});
}

outcome start_container(session& in, const call& x) {
  return forward_to_container(
    in, x, patience::launching(*in.with().settings.now()), msg::start{});
}

outcome stop_container(session& in, const call& x) {
  const std::chrono::milliseconds usual{in.with().settings->stop_timeout_ms};
  TROUPE_TRY(const auto grace, x.parameters.seconds("timeout", usual));
  TROUPE_TRY(const auto signo, x.parameters.signal("signal", SIGTERM));
  return forward_to_container(in, x, patience::stopping(grace),
                              msg::stop{signo, grace});
}

outcome kill_container(session& in, const call& x) {
  TROUPE_TRY(const auto signo, x.parameters.signal("signal", SIGKILL));
  TROUPE_TRY(const auto all, x.parameters.flag("all"));
  return forward_to_container(in, x, patience::signalling,
                              msg::kill{signo, all});
}

outcome pause_container(session& in, const call& x) {
  return forward_to_container(
    in, x, patience::freezing(*in.with().settings.now()), msg::pause{});
}

outcome unpause_container(session& in, const call& x) {
  return forward_to_container(
    in, x, patience::freezing(*in.with().settings.now()), msg::resume{});
}

outcome update_container(session& in, const call& x) {
  return forward_to_container(in, x, patience::updating,
                              msg::update{x.from.body});
}

outcome wait_for_container(session& in, const call& x) {
  with_container(
    in, x, [&in](const msg::container_found& found) { wait_for(in, found); });
  return {};
}

outcome attach_container(session& in, const call& x) {
  TROUPE_TRY(auto with, parse_attach(x));
  if (!can_upgrade(in, x))
    return {};
  with_container(
    in, x,
    [&in, with = std::move(with)](const msg::container_found& found) mutable {
      const msg::snapshot& now = found.now;
      if (!lifecycle::has_process(now.status)) {
        in.refuse({fault::wrong_state, 0,
                   "attach container " + now.id + ": it is "
                     + std::string{lifecycle::to_string(now.status)}});
        return;
      }
      attach_to(in, found.container, std::move(with));
    });
  return {};
}

outcome reopen_log(session& in, const call& x) {
  return forward_to_container<msg::done>(in, x, patience::lookup,
                                         msg::reopen_log{});
}

outcome resize_container(session& in, const call& x) {
  TROUPE_TRY(const auto size, terminal_size_of(x));
  return forward_to_container<msg::done>(in, x, patience::lookup, size);
}

} // namespace troupe::gateway
