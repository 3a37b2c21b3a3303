#include "runtime/cgroup/usage.hpp"

#include "runtime/cgroup/account.hpp"
#include "runtime/cgroup/stat_files.hpp"
#include "runtime/cgroup/writes.hpp"
#include "runtime/linux/file.hpp"
#include "runtime/linux/net_counters.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <unistd.h>

namespace troupe::cgroup {

namespace {

/// One look at a file that is open. Longer ones end early: what we want of
/// memory.stat and net/dev fits.
class look {
public:
  explicit look(int fd) {
    if (fd < 0)
      return;
    const auto n = ::pread(fd, text_.data(), text_.size(), 0);
    size_ = n > 0 ? static_cast<std::size_t>(n) : 0;
    error_ = n < 0 ? errno : 0;
  }

  [[nodiscard]] std::string_view text() const noexcept {
    return {text_.data(), size_};
  }

  [[nodiscard]] bool is_gone() const noexcept {
    return error_ == ENODEV || error_ == ENOENT;
  }

private:
  std::array<char, 8192> text_; // as much of it as is read is written
  std::size_t size_ = 0;
  int error_ = 0;
};

void add(std::int64_t& to, std::int64_t value) {
  to = std::max<std::int64_t>(to, 0) + value;
}

void read_block_io(usage& to, std::string_view text, bool v2) {
  to.read_bytes = to.write_bytes = 0;
  for (const auto& each :
       v2 ? parse_block_v2(text) : parse_block_v1(text, {})) {
    add(to.read_bytes, each.read_bytes);
    add(to.write_bytes, each.write_bytes);
  }
}

void read_network(usage& to, std::string_view text) {
  for (const auto& each : sys::parse_net_counters(text))
    if (each.name != "lo") {
      add(to.rx_bytes, each.rx_bytes);
      add(to.tx_bytes, each.tx_bytes);
    }
}

} // namespace

result<usage_reader> usage_reader::open(const plan::host_facts& host,
                                        const std::string& path, pid_t pid) {
  const auto in = cgroup_at(host, path);
  const auto opened = [](const account& at, const char* v1, const char* v2) {
    source out;
    out.v2 = at.v2;
    const auto* file = at.v2 ? v2 : v1;
    if (at && *file != '\0')
      if (auto fd = sys::open_file(AT_FDCWD, at.directory + "/" + file,
                                   O_RDONLY))
        out.fd = *std::move(fd);
    return out;
  };
  usage_reader out;
  out.cpu_ = opened(account_of(in, "cpuacct"), "cpuacct.usage", "cpu.stat");
  if (!out.cpu_.fd)
    return fail(fault::not_found,
                "read the use of cgroup " + path + ": it is not there");
  const auto memory = account_of(in, "memory");
  out.memory_ = opened(memory, "memory.usage_in_bytes", "memory.current");
  out.memory_stat_ = opened(memory, "memory.stat", "memory.stat");
  out.memory_limit_ = opened(memory, "memory.limit_in_bytes", "memory.max");
  out.memory_failures_ = opened(memory, "memory.failcnt", "memory.events");
  out.oom_ = opened(memory, "memory.oom_control", "");
  out.pids_ = opened(account_of(in, "pids"), "pids.current", "pids.current");
  out.pids_limit_ = opened(account_of(in, "pids"), "pids.max", "pids.max");
  out.block_io_ = opened(account_of(in, "blkio"),
                         "blkio.throttle.io_service_bytes_recursive",
                         "io.stat");
  if (pid > 0)
    out.network_ = opened({"/proc/" + std::to_string(pid), false}, "net/dev",
                          "");
  return out;
}

result<std::int64_t> usage_reader::read_cpu() const {
  const look cpu{cpu_.fd.get()};
  if (cpu.is_gone())
    return fail(fault::not_found, "the cgroup is gone");
  return cpu_.v2 ? field_in(cpu.text(), "usage_usec") * 1000
                 : to_number(cpu.text());
}

void usage_reader::read_amounts(usage& to) const {
  to.memory = to_number(look{memory_.fd.get()}.text());
  const look stat{memory_stat_.fd.get()};
  const auto unused = field_in(
    stat.text(), memory_stat_.v2 ? "inactive_file" : "total_inactive_file");
  if (to.memory != absent && unused != absent)
    to.working_set = std::max<std::int64_t>(to.memory - unused, 0);
  to.pids = to_number(look{pids_.fd.get()}.text());
  if (block_io_.fd)
    read_block_io(to, look{block_io_.fd.get()}.text(), block_io_.v2);
  if (network_.fd)
    read_network(to, look{network_.fd.get()}.text());
}

void usage_reader::read_limits(usage& to) const {
  to.memory_limit = to_number(look{memory_limit_.fd.get()}.text());
  const look failures{memory_failures_.fd.get()};
  to.memory_failcnt = memory_failures_.v2 ? field_in(failures.text(), "max")
                                          : to_number(failures.text());
  to.oom_kills = field_in(memory_failures_.v2 ? failures.text()
                                              : look{oom_.fd.get()}.text(),
                          "oom_kill");
  to.pids_limit = to_number(look{pids_limit_.fd.get()}.text());
}

result<usage> usage_reader::read() const {
  usage out;
  TROUPE_TRY(out.cpu_ns, read_cpu());
  read_amounts(out);
  read_limits(out);
  return out;
}

result<usage> usage_reader::read_after(const usage& last) const {
  TROUPE_TRY(const auto cpu_ns, read_cpu());
  auto out = last;
  if (cpu_ns == last.cpu_ns)
    return out;
  out.cpu_ns = cpu_ns;
  out.rx_bytes = out.tx_bytes = -1;
  read_amounts(out);
  return out;
}

} // namespace troupe::cgroup
