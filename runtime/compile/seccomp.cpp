#include "config/base/recent.hpp"
#include "runtime/compile/compile.hpp"
#include "runtime/compile/pointer.hpp"
#include "runtime/compile/seccomp_ranges.hpp"
#include "runtime/compile/seccomp_words.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <linux/filter.h>
#include <memory>
#include <mutex>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/stat.h>

namespace troupe::plan {

namespace {

struct release {
  void operator()(void* filter) const noexcept {
    seccomp_release(filter);
  }
};

using filter_ptr = std::unique_ptr<void, release>;

constexpr std::string_view root = "/linux/seccomp";

/// libseccomp answers with a negative errno.
tl::unexpected<failure> fail_seccomp(int error, std::string_view pointer,
                                     std::string_view call,
                                     std::string_view subject) {
  return fail(os_failure(-error, call, subject).during(pointer));
}

outcome add_architectures(void* filter, const oci::seccomp& profile) {
  // The native one is in the filter from the start and stays there, listed or
  // not: without it the container's first system call would kill it.
  const auto& names = profile.architectures;
  for (std::size_t i = 0; i != names.size(); ++i) {
    const auto pointer = at("/linux/seccomp/architectures", i);
    TROUPE_TRY(const auto token, architecture_of(names[i], pointer));
    const auto error = seccomp_arch_add(filter, token);
    if (error != 0 && error != -EEXIST)
      return fail_seccomp(error, pointer, "seccomp_arch_add", names[i]);
  }
  return {};
}

outcome add(void* filter, std::uint32_t action, int number,
            const std::string& name, std::span<const scmp_arg_cmp> conditions,
            const std::string& pointer) {
  const auto error = seccomp_rule_add_array(
    filter, action, number, static_cast<unsigned>(conditions.size()),
    conditions.data());
  // A system call may be named twice, and may be absent on one of the
  // architectures.
  if (error != 0 && error != -EEXIST)
    return fail_seccomp(error, pointer, "seccomp_rule_add", name);
  return {};
}

/// libseccomp takes each argument once per rule. Several conditions on one
/// argument become rules of their own, of which any may match, as runc has it.
bool repeats_an_argument(const std::vector<scmp_arg_cmp>& conditions) {
  auto seen = 0U;
  for (const auto& x : conditions) {
    if ((seen & 1U << x.arg) != 0)
      return true;
    seen |= 1U << x.arg;
  }
  return false;
}

outcome add_rule(void* filter, const oci::seccomp_rule& rule,
                 std::uint32_t default_action, const std::string& pointer) {
  TROUPE_TRY(const auto action,
             action_of(rule.action, rule.errno_ret, pointer + "/action",
                       pointer + "/errnoRet"));
  if (action == default_action)
    return {}; // libseccomp refuses rules that change nothing
  TROUPE_TRY(const auto conditions,
             conditions_of(rule.args, pointer + "/args"));
  for (const auto& name : rule.names) {
    const auto number = seccomp_syscall_resolve_name(name.c_str());
    // Profiles are written for every kernel and architecture; a call that
    // this libseccomp does not know gets the default action.
    if (number == __NR_SCMP_ERROR)
      continue;
    if (!repeats_an_argument(conditions)) {
      TROUPE_CHECK(add(filter, action, number, name, conditions, pointer));
      continue;
    }
    for (const auto& each : conditions)
      TROUPE_CHECK(add(filter, action, number, name, {&each, 1}, pointer));
  }
  return {};
}

/// libseccomp 2.5 exports to a descriptor only. A private memfd is the one
/// system call of the compiler; it changes nothing that others can see.
result<bytes> exported(void* filter) {
  const sys::unique_fd fd{::memfd_create("troupe-seccomp", MFD_CLOEXEC)};
  if (!fd)
    return fail_os(errno, "memfd_create", "troupe-seccomp");
  if (const auto error = seccomp_export_bpf(filter, fd.get()); error != 0)
    return fail_seccomp(error, root, "seccomp_export_bpf", "");
  struct stat about {};
  if (::fstat(fd.get(), &about) != 0)
    return fail_os(errno, "fstat", "troupe-seccomp");
  const auto count = static_cast<std::size_t>(about.st_size)
                     / sizeof(sock_filter);
  if (count > BPF_MAXINSNS)
    return fail(fault::invalid_config, std::string{root} + ": a filter of "
                                         + std::to_string(count)
                                         + " instructions, the kernel takes "
                                         + std::to_string(BPF_MAXINSNS));
  bytes out(static_cast<std::size_t>(about.st_size));
  const auto got = ::pread(fd.get(), out.data(), out.size(), 0);
  if (got != about.st_size)
    return fail_os(got < 0 ? errno : EIO, "pread", "troupe-seccomp");
  return out;
}

/// The listener is told only of what is used (config-linux.md, listenerPath).
bool notifies(const oci::seccomp& profile) {
  constexpr std::string_view notify = "SCMP_ACT_NOTIFY";
  return profile.default_action == notify
         || std::ranges::find(profile.syscalls, notify,
                              &oci::seccomp_rule::action)
              != profile.syscalls.end();
}

result<seccomp_filter> compiled(const oci::seccomp& profile) {
  TROUPE_TRY(const auto default_action,
             action_of(profile.default_action, profile.default_errno_ret,
                       "/linux/seccomp/defaultAction",
                       "/linux/seccomp/defaultErrnoRet"));
  seccomp_filter out;
  const auto listens = notifies(profile);
  TROUPE_TRY(out.flags,
             flags_of(profile.flags, listens, "/linux/seccomp/flags"));
  if (listens) {
    out.listener_path = profile.listener_path;
    out.listener_metadata = profile.listener_metadata;
  }
  const filter_ptr filter{seccomp_init(default_action)};
  if (!filter)
    return fail(fault::unsupported,
                "/linux/seccomp/defaultAction: " + profile.default_action
                  + " is refused by libseccomp");
  TROUPE_CHECK(add_architectures(filter.get(), profile));
  // Level 2 is a binary tree over the numbers (libseccomp 2.5): a call costs
  // the logarithm of the profile's length. Older ones keep their linear list.
  static_cast<void>(
    seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2));
  for (std::size_t i = 0; i != profile.syscalls.size(); ++i)
    TROUPE_CHECK(add_rule(filter.get(), profile.syscalls[i], default_action,
                          at("/linux/seccomp/syscalls", i)));
  TROUPE_TRY(const auto program, exported(filter.get()));
  out.program = in_ranges(program);
  return out;
}

/// A host's containers share a handful of profiles, and one costs tens of
/// milliseconds.
constexpr std::size_t kept_filters = 64;

} // namespace

result<seccomp_filter> compile_seccomp(const oci::seccomp& profile) {
  static std::mutex mutex;
  static recent<oci::seccomp, seccomp_filter> filters{kept_filters};
  const std::lock_guard guard{mutex};
  if (const auto* const known = filters.find(profile))
    return *known;
  TROUPE_TRY(auto filter, compiled(profile));
  return filters.keep(profile, std::move(filter));
}

} // namespace troupe::plan
