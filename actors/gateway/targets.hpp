#pragma once

#include "actors/gateway/patience.hpp"
#include "actors/gateway/render.hpp"
#include "actors/gateway/routes.hpp"
#include "actors/gateway/session.hpp"

#include <caf/send.hpp>

#include <string>
#include <utility>
#include <vector>

/// What handlers share: from the ids in a path to the actors behind them, and
/// from an actor's reply to the answer.
namespace troupe::gateway {

/// Calls `then` with the container_found of the call's container.
template <class Then>
void with_container(session& in, const call& x, Then then) {
  in.ask<msg::container_found>(in.supervisor(), patience::lookup,
                               msg::find_container{x.ids.at(0)},
                               std::move(then));
}

/// Calls `then` with the exec_created of the call's exec session.
template <class Then>
void with_exec(session& in, const call& x, Then then) {
  with_container(in, x,
                 [&in, id = x.ids.at(1), then = std::move(then)](
                   const msg::container_found& found) mutable {
                   in.ask<msg::exec_created>(found.container, patience::lookup,
                                             msg::find_exec{std::move(id)},
                                             std::move(then));
                 });
}

/// Asks `whom` and answers with what it replies.
template <class Reply, class Handle, class Message>
void forward(session& in, const Handle& whom, caf::timespan patience,
             Message what, unsigned status = 200) {
  in.ask<Reply>(whom, patience, std::move(what),
                [&in, status](const Reply& reply) {
                  in.answer({status, render(reply)});
                });
}

/// Asks the call's container and answers with what it replies.
template <class Reply = msg::snapshot, class Message>
outcome forward_to_container(session& in, const call& x, caf::timespan patience,
                             Message what) {
  with_container(in, x, [&in, patience, what](const msg::container_found& y) {
    forward<Reply>(in, y.container, patience, what);
  });
  return {};
}

/// Asks the call's exec session and answers with what it replies.
template <class Reply = msg::exec_snapshot, class Message>
outcome forward_to_exec(session& in, const call& x, caf::timespan patience,
                        Message what) {
  with_exec(in, x, [&in, patience, what](const msg::exec_created& y) {
    forward<Reply>(in, y.session, patience, what);
  });
  return {};
}

/// Descriptors of the client's own process: `count` of them from `first` on.
[[nodiscard]] result<std::vector<msg::shared_fd>>
descriptors_of(std::int32_t client, int first, int count);

/// `rows` and `cols` of a call, which have to be there.
[[nodiscard]] result<msg::resize_terminal> terminal_size_of(const call& x);

/// What `stdin`, `output`, `raw`, `overflow` and `replay` of a call say; its
/// socket comes later.
struct attach_request {
  msg::attach what;
  std::string websocket_key; ///< Empty: a troupe-stream.
};

[[nodiscard]] result<attach_request> parse_attach(const call& x);

/// Checks that the client has asked for an upgrade, and can have one; answers
/// with what is missing, if not.
[[nodiscard]] bool can_upgrade(session& in, const call& x);

/// Upgrades, and hands the socket to `whom`.
///
/// Sent from the gateway's thread, which has not read the client's next request
/// yet: so `whom` hears of the attach before any start that the client sends
/// after its 101, and no output is missed.
template <class Handle>
void attach_to(session& in, const Handle& whom, attach_request with) {
  in.upgrade(std::move(with.websocket_key),
             [whom, what = std::move(with.what)](msg::shared_fd socket) {
               auto out = what;
               out.socket = std::move(socket);
               caf::anon_send(whom, std::move(out));
             });
}

} // namespace troupe::gateway
