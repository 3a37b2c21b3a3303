#include "runtime/compile/facilities.hpp"
#include "runtime/compile/pointer.hpp"

#include <algorithm>
#include <array>
#include <sys/resource.h>

namespace troupe::plan {

namespace {

struct rlimit_row {
  std::string_view name;
  std::int32_t resource;
};

// getrlimit(2); all that Linux has.
constexpr std::array rlimit_rows{
  rlimit_row{"RLIMIT_AS", RLIMIT_AS},
  rlimit_row{"RLIMIT_CORE", RLIMIT_CORE},
  rlimit_row{"RLIMIT_CPU", RLIMIT_CPU},
  rlimit_row{"RLIMIT_DATA", RLIMIT_DATA},
  rlimit_row{"RLIMIT_FSIZE", RLIMIT_FSIZE},
  rlimit_row{"RLIMIT_LOCKS", RLIMIT_LOCKS},
  rlimit_row{"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
  rlimit_row{"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
  rlimit_row{"RLIMIT_NICE", RLIMIT_NICE},
  rlimit_row{"RLIMIT_NOFILE", RLIMIT_NOFILE},
  rlimit_row{"RLIMIT_NPROC", RLIMIT_NPROC},
  rlimit_row{"RLIMIT_RSS", RLIMIT_RSS},
  rlimit_row{"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
  rlimit_row{"RLIMIT_RTTIME", RLIMIT_RTTIME},
  rlimit_row{"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
  rlimit_row{"RLIMIT_STACK", RLIMIT_STACK},
};
static_assert(rlimit_rows.size() == RLIM_NLIMITS);

constexpr std::int32_t default_umask = 022;

result<std::vector<rlimit>> rlimits(const std::vector<oci::rlimit>& limits,
                                    std::string_view pointer) {
  std::vector<rlimit> out;
  for (std::size_t i = 0; i != limits.size(); ++i) {
    auto origin = at(std::string{pointer} + "/rlimits", i);
    const auto& x = limits[i];
    const auto row = std::ranges::find(rlimit_rows, x.type, &rlimit_row::name);
    if (row == rlimit_rows.end())
      return fail(fault::invalid_config,
                  origin + "/type: found '" + x.type
                    + "', expected a name of getrlimit(2), such as "
                      "RLIMIT_NOFILE");
    out.push_back({row->resource, x.soft, x.hard, std::move(origin)});
  }
  return out;
}

void set_terminal(const oci::process& from, process& to) {
  to.terminal = from.terminal;
  if (!from.terminal || !from.console_size)
    return;
  to.rows = from.console_size->height;
  to.cols = from.console_size->width;
}

void set_user(const oci::user& from, process& to) {
  to.uid = from.uid;
  to.gid = from.gid;
  to.groups = from.additional_gids;
  to.umask = from.umask ? static_cast<std::int32_t>(*from.umask)
                        : default_umask;
}

} // namespace

result<process> compile_process(const oci::process& from,
                                std::string_view pointer,
                                std::uint64_t granted, warnings& to) {
  process out;
  out.args = from.args;
  out.env = from.env;
  out.cwd = from.cwd;
  set_terminal(from, out);
  set_user(from.user, out);
  TROUPE_TRY(out.rlimits, rlimits(from.rlimits, pointer));
  if (from.oom_score_adj)
    out.oom_score_adj = std::to_string(*from.oom_score_adj);
  if (from.capabilities)
    out.capabilities = compile_capabilities(
      *from.capabilities, std::string{pointer} + "/capabilities", granted, to);
  out.no_new_privileges = from.no_new_privileges;
  return out;
}

} // namespace troupe::plan
