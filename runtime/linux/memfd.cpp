#include "runtime/linux/memfd.hpp"

#include "runtime/linux/file.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

// Linux 6.3; older headers (Debian 12's libc) lack them.
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

namespace troupe::sys {

namespace {

constexpr auto all_seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW
                           | F_SEAL_WRITE;

// Kernels before 6.3 refuse the flag with EINVAL, and need none: there every
// memfd is executable.
result<unique_fd> create(const std::string& name, unsigned exec_flag) {
  constexpr auto flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  unique_fd fd{::memfd_create(name.c_str(), flags | exec_flag)};
  if (!fd && errno == EINVAL)
    fd.reset(::memfd_create(name.c_str(), flags));
  if (!fd)
    return fail_os(errno, "memfd_create", name);
  return fd;
}

outcome seal(int fd, const std::string& name) {
  if (::fcntl(fd, F_ADD_SEALS, all_seals) != 0)
    return fail_os(errno, "fcntl F_ADD_SEALS", name);
  return {};
}

outcome copy_all(int to, int from, const std::string& path) {
  constexpr std::size_t chunk = 1U << 20U;
  for (;;) {
    const auto n = ::sendfile(to, from, nullptr, chunk);
    if (n == 0)
      return {};
    if (n < 0 && errno != EINTR)
      return fail_os(errno, "sendfile", path);
  }
}

outcome read_all(int fd, std::vector<std::uint8_t>& into) {
  std::size_t have = 0;
  while (have < into.size()) {
    // pread: the descriptor's offset is shared with the sender's.
    const auto n = ::pread(fd, into.data() + have, into.size() - have,
                           static_cast<off_t>(have));
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return fail_os(errno, "pread", "memfd");
    if (n == 0)
      return fail(fault::os, "pread memfd: shorter than its size");
    have += static_cast<std::size_t>(n);
  }
  return {};
}

} // namespace

result<unique_fd> sealed_memfd(const std::string& name,
                               std::span<const std::uint8_t> content) {
  TROUPE_TRY(auto fd, create(name, MFD_NOEXEC_SEAL));
  const std::string_view text{reinterpret_cast<const char*>(content.data()),
                              content.size()};
  if (const auto did = write_all(fd.get(), text); did.os_errno != 0)
    return fail_os(did.os_errno, "write memfd", name);
  TROUPE_CHECK(seal(fd.get(), name));
  return fd;
}

result<unique_fd> plain_memfd(const std::string& name) {
  return create(name, MFD_NOEXEC_SEAL);
}

result<unique_fd> sealed_copy(const std::string& name,
                              const std::string& path) {
  // O_NONBLOCK: opening a fifo would wait for who writes to it.
  TROUPE_TRY(const auto from, open_file(AT_FDCWD, path, O_RDONLY | O_NONBLOCK));
  struct stat info {};
  if (::fstat(from.get(), &info) != 0)
    return fail_os(errno, "fstat", path);
  if (!S_ISREG(info.st_mode))
    return fail(fault::invalid_config, path + ": not a regular file");
  TROUPE_TRY(auto fd, create(name, MFD_EXEC));
  TROUPE_CHECK(copy_all(fd.get(), from.get(), path));
  if (::fchmod(fd.get(), 0500) != 0)
    return fail_os(errno, "fchmod", name);
  TROUPE_CHECK(seal(fd.get(), name));
  return fd;
}

outcome check_sealed(int fd) {
  constexpr auto wanted = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
  const auto seals = ::fcntl(fd, F_GET_SEALS);
  if (seals < 0)
    return fail_os(errno, "fcntl F_GET_SEALS", "memfd");
  if ((seals & wanted) != wanted)
    return fail(fault::invalid_config, "memfd: not sealed against change");
  return {};
}

result<std::vector<std::uint8_t>> read_sealed(int fd, std::size_t limit) {
  TROUPE_CHECK(check_sealed(fd));
  struct stat info {};
  if (::fstat(fd, &info) != 0)
    return fail_os(errno, "fstat", "memfd");
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size > limit)
    return fail(fault::invalid_config, "memfd: " + std::to_string(size)
                                         + " bytes, at most "
                                         + std::to_string(limit) + " allowed");
  std::vector<std::uint8_t> content(size);
  TROUPE_CHECK(read_all(fd, content));
  return content;
}

} // namespace troupe::sys
