#include "config/base/quote.hpp"
#include "runtime/compile/attribute_words.hpp"
#include "runtime/compile/facilities.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace troupe::plan {

namespace {

template <std::size_t N>
result<std::uint32_t> look_up(const std::array<numbers::number_of, N>& table,
                              const std::string& word,
                              const std::string& pointer) {
  const auto row = std::ranges::find(table, word, &numbers::number_of::word);
  if (row == table.end())
    return fail(fault::invalid_config, pointer + ": found " + quote(word)
                                         + ", which is no word for it");
  return row->number;
}

template <std::size_t N>
result<std::uint32_t>
look_up_all(const std::array<numbers::number_of, N>& table,
            const std::vector<std::string>& words, const std::string& pointer) {
  std::uint32_t out = 0;
  for (const auto& each : words) {
    TROUPE_TRY(const auto flag, look_up(table, each, pointer));
    out |= flag;
  }
  return out;
}

/// Adds the numbers of `7`, `0-3` or `0-31:2/4`: two of each group of four.
bool add_range(std::string_view text, std::uint32_t end,
               std::vector<std::uint32_t>& to) {
  std::array<std::uint32_t, 4> x{0, 0, 1, 1}; // first, last, used, group
  constexpr std::string_view separators = "-:/";
  std::size_t count = 0;
  for (;; text.remove_prefix(1)) {
    const auto* const stop = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), stop, x[count]);
    if (error != std::errc{})
      return false;
    text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
    if (text.empty())
      break;
    if (count == separators.size() || text.front() != separators[count++])
      return false;
  }
  if (count == 0)
    x[1] = x[0];
  if (count == 2 || x[1] < x[0] || x[1] >= end || x[3] == 0)
    return false;
  for (auto i = x[0]; i <= x[1]; ++i)
    if ((i - x[0]) % x[3] < x[2])
      to.push_back(i);
  return true;
}

/// The numbers of a list like `0-3,7`, each below `end`.
result<std::vector<std::uint32_t>>
list_of(std::string_view list, std::uint32_t end, const std::string& pointer) {
  std::vector<std::uint32_t> out;
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    if (!add_range(list.substr(0, comma), end, out))
      return fail(fault::invalid_config,
                  pointer + ": expected a list of numbers below "
                    + std::to_string(end) + " and ranges like 0-3,7, found "
                    + quote(list));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

constexpr std::uint32_t most_cpus = 8192;  // CONFIG_NR_CPUS
constexpr std::uint32_t most_nodes = 1024; // CONFIG_NODES_SHIFT

result<scheduler> compile_scheduler(const oci::scheduler& from,
                                    const std::string& pointer) {
  scheduler out;
  out.set = true;
  TROUPE_TRY(out.policy,
             look_up(numbers::policies, from.policy, pointer + "/policy"));
  TROUPE_TRY(out.flags, look_up_all(numbers::scheduler_flags, from.flags,
                                    pointer + "/flags"));
  out.nice = from.nice.value_or(0);
  out.priority = static_cast<std::uint32_t>(from.priority.value_or(0));
  out.runtime = from.runtime.value_or(0);
  out.deadline = from.deadline.value_or(0);
  out.period = from.period.value_or(0);
  return out;
}

outcome add_cpus(const oci::exec_cpu_affinity& from, const std::string& pointer,
                 process_attributes& to) {
  TROUPE_TRY(to.initial_cpus,
             list_of(from.initial, most_cpus, pointer + "/initial"));
  TROUPE_TRY(to.final_cpus, list_of(from.final, most_cpus, pointer + "/final"));
  return {};
}

result<memory_policy> compile_memory_policy(const oci::memory_policy& from) {
  const std::string pointer{"/linux/memoryPolicy"};
  memory_policy out;
  out.set = true;
  TROUPE_TRY(out.mode,
             look_up(numbers::memory_modes, from.mode, pointer + "/mode"));
  TROUPE_TRY(const auto flags, look_up_all(numbers::memory_flags, from.flags,
                                           pointer + "/flags"));
  out.mode |= flags;
  TROUPE_TRY(out.nodes, list_of(from.nodes, most_nodes, pointer + "/nodes"));
  return out;
}

} // namespace

result<process_attributes> compile_attributes(const oci::process& from,
                                              std::string_view pointer,
                                              bool is_session,
                                              const host_facts& host) {
  const std::string at{pointer};
  process_attributes out;
  if (from.scheduler) {
    TROUPE_TRY(out.scheduler,
               compile_scheduler(*from.scheduler, at + "/scheduler"));
  }
  if (from.io_priority) {
    constexpr auto class_shift = 13;
    TROUPE_TRY(const auto io_class,
               look_up(numbers::io_classes, from.io_priority->io_class,
                       at + "/ioPriority/class"));
    out.io_priority = static_cast<std::int32_t>(io_class << class_shift)
                      | from.io_priority->priority;
  }
  // "Not applicable to the container's init process", config.md.
  if (is_session && from.exec_cpu_affinity)
    TROUPE_CHECK(
      add_cpus(*from.exec_cpu_affinity, at + "/execCPUAffinity", out));
  if (host.apparmor)
    out.apparmor_profile = from.apparmor_profile;
  out.selinux_label = from.selinux_label;
  return out;
}

outcome add_attributes(const oci::linux_config& from, const std::string& id,
                       process_attributes& to) {
  if (from.personality) {
    to.set_personality = true;
    TROUPE_TRY(to.personality,
               look_up(numbers::personalities, from.personality->domain,
                       "/linux/personality/domain"));
  }
  if (from.memory_policy) {
    TROUPE_TRY(to.memory_policy, compile_memory_policy(*from.memory_policy));
  }
  to.keyring = "_ses." + id;
  return {};
}

} // namespace troupe::plan
