#include "actors/gateway/body.hpp"
#include "actors/gateway/handlers.hpp"
#include "actors/gateway/jobs.hpp"
#include "actors/gateway/targets.hpp"

#include <caf/send.hpp>

#include <csignal>

namespace troupe::gateway {

outcome create_exec(session& in, const call& x) {
  TROUPE_TRY(auto what, parse_create_exec(x.from.body));
  with_container(
    in, x, [&in, what = std::move(what)](const msg::container_found& y) {
      in.ask<msg::exec_created>(y.container,
                                patience::launching(in.with().settings), what,
                                [&in](const msg::exec_created& made) {
                                  in.answer({201, render(made.now)});
                                });
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
  return forward_to_exec(in, x, patience::launching(in.with().settings),
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

outcome attach_exec(session& in, const call& x) {
  TROUPE_TRY(const auto with_stdin, x.parameters.flag("stdin"));
  TROUPE_TRY(const auto raw, x.parameters.flag("raw"));
  if (!can_upgrade(in, x))
    return {};
  with_exec(in, x, [&in, with_stdin, raw](const msg::exec_created& found) {
    if (found.now.status == msg::exec_status::stopped) {
      in.refuse({fault::wrong_state, 0,
                 "attach exec session " + found.now.id + ": it is stopped"});
      return;
    }
    // In the gateway's thread, for the reason given in attach_container.
    in.upgrade([to = found.session, with_stdin, raw](msg::shared_fd socket) {
      caf::anon_send(to, msg::attach{std::move(socket), with_stdin, true, raw});
    });
  });
  return {};
}

outcome resize_exec(session& in, const call& x) {
  TROUPE_TRY(const auto size, terminal_size_of(x));
  with_exec(in, x, [&in, size](const msg::exec_created& found) {
    in.ask<msg::done>(found.session, patience::lookup, size,
                      [&in](const msg::done&) {
                        in.answer({200, "{}"});
                      });
  });
  return {};
}

} // namespace troupe::gateway
