#include "actors/container_state.hpp"
#include "actors/shim_calls.hpp"
#include "runtime/linux/host_cpu.hpp"
#include "runtime/linux/net_counters.hpp"
#include "runtime/linux/proc_info.hpp"
#include "runtime/shim/protocol/frames.hpp"

#include <algorithm>
#include <cstddef>
#include <sys/socket.h>
#include <utility>

/// What looks at a container and does not change it.
namespace troupe {

using lifecycle::status;

namespace {

/// More than anyone reads; every pid costs three small files.
constexpr std::size_t most_processes = 4096;

msg::process_info info_of(sys::process_info x) {
  return {x.pid,    x.ppid, x.inner_pid,         x.uid, std::string{x.state},
          x.cpu_ms, x.rss,  std::move(x.command)};
}

/// The last frame of an attach stream (shim/protocol/frames.hpp). A client of
/// another framing sees the stream's end alone.
void tell_end(int socket, const msg::snapshot& x) {
  const auto status = shim::status_text(x.exit_code, x.exit_signal);
  const auto header = shim::make_header(
    shim::frame_stream::status, static_cast<std::uint32_t>(status.size()));
  const auto frame = std::string{header.begin(), header.end()} + status;
  static_cast<void>(
    ::send(socket, frame.data(), frame.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
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
  auto used = control->read();
  if (!used)
    return to_caf(std::move(used).error().during(about("read counters of")));
  msg::stats out{
    now.id, now_ns(), *std::move(used), {}, sys::read_host_cpu(), now.output};
  if (now.pid != 0 && plan::has_own_network(plan->namespaces))
    if (auto read = sys::read_net_counters(now.pid)) // else it has just ended
      out.network = *std::move(read);
  return out;
}

caf::result<msg::done> container_state::attach(const msg::attach& x) {
  if (now.status == status::creating || now.status == status::destroyed
      || now.status == status::checkpointed)
    return to_caf(
      wrong_state("attach to", "it is " + std::string{to_string(now.status)}));
  auto reply = self->make_response_promise<msg::done>();
  call(shim::attach{0, now.id, x.with_stdin, x.with_output, x.framing,
                    x.when_full, x.replay},
       {x.socket}, shim_patience,
       [this, x, reply](const outcome& attached) mutable {
         if (attached) {
           reply.deliver(msg::done{});
           return;
         }
         // It has ended in the same moment, and the shim need not know it any
         // more: the client hears of the end from us.
         if (now.status == status::stopped && x.socket
             && x.framing == shim::framing::frames)
           tell_end(x.socket->get(), now);
         reply.deliver(to_caf(attached.error()));
       });
  return reply;
}

caf::result<msg::done>
container_state::resize_terminal(const msg::resize_terminal& x) {
  if (!lifecycle::has_process(now.status))
    return to_caf(wrong_state("resize the terminal of",
                              "it is " + std::string{to_string(now.status)}));
  return ask_shim(self, with->shim, shim::resize{0, now.id, x.rows, x.cols},
                  {});
}

caf::result<msg::done> container_state::reopen_log() {
  if (!lifecycle::has_process(now.status))
    return to_caf(wrong_state("reopen the log of",
                              "it is " + std::string{to_string(now.status)}));
  return ask_shim(self, with->shim, shim::reopen_log{0, now.id}, {});
}

} // namespace troupe
