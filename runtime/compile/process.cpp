#include "config/base/quote.hpp"
#include "config/oci/words.hpp"
#include "runtime/compile/facilities.hpp"
#include "runtime/compile/pointer.hpp"

#include <algorithm>
#include <sys/resource.h>

namespace troupe::plan {

namespace {

static_assert(oci::words::rlimits.size() == RLIM_NLIMITS);
static_assert(oci::words::rlimits[RLIMIT_NOFILE] == "RLIMIT_NOFILE",
              "the numbers differ on this architecture");

constexpr std::int32_t default_umask = 022;

result<std::vector<rlimit>> rlimits(const std::vector<oci::rlimit>& limits,
                                    std::string_view pointer) {
  std::vector<rlimit> out;
  for (std::size_t i = 0; i != limits.size(); ++i) {
    auto origin = at(std::string{pointer} + "/rlimits", i);
    const auto& x = limits[i];
    const auto name = std::ranges::find(oci::words::rlimits, x.type);
    if (name == oci::words::rlimits.end())
      return fail(fault::invalid_config, origin + "/type: found "
                                           + quote(x.type) + ", expected "
                                           + joined(oci::words::rlimits));
    const auto resource = name - oci::words::rlimits.begin();
    out.push_back(
      {static_cast<std::int32_t>(resource), x.soft, x.hard, std::move(origin)});
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
                                std::string_view pointer, std::uint64_t granted,
                                warnings& to) {
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
