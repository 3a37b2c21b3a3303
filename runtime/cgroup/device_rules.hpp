#pragma once

#include "config/base/result.hpp"
#include "config/oci/spec.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Device rules in the form that both cgroup versions share: no wildcard type
/// with a number, no empty access. Source: config-linux.md "Allowed Device
/// list", kernel Documentation/admin-guide/cgroup-v1/devices.rst.
namespace troupe::cgroup {

/// Access bits as BPF_DEVCG_ACC_* has them, linux/bpf.h.
inline constexpr std::uint8_t device_mknod = 1;
inline constexpr std::uint8_t device_read = 2;
inline constexpr std::uint8_t device_write = 4;
inline constexpr std::uint8_t device_all = 7;

/// One rule. Type `a` stands for every device and all access: it settles the
/// default and voids the rules before it.
struct device_line {
  bool allow = false;
  char type = 'a';                    ///< `a`, `b` or `c`.
  std::optional<std::uint32_t> major; ///< Absent: any.
  std::optional<std::uint32_t> minor;
  std::uint8_t access = device_all;
  std::uint32_t source = 0; ///< Index of the spec's rule; ~0: a default's.
  friend bool operator==(const device_line&, const device_line&) = default;
};

/// The spec's rules followed, where they deny by default, by the devices that
/// every container must have (config-linux.md "Default Devices").
[[nodiscard]] result<std::vector<device_line>>
device_lines(const std::vector<oci::device_rule>& rules);

/// Fails for a rule that v1 would silently ignore: its list can't take one
/// device out of a range, nor a range that holds a listed one.
[[nodiscard]] outcome check_v1_list(const std::vector<device_line>& lines);

/// "c 1:3 rwm", as v1's devices.allow and devices.deny read it.
[[nodiscard]] std::string to_string(const device_line& line);

/// Reads lines of "allow c 1:3 rwm" and "deny a *:* rwm": what `to_text` wrote.
[[nodiscard]] result<std::vector<device_line>> from_text(std::string_view text);
[[nodiscard]] std::string to_text(const std::vector<device_line>& lines);

} // namespace troupe::cgroup
