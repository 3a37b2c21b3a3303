#include "runtime/launch/attributes.hpp"

#include "runtime/linux/keyring.hpp"
#include "runtime/linux/memory_policy.hpp"
#include "runtime/linux/sched.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/personality.h>
#include <unistd.h>

namespace troupe::launch {

namespace {

/// AppArmor has a directory of its own since Linux 5.8; before, it shared the
/// files with the other modules.
result<sys::unique_fd> open_apparmor(const sys::private_proc& proc,
                                     const std::string& self) {
  auto file = proc.open_file(self + "/attr/apparmor/exec", O_WRONLY);
  if (file || file.error().os_errno != ENOENT)
    return file;
  return proc.open_file(self + "/attr/exec", O_WRONLY);
}

outcome write_label(const sys::unique_fd& file, const std::string& label) {
  if (::write(file.get(), label.data(), label.size())
      != static_cast<ssize_t>(label.size()))
    return fail_os(errno, "write label", label);
  return {};
}

outcome set_priorities(const plan::process_attributes& x, progress& at) {
  at = {plan::phase::cpu_affinity, 1};
  if (!x.final_cpus.empty())
    TROUPE_CHECK(sys::set_affinity(x.final_cpus));
  at = {plan::phase::io_priority, 0};
  if (x.io_priority >= 0)
    TROUPE_CHECK(sys::set_io_priority(x.io_priority));
  at = {plan::phase::scheduler, 0};
  const auto& how = x.scheduler;
  if (how.set)
    TROUPE_CHECK(
      sys::set_scheduling({how.policy, how.flags, how.nice, how.priority,
                           how.runtime, how.deadline, how.period}));
  return {};
}

} // namespace

bool wants_labels(const plan::process_attributes& x) noexcept {
  return !x.apparmor_profile.empty() || !x.selinux_label.empty();
}

result<label_files>
open_label_files(const plan::process_attributes& x,
                 const std::optional<sys::private_proc>& proc, progress& at) {
  label_files out;
  const auto self = std::to_string(::getpid());
  at = {plan::phase::label, 0};
  if (!x.apparmor_profile.empty()) {
    TROUPE_TRY(out.apparmor, open_apparmor(*proc, self));
  }
  at.index = 1;
  if (!x.selinux_label.empty()) {
    TROUPE_TRY(out.selinux, proc->open_file(self + "/attr/exec", O_WRONLY));
  }
  return out;
}

outcome set_attributes(const plan::process_attributes& x, progress& at) {
  at = {plan::phase::keyring, 0};
  if (!x.keyring.empty())
    TROUPE_CHECK(sys::join_session_keyring(x.keyring));
  at = {plan::phase::memory_policy, 0};
  if (x.memory_policy.set)
    TROUPE_CHECK(
      sys::set_memory_policy(x.memory_policy.mode, x.memory_policy.nodes));
  at = {plan::phase::personality, 0};
  if (x.set_personality && ::personality(x.personality) < 0)
    return fail_os(errno, "personality", std::to_string(x.personality));
  return set_priorities(x, at);
}

outcome set_labels(const plan::process_attributes& x, const label_files& files,
                   progress& at) {
  at = {plan::phase::label, 0};
  if (files.apparmor)
    TROUPE_CHECK(write_label(files.apparmor, "exec " + x.apparmor_profile));
  at.index = 1;
  if (files.selinux)
    TROUPE_CHECK(write_label(files.selinux, x.selinux_label));
  return {};
}

} // namespace troupe::launch
