#include "runtime/compile/explain_listing.hpp"
#include "runtime/compile/explain_words.hpp"

#include <linux/filter.h>
#include <sys/resource.h>

namespace troupe::plan {

namespace {

using where::container;

std::string limit(std::uint64_t x) {
  return x == RLIM_INFINITY ? "unlimited" : std::to_string(x);
}

std::string say(const rlimit& x) {
  return std::string{rlimit_word(x.resource)} + " soft " + limit(x.soft)
         + ", hard " + limit(x.hard);
}

/// One part per distinct set: `CAP_KILL (bounding, permitted), none (ambient)`.
std::string say(const capability_sets& x) {
  struct named {
    std::string_view name;
    std::uint64_t mask;
  };
  std::vector<named> left{{"bounding", x.bounding},
                          {"permitted", x.permitted},
                          {"effective", x.effective},
                          {"inheritable", x.inheritable},
                          {"ambient", x.ambient}};
  std::string out;
  while (!left.empty()) {
    const auto mask = left.front().mask;
    std::string names;
    std::erase_if(left, [&](const named& each) {
      if (each.mask == mask)
        names.append(names.empty() ? "" : ", ").append(each.name);
      return each.mask == mask;
    });
    out.append(out.empty() ? "" : "; ").append(names);
    out.append(": ").append(capability_words(mask));
  }
  return out;
}

/// `0-3,7`
std::string say(const std::vector<std::uint32_t>& numbers) {
  std::string out;
  for (std::size_t i = 0, next = 0; i != numbers.size(); i = next) {
    for (next = i + 1;
         next != numbers.size() && numbers[next] == numbers[next - 1] + 1;)
      ++next;
    out.append(out.empty() ? "" : ",").append(std::to_string(numbers[i]));
    if (next - i > 1)
      out.append("-").append(std::to_string(numbers[next - 1]));
  }
  return out;
}

std::string say(const scheduler& x) {
  return std::string{scheduler_word(x.policy)} + ", nice "
         + std::to_string(x.nice) + ", priority " + std::to_string(x.priority)
         + (x.runtime == 0
              ? ""
              : ", runtime " + std::to_string(x.runtime) + " ns, deadline "
                  + std::to_string(x.deadline) + " ns, period "
                  + std::to_string(x.period) + " ns");
}

std::string say_io_priority(std::int32_t x) {
  constexpr auto class_shift = 13;
  return std::string{io_class_word(x >> class_shift)} + ", level "
         + std::to_string(x & ((1 << class_shift) - 1));
}

void add_surroundings(const process_attributes& x, listing& to) {
  if (!x.keyring.empty())
    to.add(phase::keyring, 0, container, "join session keyring " + x.keyring);
  const auto& memory = x.memory_policy;
  if (memory.set)
    to.add(
      phase::memory_policy, 0, container,
      "take memory by " + memory_policy_words(memory.mode)
        + (memory.nodes.empty() ? "" : " from nodes " + say(memory.nodes)));
  if (x.set_personality)
    to.add(phase::personality, 0, container,
           x.personality == 0 ? "personality LINUX" : "personality LINUX32");
}

void add_priorities(const process_attributes& x, listing& to) {
  if (!x.final_cpus.empty())
    to.add(phase::cpu_affinity, 1, container,
           "run on CPUs " + say(x.final_cpus));
  if (x.io_priority >= 0)
    to.add(phase::io_priority, 0, container,
           "I/O priority " + say_io_priority(x.io_priority));
  if (x.scheduler.set)
    to.add(phase::scheduler, 0, container, "schedule as " + say(x.scheduler));
}

void add_labels(const process_attributes& x, listing& to) {
  if (!x.apparmor_profile.empty())
    to.add(phase::label, 0, container,
           "execute under AppArmor profile " + x.apparmor_profile);
  if (!x.selinux_label.empty())
    to.add(phase::label, 1, container,
           "execute with SELinux label " + x.selinux_label);
}

void add_identity(const process& x, listing& to) {
  auto user = "become uid " + std::to_string(x.uid) + ", gid "
              + std::to_string(x.gid);
  for (std::size_t i = 0; i != x.groups.size(); ++i)
    user += (i == 0 ? ", groups " : " ") + std::to_string(x.groups[i]);
  if (x.umask >= 0)
    user += ", umask " + octal(static_cast<std::uint32_t>(x.umask));
  to.add(phase::user, 0, container, std::move(user));
}

void add_capabilities(const process& x, listing& to) {
  if (x.capabilities.set)
    to.add(phase::capabilities, 0, container, say(x.capabilities));
}

void add_seccomp(const seccomp_filter& x, listing& to) {
  if (x.program.empty())
    return;
  const auto count = x.program.size() / sizeof(sock_filter);
  to.add(phase::seccomp, 0, container,
         "install a filter of " + std::to_string(count) + " instructions");
  if (!x.listener_path.empty())
    to.add(phase::seccomp, 1, container,
           "hand its notifications to " + x.listener_path);
}

/// Without no_new_privs a filter needs CAP_SYS_ADMIN, seccomp(2): it comes
/// before the last capabilities go. Otherwise it comes as late as it can.
void add_rights(const process& x, listing& to) {
  const auto privileged = !x.no_new_privileges;
  if (privileged && !x.capabilities.set)
    add_seccomp(x.seccomp, to);
  add_identity(x, to);
  to.add(phase::cwd, 0, container, "change directory to " + x.cwd);
  if (privileged && x.capabilities.set)
    add_seccomp(x.seccomp, to);
  add_capabilities(x, to);
  if (privileged)
    return;
  to.add(to_string(phase::capabilities), container, "set no_new_privs",
         "/process/noNewPrivileges");
  add_seccomp(x.seccomp, to);
}

} // namespace

void add_process(const process& x, listing& to) {
  if (x.args.empty())
    return;
  add_surroundings(x.attributes, to);
  add_priorities(x.attributes, to);
  add_labels(x.attributes, to);
  to.each(phase::rlimit, container, x.rlimits,
          [](const auto& each) { return say(each); });
  add_rights(x, to);
  to.add(phase::exec, 0, container,
         "execute " + command_line(x.args)
           + (x.env.empty() ? "" : ", env " + redacted(x.env)));
}

} // namespace troupe::plan
