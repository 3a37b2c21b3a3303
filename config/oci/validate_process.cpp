#include "config/base/quote.hpp"
#include "config/oci/rules.hpp"
#include "config/oci/words.hpp"

#include <algorithm>

namespace troupe::oci::rules {

namespace {

/// 2^32 - 1 is no id: setuid(2) and friends refuse it.
constexpr std::int64_t last_id = 0xffff'fffe;

outcome check_user(const user& x, const pointer& at) {
  TROUPE_CHECK(check_range(at / "uid", x.uid, 0, last_id));
  TROUPE_CHECK(check_range(at / "gid", x.gid, 0, last_id));
  if (x.umask)
    TROUPE_CHECK(check_range(at / "umask", *x.umask, 0, 0777));
  const auto groups = at / "additionalGids";
  for (std::size_t i = 0; i < x.additional_gids.size(); ++i)
    TROUPE_CHECK(check_range(groups / i, x.additional_gids[i], 0, last_id));
  return {};
}

outcome check_rlimits(const std::vector<rlimit>& x, const pointer& at) {
  for (std::size_t i = 0; i < x.size(); ++i) {
    TROUPE_CHECK(check_word(at / i / "type", x[i].type, words::rlimits));
    const auto same = std::ranges::find(x, x[i].type, &rlimit::type);
    if (same != x.begin() + static_cast<std::ptrdiff_t>(i))
      return refuse(at / i / "type", "each type once",
                    quote(x[i].type) + " again");
    if (x[i].soft > x[i].hard)
      return refuse(at / i / "soft",
                    "at most the hard limit, " + std::to_string(x[i].hard),
                    std::to_string(x[i].soft));
  }
  return {};
}

/// The three numbers of SCHED_DEADLINE, sched(7): in ns, at least 1024 and less
/// than 2^63, in this order; a period of 0 means the deadline.
outcome check_deadline(const scheduler& x, const pointer& at) {
  constexpr std::uint64_t least = 1024;
  constexpr auto most = std::uint64_t{1} << 63;
  const auto runtime = x.runtime.value_or(0);
  const auto deadline = x.deadline.value_or(0);
  const auto period = x.period.value_or(0);
  if (runtime < least)
    return refuse(at / "runtime", "at least 1024 ns for SCHED_DEADLINE",
                  std::to_string(runtime));
  if (deadline < runtime || deadline >= most)
    return refuse(at / "deadline", "at least the runtime, less than 2^63",
                  std::to_string(deadline));
  if (period != 0 && (period < deadline || period >= most))
    return refuse(at / "period", "at least the deadline, less than 2^63",
                  std::to_string(period));
  return {};
}

outcome check_no_deadline(const scheduler& x, const pointer& at) {
  struct row {
    std::string_view name;
    const std::optional<std::uint64_t>& value;
  };
  for (const auto& [name, value] :
       {row{"runtime", x.runtime}, row{"deadline", x.deadline},
        row{"period", x.period}})
    if (value.value_or(0) != 0)
      return refuse(at / name, "nothing but for SCHED_DEADLINE",
                    std::to_string(*value) + " for " + x.policy);
  return {};
}

/// Ranges: sched(7).
outcome check_scheduler(const scheduler& x, const pointer& at) {
  TROUPE_CHECK(check_word(at / "policy", x.policy, words::scheduler_policies));
  TROUPE_CHECK(check_words(at / "flags", x.flags, words::scheduler_flags));
  if (x.nice)
    TROUPE_CHECK(check_range(at / "nice", *x.nice, -20, 19));
  const bool real_time = x.policy == "SCHED_FIFO" || x.policy == "SCHED_RR";
  if (real_time)
    TROUPE_CHECK(check_range(at / "priority", x.priority.value_or(0), 1, 99));
  else if (x.priority)
    TROUPE_CHECK(check_range(at / "priority", *x.priority, 0, 0));
  return x.policy == "SCHED_DEADLINE" ? check_deadline(x, at)
                                      : check_no_deadline(x, at);
}

outcome check_io_priority(const io_priority& x, const pointer& at) {
  TROUPE_CHECK(check_word(at / "class", x.io_class, words::io_classes));
  return check_range(at / "priority", x.priority, 0, 7);
}

outcome check_affinity(const exec_cpu_affinity& x, const pointer& at) {
  TROUPE_CHECK(check_cpu_list(at / "initial", x.initial));
  return check_cpu_list(at / "final", x.final);
}

} // namespace

outcome check_process(const process& x, const pointer& at) {
  TROUPE_CHECK(check_absolute(at / "cwd", x.cwd));
  if (x.args.empty())
    return refuse(at / "args", "at least one entry", "none");
  TROUPE_CHECK(check_environment(at / "env", x.env));
  TROUPE_CHECK(check_user(x.user, at / "user"));
  TROUPE_CHECK(check_rlimits(x.rlimits, at / "rlimits"));
  if (x.oom_score_adj)
    TROUPE_CHECK(
      check_range(at / "oomScoreAdj", *x.oom_score_adj, -1000, 1000));
  if (x.scheduler)
    TROUPE_CHECK(check_scheduler(*x.scheduler, at / "scheduler"));
  if (x.io_priority)
    TROUPE_CHECK(check_io_priority(*x.io_priority, at / "ioPriority"));
  if (x.exec_cpu_affinity)
    TROUPE_CHECK(check_affinity(*x.exec_cpu_affinity, at / "execCPUAffinity"));
  return {};
}

} // namespace troupe::oci::rules
