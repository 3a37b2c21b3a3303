#include "actors/gateway/handlers.hpp"
#include "actors/gateway/jobs.hpp"
#include "actors/gateway/targets.hpp"
#include "runtime/compile/explain.hpp"
#include "runtime/linux/file.hpp"
#include "runtime/plan/launch_plan.hpp"

#include <array>
#include <limits>

namespace troupe::gateway {

namespace {

/// Largest plan.cbor that is read; seccomp programs make most of a plan.
constexpr std::size_t max_plan = 16U << 20U;

result<std::string> explained_plan(const services& with,
                                   const std::string& id) {
  TROUPE_TRY(
    const auto text,
    sys::read_file(AT_FDCWD, with.store.path_of(id) + "/plan.cbor", max_plan));
  TROUPE_TRY(
    const auto plan,
    plan::decode_launch_plan(
      {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}));
  return plan::explain_json(plan);
}

void answer(session& in, result<std::string> with) {
  if (with)
    in.answer({200, *std::move(with)});
  else
    in.refuse(with.error());
}

} // namespace

outcome show_processes(session& in, const call& x) {
  return forward_to_container<msg::process_list>(in, x, patience::reading,
                                                 msg::list_processes{});
}

outcome show_stats(session& in, const call& x) {
  TROUPE_TRY(const auto stream, x.parameters.flag("stream"));
  if (!stream)
    return forward_to_container<msg::stats>(in, x, patience::reading,
                                            msg::read_stats{});
  with_container(in, x, [&in](const msg::container_found& found) {
    in.ask<msg::stats>(found.container, patience::reading, msg::read_stats{},
                       [&in, found](const msg::stats& first) {
                         stream_stats(in, found, first);
                       });
  });
  return {};
}

outcome show_logs(session& in, const call& x) {
  constexpr std::array<std::string_view, 2> formats{"cri", "raw"};
  log_request what;
  TROUPE_TRY(what.follow, x.parameters.flag("follow"));
  TROUPE_TRY(
    what.from.tail,
    x.parameters.natural("tail", std::numeric_limits<std::int64_t>::max()));
  TROUPE_TRY(what.from.since, x.parameters.moment("since"));
  TROUPE_TRY(what.from.until, x.parameters.moment("until"));
  constexpr std::array<std::string_view, 3> streams{"all", "stdout", "stderr"};
  TROUPE_TRY(const auto stream, x.parameters.word("stream", streams));
  if (stream != "all")
    what.from.only = stream == "stderr" ? log::stream::err : log::stream::out;
  TROUPE_TRY(const auto format, x.parameters.word("format", formats));
  what.raw = format == "raw";
  with_container(in, x, [&in, what](const msg::container_found& found) {
    if (auto begun = stream_log(in, found, what); !begun)
      in.refuse(begun.error());
  });
  return {};
}

/// With `follow`, libcontainer's NotifyOOM and more: the stream ends with the
/// container.
outcome show_own_events(session& in, const call& x) {
  TROUPE_TRY(auto what, parse_event_request(x.parameters));
  with_container(in, x, [&in, what](const msg::container_found& found) mutable {
    what.from.container = found.now->id;
    if (what.follow)
      in.watch(found.container);
    stream_events(in, what);
  });
  return {};
}

outcome show_config(session& in, const call& x) {
  with_container(in, x, [&in](const msg::container_found& found) {
    answer(in, in.with().store.read_config(found.now->id));
  });
  return {};
}

outcome show_plan(session& in, const call& x) {
  with_container(in, x, [&in](const msg::container_found& found) {
    answer(in, explained_plan(in.with(), found.now->id));
  });
  return {};
}

} // namespace troupe::gateway
