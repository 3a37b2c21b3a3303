#pragma once

#include "runtime/plan/launch_plan.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// The numbers of a plan as the words that people know them by.
namespace troupe::plan {

/// CLONE_NEW* as `user, pid, network`.
[[nodiscard]] std::string namespace_words(std::uint64_t flags);

/// `CAP_CHOWN, CAP_KILL`; `none`; `all 41`, the numbers up to the last known.
[[nodiscard]] std::string capability_words(std::uint64_t mask);

/// `RLIMIT_NOFILE`.
[[nodiscard]] std::string_view rlimit_word(std::int32_t resource);

/// `SCHED_FIFO`.
[[nodiscard]] std::string_view scheduler_word(std::uint32_t policy);

/// `IOPRIO_CLASS_BE`.
[[nodiscard]] std::string_view io_class_word(std::int32_t io_class);

/// `MPOL_BIND, MPOL_F_STATIC_NODES`.
[[nodiscard]] std::string memory_policy_words(std::uint32_t mode);

/// MS_PRIVATE | MS_REC as `rprivate`; "" for 0.
[[nodiscard]] std::string propagation_word(std::uint64_t flags);

/// Attributes, propagation and data as in config.json:
/// `nosuid,noexec,nodev,mode=755`.
[[nodiscard]] std::string mount_words(const mount& x);

/// `KEY=…` for each variable: values may be secrets.
[[nodiscard]] std::string redacted(const std::vector<std::string>& env);

/// A mode as `0644`.
[[nodiscard]] std::string octal(std::uint32_t mode);

/// Words joined by spaces; one with a space or nothing in it is quoted.
[[nodiscard]] std::string command_line(const std::vector<std::string>& args);

} // namespace troupe::plan
