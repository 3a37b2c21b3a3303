#include "actors/container_state.hpp"
#include "actors/shim_calls.hpp"
#include "runtime/linux/proc_info.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

/// What looks at a container and does not change it.
namespace troupe {

using lifecycle::status;

namespace {

/// More than anyone reads; every pid costs three small files.
constexpr std::size_t most_processes = 4096;

msg::process_info info_of(sys::process_info x) {
  return {x.pid,
          x.ppid,
          x.uid,
          std::string{x.state},
          x.cpu_ms,
          x.rss,
          std::move(x.command)};
}

} // namespace

caf::result<msg::process_list> container_state::processes() {
  if (!lifecycle::has_process(now.status) || now.status == status::creating)
    return to_caf(wrong_state("list processes of",
                              "it is " + std::string{to_string(now.status)}));
  auto pids = std::vector<pid_t>{now.pid};
  if (control) {
    auto all = control->processes();
    if (!all)
      return to_caf(std::move(all).error().during(about("list processes of")));
    pids = *std::move(all);
  }
  pids.resize(std::min(pids.size(), most_processes));
  auto out = msg::process_list{};
  for (const auto pid : pids)
    if (auto info = sys::read_process(pid)) // One that is gone is no process.
      out.all.push_back(info_of(*std::move(info)));
  return out;
}

caf::result<msg::stats> container_state::stats() {
  if (now.status == status::creating || now.status == status::destroyed)
    return to_caf(wrong_state("read counters of",
                              "it is " + std::string{to_string(now.status)}));
  if (!control)
    return to_caf({fault::unsupported, 0,
                   about("read counters of") + ": it has no cgroup"});
  const auto read = control->read();
  if (!read)
    return to_caf(failure{read.error()}.during(about("read counters of")));
  auto out = msg::stats{};
  out.id = now.id;
  out.read = now_ns();
  out.cpu_usage_ns = read->cpu_usage_ns;
  out.cpu_user_ns = read->cpu_user_ns;
  out.cpu_system_ns = read->cpu_system_ns;
  out.cpu_periods = read->cpu_periods;
  out.cpu_throttled_periods = read->cpu_throttled_periods;
  out.cpu_throttled_ns = read->cpu_throttled_ns;
  out.memory_usage = read->memory_usage;
  out.memory_max_usage = read->memory_max_usage;
  out.memory_limit = read->memory_limit;
  out.memory_cache = read->memory_cache;
  out.memory_failcnt = read->memory_failcnt;
  out.oom_kills = read->oom_kills;
  out.pids_current = read->pids_current;
  out.pids_limit = read->pids_limit;
  return out;
}

caf::result<msg::done> container_state::attach(const msg::attach& x) {
  if (now.status == status::creating || now.status == status::destroyed
      || now.status == status::checkpointed)
    return to_caf(
      wrong_state("attach to", "it is " + std::string{to_string(now.status)}));
  auto reply = self->make_response_promise<msg::done>();
  call(shim::attach{0, now.id, x.with_stdin, x.with_output}, {x.socket},
       shim_patience, [reply](const outcome& attached) mutable {
         if (attached)
           reply.deliver(msg::done{});
         else
           reply.deliver(to_caf(attached.error()));
       });
  return reply;
}

} // namespace troupe
