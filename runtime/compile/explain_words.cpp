#include "runtime/compile/explain_words.hpp"

#include "config/oci/words.hpp"
#include "runtime/compile/attribute_words.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <linux/mount.h>
#include <memory>
#include <sched.h>
#include <sys/capability.h>
#include <sys/mount.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

namespace troupe::plan {

namespace {

struct flag_word {
  std::uint64_t flag;
  std::string_view word;
};

constexpr std::array namespace_table{
  flag_word{CLONE_NEWUSER, "user"},   flag_word{CLONE_NEWPID, "pid"},
  flag_word{CLONE_NEWNET, "network"}, flag_word{CLONE_NEWIPC, "ipc"},
  flag_word{CLONE_NEWUTS, "uts"},     flag_word{CLONE_NEWCGROUP, "cgroup"},
  flag_word{CLONE_NEWTIME, "time"},   flag_word{CLONE_NEWNS, "mount"},
};

struct attribute_word {
  std::uint64_t flag;
  std::string_view set;
  std::string_view cleared; ///< Also the recursive word, behind an `r`.
};

constexpr std::array attribute_table{
  attribute_word{MOUNT_ATTR_RDONLY, "ro", "rw"},
  attribute_word{MOUNT_ATTR_NOSUID, "nosuid", "suid"},
  attribute_word{MOUNT_ATTR_NOEXEC, "noexec", "exec"},
  attribute_word{MOUNT_ATTR_NODEV, "nodev", "dev"},
  attribute_word{MOUNT_ATTR_NODIRATIME, "nodiratime", "diratime"},
  attribute_word{MOUNT_ATTR_NOSYMFOLLOW, "nosymfollow", "symfollow"},
};

// An access time mode is a number in the field MOUNT_ATTR__ATIME, not a bit;
// relatime is 0 and the field stands in `clear` whenever a mode is chosen.
constexpr std::array access_time_table{
  flag_word{MOUNT_ATTR_RELATIME, "relatime"},
  flag_word{MOUNT_ATTR_NOATIME, "noatime"},
  flag_word{MOUNT_ATTR_STRICTATIME, "strictatime"},
};

constexpr std::array propagation_table{
  flag_word{MS_SHARED, "shared"},
  flag_word{MS_SLAVE, "slave"},
  flag_word{MS_PRIVATE, "private"},
  flag_word{MS_UNBINDABLE, "unbindable"},
};

void append(std::string& to, std::string_view separator,
            std::string_view word) {
  if (!to.empty() && !word.empty())
    to += separator;
  to += word;
}

void append_attributes(std::string& to, std::string_view prefix,
                       std::uint64_t set, std::uint64_t clear) {
  for (const auto& row : attribute_table) {
    if ((set & row.flag) != 0)
      append(to, ",", std::string{prefix}.append(row.set));
    else if ((clear & row.flag) != 0)
      append(to, ",", std::string{prefix}.append(row.cleared));
  }
  if ((clear & MOUNT_ATTR__ATIME) == 0)
    return;
  for (const auto& row : access_time_table)
    if ((set & MOUNT_ATTR__ATIME) == row.flag)
      append(to, ",", std::string{prefix}.append(row.word));
}

std::string capability_word(int number) {
  const std::unique_ptr<char, int (*)(void*)> name{cap_to_name(number),
                                                   cap_free};
  auto out = name ? std::string{name.get()} : std::to_string(number);
  std::ranges::transform(out, out.begin(), [](unsigned char x) {
    return static_cast<char>(std::toupper(x));
  });
  return out;
}

constexpr std::uint64_t all_known = (std::uint64_t{2} << CAP_LAST_CAP) - 1;

} // namespace

std::string namespace_words(std::uint64_t flags) {
  std::string out;
  for (const auto& row : namespace_table)
    if ((flags & row.flag) != 0)
      append(out, ", ", row.word);
  return out;
}

std::string capability_words(std::uint64_t mask) {
  if (mask == 0)
    return "none";
  if (mask == all_known)
    return "all " + std::to_string(CAP_LAST_CAP + 1);
  std::string out;
  for (auto number = 0; number != 64; ++number)
    if ((mask >> static_cast<unsigned>(number) & 1U) != 0)
      append(out, ", ", capability_word(number));
  return out;
}

std::string_view rlimit_word(std::int32_t resource) {
  const auto index = static_cast<std::size_t>(resource);
  return index < oci::words::rlimits.size() ? oci::words::rlimits[index]
                                            : "RLIMIT_?";
}

std::string_view scheduler_word(std::uint32_t policy) {
  const auto row = std::ranges::find(numbers::policies, policy,
                                     &numbers::number_of::number);
  return row == numbers::policies.end() ? "SCHED_?" : row->word;
}

std::string_view io_class_word(std::int32_t io_class) {
  const auto row = std::ranges::find(numbers::io_classes,
                                     static_cast<std::uint32_t>(io_class),
                                     &numbers::number_of::number);
  return row == numbers::io_classes.end() ? "IOPRIO_CLASS_?" : row->word;
}

std::string memory_policy_words(std::uint32_t mode) {
  std::string out;
  for (const auto& row : numbers::memory_flags)
    if ((mode & row.number) != 0) {
      append(out, ", ", row.word);
      mode &= ~row.number;
    }
  const auto row = std::ranges::find(numbers::memory_modes, mode,
                                     &numbers::number_of::number);
  const auto word = row == numbers::memory_modes.end() ? "MPOL_?" : row->word;
  return out.empty() ? std::string{word} : std::string{word} + ", " + out;
}

std::string propagation_word(std::uint64_t flags) {
  for (const auto& row : propagation_table)
    if ((flags & row.flag) != 0)
      return std::string{(flags & MS_REC) != 0 ? "r" : ""}.append(row.word);
  return {};
}

std::string mount_words(const mount& x) {
  std::string out = x.recursive ? "rbind" : "";
  append_attributes(out, "", x.attr_set, x.attr_clear);
  append_attributes(out, "r", x.rec_attr_set, x.rec_attr_clear);
  const auto recursive = x.propagation_recursive ? std::uint64_t{MS_REC}
                                                 : std::uint64_t{0};
  append(out, ",", propagation_word(x.propagation | recursive));
  for (const auto& each : x.data)
    if (each != "ro" || (x.attr_set & MOUNT_ATTR_RDONLY) == 0) // once is enough
      append(out, ",", each);
  append(out, ",", x.copy_up ? "tmpcopyup" : "");
  append(out, ",",
         x.idmap == mount_idmap::single      ? "idmap"
         : x.idmap == mount_idmap::recursive ? "ridmap"
                                             : "");
  return out;
}

std::string redacted(const std::vector<std::string>& env) {
  std::string out;
  for (const auto& each : env)
    append(out, " ", each.substr(0, each.find('=')) + "=…");
  return out;
}

std::string octal(std::uint32_t mode) {
  char digits[12];
  const auto end = std::to_chars(digits, digits + sizeof digits, mode, 8).ptr;
  return "0" + std::string(digits, end);
}

std::string command_line(const std::vector<std::string>& args) {
  std::string out;
  for (const auto& each : args) {
    const auto plain = !each.empty()
                       && each.find_first_of(" \t'\"") == std::string::npos;
    append(out, " ", plain ? each : "'" + each + "'");
  }
  return out;
}

} // namespace troupe::plan
