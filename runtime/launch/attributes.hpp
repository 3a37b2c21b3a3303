#pragma once

#include "runtime/launch/progress.hpp"
#include "runtime/linux/proc.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <optional>

/// What few processes ask for: plan::process_attributes.
namespace troupe::launch {

/// Files of the calling process that the labels of its next program go to.
struct label_files {
  sys::unique_fd apparmor;
  sys::unique_fd selinux;
};

[[nodiscard]] bool wants_labels(const plan::process_attributes& x) noexcept;

/// Opened while a procfs of our own can still be had; no label, no file.
[[nodiscard]] result<label_files>
open_label_files(const plan::process_attributes& x,
                 const std::optional<sys::private_proc>& proc, progress& at);

/// Session keyring, memory policy, personality, CPUs and priorities: while the
/// process still has the rights that some of them need.
[[nodiscard]] outcome set_attributes(const plan::process_attributes& x,
                                     progress& at);

/// Tells the security modules what the next execve(2) leads to.
[[nodiscard]] outcome set_labels(const plan::process_attributes& x,
                                 const label_files& files, progress& at);

} // namespace troupe::launch
