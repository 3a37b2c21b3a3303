#include "bench/harness/oom_notice.hpp"

#include "bench/harness/clock.hpp"
#include "runtime/cgroup/writes.hpp"
#include "runtime/probe/host.hpp"

#include <poll.h>
#include <utility>

namespace troupe::bench {

namespace {

constexpr auto patience_ms = 30'000;

} // namespace

result<oom_notice> oom_notice::open(const std::string& path) {
  const auto in = cgroup::cgroup_at(sys::probe_host("/"), path);
  TROUPE_TRY(auto notice, cgroup::open_control(in)->watch_oom());
  if (!notice.fd)
    return fail(fault::unsupported, "this host has no memory controller");
  return oom_notice{std::move(notice)};
}

result<std::int64_t> oom_notice::wait() const {
  pollfd fd{notice_.fd.get(), static_cast<short>(notice_.epoll_events), 0};
  if (::poll(&fd, 1, patience_ms) != 1)
    return fail(fault::timed_out, "no OOM");
  return now_ns();
}

} // namespace troupe::bench
