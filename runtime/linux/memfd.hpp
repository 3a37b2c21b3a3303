#pragma once

#include "config/base/result.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace troupe::sys {

/// A memfd with `content`, sealed against every change (F_SEAL_WRITE, GROW,
/// SHRINK, SEAL), memfd_create(2). CLOEXEC.
[[nodiscard]] result<unique_fd>
sealed_memfd(const std::string& name, std::span<const std::uint8_t> content);

/// The same from the regular file `path`, executable (MFD_EXEC where the kernel
/// has it).
[[nodiscard]] result<unique_fd> sealed_copy(const std::string& name,
                                            const std::string& path);

/// An empty memfd to write to.
[[nodiscard]] result<unique_fd> plain_memfd(const std::string& name);

/// Refuses a memfd that is not sealed against every change of its content.
[[nodiscard]] outcome check_sealed(int fd);

/// Reads a memfd whole; one that is not sealed against writing, or larger than
/// `limit` bytes, is refused.
[[nodiscard]] result<std::vector<std::uint8_t>>
read_sealed(int fd, std::size_t limit = 16U << 20U);

} // namespace troupe::sys
