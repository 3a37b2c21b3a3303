#include "bench/floor/writer.hpp"

#include <algorithm>
#include <cstring>
#include <linux/capability.h>
#include <sys/prctl.h>

namespace troupe::floor {

namespace {

std::vector<char*> pointers(const std::vector<std::string>& from,
                            std::deque<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(from.size() + 1);
  for (const auto& x : from)
    out.push_back(texts.emplace_back(x).data());
  out.push_back(nullptr);
  return out;
}

} // namespace

/// The last capability is asked for here: a needless prctl each would be no
/// floor.
void writer::bounding() {
  const auto keep_set = plan_.process.capabilities.bounding;
  for (auto n = 0U; n < 64; ++n)
    if ((keep_set >> n & 1U) == 0 && ::prctl(PR_CAPBSET_READ, n, 0, 0, 0) == 1)
      inside({.what = op::drop_bounding, .n = n});
}

void writer::identity() {
  const auto& process = plan_.process;
  inside({.what = op::groups});
  const auto other = process.uid != 0 && process.capabilities.set;
  if (other)
    inside({.what = op::keep_rights, .n = 1});
  if (process.gid != 0)
    inside({.what = op::group, .n = process.gid});
  if (process.uid != 0)
    inside({.what = op::user, .n = process.uid});
}

outcome writer::process() {
  const auto& process = plan_.process;
  const auto& sets = process.capabilities;
  if (!process.args.front().starts_with('/'))
    return fail(fault::unsupported, "the floor looks for no program on PATH");
  const auto& filter = process.seccomp;
  if (filter.program.size() % sizeof(sock_filter) != 0)
    return fail(fault::invalid_config, "seccomp: filter of a wrong size");
  out_.filter.resize(filter.program.size() / sizeof(sock_filter));
  std::memcpy(out_.filter.data(), filter.program.data(), filter.program.size());
  out_.groups.assign(process.groups.begin(), process.groups.end());
  out_.effective = sets.effective;
  out_.permitted = sets.permitted;
  out_.inheritable = sets.inheritable;
  out_.args = pointers(process.args, out_.texts);
  auto env = process.env;
  if (std::ranges::none_of(
        env, [](const auto& x) { return x.starts_with("HOME="); }))
    env.emplace_back("HOME=/");
  out_.env = pointers(env, out_.texts);

  if (!process.attributes.keyring.empty())
    inside({.what = op::keyring, .a = keep(process.attributes.keyring)});
  if (!process.oom_score_adj.empty())
    // Before the pivot would do, too: the container's own procfs is as good.
    write(out_.inside, "/proc/self/oom_score_adj", keep(process.oom_score_adj));
  for (const auto& x : process.rlimits) {
    inside({.what = op::limit,
            .n = static_cast<unsigned long>(x.resource),
            .m = out_.limits.size()});
    out_.limits.push_back({x.soft, x.hard});
  }
  inside(
    {.what = op::file_mask,
     .n = static_cast<unsigned long>(process.umask < 0 ? 022 : process.umask)});
  if (sets.set)
    bounding();
  if (!filter.program.empty() && !process.no_new_privileges)
    inside({.what = op::seccomp, .n = filter.flags});
  identity();
  inside({.what = op::working_dir, .a = keep(process.cwd)});
  if (sets.set)
    inside({.what = op::capabilities});
  for (auto n = 0U; n < 64; ++n)
    if (sets.set && (sets.ambient >> n & 1U) != 0)
      inside({.what = op::raise_ambient, .n = n});
  if (process.no_new_privileges) {
    inside({.what = op::no_new_rights});
    if (!filter.program.empty())
      inside({.what = op::seccomp, .n = filter.flags});
  }
  inside({.what = op::execute});
  return {};
}

} // namespace troupe::floor
