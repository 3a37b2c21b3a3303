#include "runtime/oci/container.hpp"

#include "config/base/container_id.hpp"
#include "runtime/cgroup/cgroup.hpp"
#include "runtime/linux/file.hpp"
#include "runtime/linux/pidfd.hpp"
#include "runtime/linux/proc_info.hpp"
#include "runtime/linux/seqpacket.hpp"
#include "runtime/oci/lock.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <unistd.h>

namespace troupe::oci_runtime {

namespace {

constexpr std::array<std::string_view, 5> names{"creating", "created",
                                                "running", "paused", "stopped"};
static_assert(names.size() == static_cast<std::size_t>(status::stopped) + 1);

/// The state file is written after the fact: only init itself knows whether
/// somebody has started it since.
bool waits_for_start(const store::directory& in, const std::string& id) {
  const auto directory = open_directory(in, id);
  if (!directory)
    return false;
  return sys::seqpacket_is_bound(start_socket(directory->get()))
    .value_or(false);
}

bool is_frozen(const plan::cgroup& in) {
  if (in.mode == plan::cgroup_mode::none)
    return false;
  const auto state = cgroup::open_control(in)->state();
  return state && *state != cgroup::freeze_state::thawed;
}

status status_of(const store::directory& in, const container& x) {
  const auto& said = x.state.status;
  if (!x.is_alive())
    return said == state_creating && is_locked(in, x.state.id)
             ? status::creating
             : status::stopped;
  if (said == state_creating)
    return status::creating;
  if (is_frozen(x.plan.cgroup))
    return status::paused;
  return said == state_created && waits_for_start(in, x.state.id)
           ? status::created
           : status::running;
}

/// `not_found` if there is no directory; else what is wrong with its files.
failure damage(const store::directory& in, const std::string& id, failure why) {
  if (why.code == fault::not_found
      && ::access(in.path_of(id).c_str(), F_OK) != 0)
    return {fault::not_found, 0, "container does not exist"};
  why.code = fault::invalid_config;
  why.what += "; 'delete --force' removes what is left of it";
  return std::move(why).during("container " + id + " is damaged");
}

} // namespace

std::string_view to_string(status x) noexcept {
  return names[static_cast<std::size_t>(x)];
}

result<std::uint64_t> start_time(pid_t pid) {
  TROUPE_TRY(
    const auto stat,
    sys::read_file(AT_FDCWD, "/proc/" + std::to_string(pid) + "/stat"));
  TROUPE_TRY(const auto info, sys::parse_stat(stat));
  return info.start;
}

sys::unique_fd open_same_process(pid_t pid, std::uint64_t start) {
  if (pid <= 0)
    return {};
  auto pidfd = sys::open_pidfd(pid);
  if (!pidfd)
    return {};
  // In this order: whoever has the pid now, the descriptor is of it or of
  // somebody who has ended before.
  const auto now = start_time(pid);
  if (!now || *now != start || sys::has_ended(pidfd->get()))
    return {};
  return *std::move(pidfd);
}

result<sys::unique_fd> open_directory(const store::directory& in,
                                      const std::string& id) {
  TROUPE_CHECK(checked_id(id));
  return sys::open_file(AT_FDCWD, in.path_of(id), O_PATH | O_DIRECTORY);
}

std::string start_socket(int directory) {
  return "/proc/self/fd/" + std::to_string(directory) + "/start.sock";
}

result<container> look(const store::directory& in, const std::string& id) {
  TROUPE_CHECK(checked_id(id));
  container out;
  auto state = in.read_state(id);
  if (!state)
    return fail(damage(in, id, std::move(state).error()));
  out.state = *std::move(state);
  auto plan = in.read_plan(id);
  if (!plan)
    return fail(damage(in, id, std::move(plan).error()));
  out.plan = *std::move(plan);
  out.init = open_same_process(out.state.pid, out.state.pid_start);
  out.status = status_of(in, out);
  return out;
}

result<container> look_in_passing(const store::directory& in,
                                  const std::string& id) {
  auto found = look(in, id);
  if (found || found.error().code == fault::not_found)
    return found;
  // A hook, which must not wait for its own launch, does not come here: its
  // container's files are complete.
  TROUPE_TRY(const auto held, lock(in, id, sharing::shared));
  return look(in, id);
}

result<std::vector<listed>> look_at_all(const store::directory& in) {
  std::vector<std::string> ids;
  auto error = std::error_code{};
  for (const auto& each : std::filesystem::directory_iterator{in.path(), error})
    if (auto id = each.path().filename().string(); checked_id(id))
      ids.push_back(std::move(id));
  if (error && error != std::errc::no_such_file_or_directory)
    return fail_os(error.value(), "list", in.path());
  std::ranges::sort(ids);
  std::vector<listed> out;
  for (auto& id : ids) {
    auto found = look_in_passing(in, id);
    if (found || found.error().code != fault::not_found)
      out.push_back({std::move(id), std::move(found)});
  }
  return out;
}

} // namespace troupe::oci_runtime
