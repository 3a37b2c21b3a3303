#include "runtime/cgroup/device_bpf.hpp"
#include "runtime/linux/file.hpp"

#include <cerrno>
#include <cstring>
#include <sys/syscall.h>
#include <unistd.h>

namespace troupe::cgroup {

namespace {

/// Programs that `directory` may have of itself, one of ours and a few of a
/// manager's; more are E2BIG.
constexpr auto max_attached = std::size_t{64};

/// A whole zeroed `union bpf_attr`, always: kernels from 6.17 write back past a
/// short one.
bpf_attr blank() noexcept {
  bpf_attr out;
  std::memset(&out, 0, sizeof out);
  return out;
}

result<int> call_bpf(int command, bpf_attr& arguments, std::string_view name) {
  const auto got = ::syscall(SYS_bpf, command, &arguments, sizeof arguments);
  if (got < 0)
    return fail_os(errno, "bpf", name);
  return static_cast<int>(got);
}

std::uint64_t address(const void* at) {
  return reinterpret_cast<std::uintptr_t>(at);
}

/// BPF descriptors are O_CLOEXEC from birth, bpf(2).
result<sys::unique_fd> load(const std::vector<bpf_insn>& program) {
  auto arguments = blank();
  arguments.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  arguments.expected_attach_type = BPF_CGROUP_DEVICE;
  arguments.insns = address(program.data());
  arguments.insn_cnt = static_cast<std::uint32_t>(program.size());
  arguments.license = address("GPL");
  TROUPE_TRY(const auto fd, call_bpf(BPF_PROG_LOAD, arguments, "prog_load"));
  return sys::unique_fd{fd};
}

result<std::vector<std::uint32_t>> attached(int directory) {
  auto ids = std::vector<std::uint32_t>(max_attached);
  auto arguments = blank();
  arguments.query.target_fd = static_cast<std::uint32_t>(directory);
  arguments.query.attach_type = BPF_CGROUP_DEVICE;
  arguments.query.prog_ids = address(ids.data());
  arguments.query.prog_cnt = static_cast<std::uint32_t>(ids.size());
  TROUPE_CHECK(call_bpf(BPF_PROG_QUERY, arguments, "prog_query"));
  ids.resize(arguments.query.prog_cnt);
  return ids;
}

outcome attach(int directory, int program) {
  auto arguments = blank();
  arguments.target_fd = static_cast<std::uint32_t>(directory);
  arguments.attach_bpf_fd = static_cast<std::uint32_t>(program);
  arguments.attach_type = BPF_CGROUP_DEVICE;
  // With others beside it, so that a cgroup manager inside the container (or
  // above us) can have its own; all of them must allow.
  arguments.attach_flags = BPF_F_ALLOW_MULTI;
  TROUPE_CHECK(call_bpf(BPF_PROG_ATTACH, arguments, "prog_attach"));
  return {};
}

outcome detach(int directory, std::uint32_t id) {
  auto arguments = blank();
  arguments.prog_id = id;
  TROUPE_TRY(const auto fd,
             call_bpf(BPF_PROG_GET_FD_BY_ID, arguments, "prog_get_fd_by_id"));
  const auto program = sys::unique_fd{fd};
  arguments = blank();
  arguments.target_fd = static_cast<std::uint32_t>(directory);
  arguments.attach_bpf_fd = static_cast<std::uint32_t>(program.get());
  arguments.attach_type = BPF_CGROUP_DEVICE;
  TROUPE_CHECK(call_bpf(BPF_PROG_DETACH, arguments, "prog_detach"));
  return {};
}

} // namespace

outcome attach_device_program(const std::string& directory,
                              const std::vector<bpf_insn>& program) {
  TROUPE_TRY(const auto dir,
             sys::open_file(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY));
  TROUPE_TRY(const auto loaded, load(program));
  TROUPE_TRY(const auto before, attached(dir.get()));
  TROUPE_CHECK(attach(dir.get(), loaded.get()));
  for (const auto id : before) // old and new at once are stricter, never laxer
    TROUPE_CHECK(detach(dir.get(), id));
  return {};
}

} // namespace troupe::cgroup
