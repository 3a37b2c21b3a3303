#include "runtime/cgroup/pressure.hpp"

#include "config/oci/pressure_trigger.hpp"
#include "runtime/cgroup/tree.hpp"
#include "runtime/linux/file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <linux/capability.h>
#include <string>
#include <unistd.h>

namespace troupe::cgroup {

namespace {

constexpr std::int64_t ordinary_window_us = 2'000'000;

bool may_have_any_window(const plan::host_facts& host) {
  return (host.permitted_capabilities >> CAP_SYS_RESOURCE & 1U) != 0;
}

} // namespace

result<std::vector<plan::cgroup_write>>
plan_triggers(const oci::spec& spec, const plan::cgroup& in,
              const plan::host_facts& host) {
  std::vector<plan::cgroup_write> out;
  const auto asked = spec.annotations.find(std::string{pressure_annotation});
  if (asked == spec.annotations.end())
    return out;
  const auto pointer = "/annotations/" + asked->first;
  auto triggers = parse_pressure_triggers(asked->second);
  if (!triggers)
    return fail(std::move(triggers).error().during(pointer));
  const auto v2 = std::ranges::find_if(in.dirs, is_v2);
  if (!host.pressure || v2 == in.dirs.end())
    return fail(fault::unsupported,
                pointer
                  + ": this host does not tell the pressure of a cgroup: it "
                    "needs cgroup v2, and a kernel with PSI (psi=1)");
  for (const auto& each : *triggers) {
    if (!may_have_any_window(host) && each.window_us % ordinary_window_us != 0)
      return fail(
        fault::unsupported,
        pointer
          + ": without CAP_SYS_RESOURCE, which troupe lacks here, the "
            "kernel takes only windows of 2s, 4s, 6s...");
    out.push_back({static_cast<std::uint32_t>(v2 - in.dirs.begin()),
                   each.resource + ".pressure", to_kernel_text(each), pointer});
  }
  return out;
}

result<sys::unique_fd> open_trigger(const plan::cgroup& in,
                                    const plan::cgroup_write& trigger) {
  const auto path = directory_of(in.dirs.at(trigger.dir)) + "/" + trigger.file;
  TROUPE_TRY(auto out,
             sys::open_file(AT_FDCWD, path, O_RDWR | O_NONBLOCK | O_CLOEXEC));
  // With the final null, as the kernel's example has it.
  if (::write(out.get(), trigger.value.c_str(), trigger.value.size() + 1) < 0)
    return fail_os(errno, "write " + trigger.value + " to", path);
  return out;
}

} // namespace troupe::cgroup
