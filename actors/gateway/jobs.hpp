#pragma once

#include "actors/gateway/query.hpp"
#include "actors/gateway/session.hpp"
#include "config/base/clock.hpp"
#include "runtime/log/reader.hpp"

#include <memory>
#include <string>

/// The calls whose answer takes its time: waits and streams.
namespace troupe::gateway {

/// Answers when the container has ended.
void wait_for(session& in, const msg::container_found& target);

/// Answers when the exec session has ended.
void wait_for(session& in, const msg::exec_created& target);

/// Bytes of stdout, and of stderr, that `run_and_capture` keeps unless told.
inline constexpr auto usual_capture = std::int64_t{16} << 20;

/// libpod's and CRI's execSync: runs it to its end and answers with how it
/// ended and what it wrote. Whoever hangs up ends it.
void run_and_capture(session& in, const msg::container_found& target,
                     const msg::create_exec& what);

struct event_request {
  msg::read_events from;
  bool follow = false;
};

/// What `since`, `follow`, `type` and `container` say.
[[nodiscard]] result<event_request> parse_event_request(const query& x);

/// One JSON object a line: the events that match, and with `follow` new ones
/// until a watched actor is gone.
void stream_events(session& in, event_request what);

/// One JSON object a line, `first` and then one each second, until the
/// container ends.
void stream_stats(session& in, const msg::container_found& target,
                  const msg::stats& first);

/// One JSON object a line, with what every running container uses; one now and
/// one each second.
void stream_usage(session& in);

struct log_request {
  log::read_options from;
  bool follow = false;
  bool raw = false; ///< The processes' bytes instead of CRI lines.
};

/// The container's log; with `follow` until it has ended and all is read.
[[nodiscard]] outcome stream_log(session& in,
                                 const msg::container_found& target,
                                 const log_request& what);

} // namespace troupe::gateway
