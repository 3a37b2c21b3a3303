#include "actors/gateway/body.hpp"
#include "actors/gateway/handlers.hpp"
#include "actors/gateway/jobs.hpp"
#include "actors/gateway/targets.hpp"
#include "actors/shim_calls.hpp"

#include <csignal>

namespace troupe::gateway {

namespace {

/// What a call asks for, with the descriptors that come along.
result<msg::create_exec> request_of(const call& x) {
  TROUPE_TRY(auto out, parse_create_exec(x.from.body));
  if (out.preserve_fds > 0) {
    TROUPE_TRY(
      out.preserved.all,
      descriptors_of(x.from.peer, 3, static_cast<int>(out.preserve_fds)));
  }
  return out;
}

} // namespace

outcome create_exec(session& in, const call& x) {
  TROUPE_TRY(auto what, request_of(x));
  with_container(
    in, x, [&in, what = std::move(what)](const msg::container_found& y) {
      in.ask<msg::exec_created>(
        y.container, patience::creating(what, *in.with().settings.now()), what,
        [&in](const msg::exec_created& made) {
          in.answer({201, render(made.now)});
        });
    });
  return {};
}

outcome run_exec(session& in, const call& x) {
  TROUPE_TRY(auto what, request_of(x));
  if (what.open_stdin || what.tty)
    return fail(fault::invalid_config,
                "/open_stdin, /tty: nobody is there to use them");
  if (what.capture == 0)
    what.capture = usual_capture;
  with_container(in, x,
                 [&in, what = std::move(what)](const msg::container_found& y) {
                   run_and_capture(in, y, what);
                 });
  return {};
}

outcome show_exec(session& in, const call& x) {
  with_exec(in, x, [&in](const msg::exec_created& found) {
    in.answer({200, render(found.now)});
  });
  return {};
}

outcome remove_exec(session& in, const call& x) {
  TROUPE_TRY(const auto force, x.parameters.flag("force"));
  return forward_to_exec(in, x, patience::removing, msg::remove{force});
}

outcome start_exec(session& in, const call& x) {
  return forward_to_exec(in, x, patience::launching(*in.with().settings.now()),
                         msg::start{});
}

outcome kill_exec(session& in, const call& x) {
  TROUPE_TRY(const auto signo, x.parameters.signal("signal", SIGKILL));
  return forward_to_exec(in, x, patience::signalling, msg::kill{signo, false});
}

outcome wait_for_exec(session& in, const call& x) {
  with_exec(in, x,
            [&in](const msg::exec_created& found) { wait_for(in, found); });
  return {};
}

outcome stop_exec(session& in, const call& x) {
  const std::chrono::milliseconds usual{in.with().settings->stop_timeout_ms};
  TROUPE_TRY(const auto grace, x.parameters.seconds("timeout", usual));
  TROUPE_TRY(const auto signo, x.parameters.signal("signal", SIGTERM));
  return forward_to_exec(in, x, patience::stopping(grace),
                         msg::stop{signo, grace});
}

outcome attach_exec(session& in, const call& x) {
  TROUPE_TRY(auto with, parse_attach(x));
  if (!can_upgrade(in, x))
    return {};
  with_exec(
    in, x,
    [&in, with = std::move(with)](const msg::exec_created& found) mutable {
      if (found.now.status == msg::exec_status::stopped) {
        in.refuse({fault::wrong_state, 0,
                   "attach exec session " + found.now.id + ": it is stopped"});
        return;
      }
      attach_to(in, found.session, std::move(with));
    });
  return {};
}

outcome resize_exec(session& in, const call& x) {
  TROUPE_TRY(const auto size, terminal_size_of(x));
  return forward_to_exec<msg::done>(in, x, patience::lookup, size);
}

} // namespace troupe::gateway
