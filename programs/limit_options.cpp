#include "programs/limit_options.hpp"

#include "config/run_options.hpp"
#include "runtime/linux/file.hpp"

#include <cerrno>
#include <cmath>
#include <unistd.h>

namespace troupe::cli {

namespace {

constexpr std::uint64_t quota_period_us = 100'000;

result<std::string> read_stdin() {
  constexpr std::size_t limit = 1U << 20U;
  std::string out;
  char piece[4096];
  for (ssize_t n = 0; (n = ::read(STDIN_FILENO, piece, sizeof piece)) > 0;) {
    out.append(piece, static_cast<std::size_t>(n));
    if (out.size() > limit)
      return fail_os(EFBIG, "read", "stdin");
  }
  return out;
}

/// `-1`, `10485760`, `10m`.
outcome read_amount(const char* flag, const std::string& text,
                    std::optional<std::int64_t>& to) {
  if (text.empty())
    return {};
  if (text == "-1") {
    to = -1;
    return {};
  }
  auto size = parse_size(text);
  if (!size)
    return fail(std::move(size).error().during(flag));
  to = *size;
  return {};
}

/// docker's --cpus: a quota.
outcome read_cpus(const limit_options& x, oci::cpu_resources& to) {
  if (!x.cpus)
    return {};
  if (to.quota || to.period)
    return fail(fault::invalid_config,
                "--cpus: not together with --cpu-quota or --cpu-period");
  if (!(*x.cpus > 0 && *x.cpus < 1e6))
    return fail(fault::invalid_config, "--cpus: found "
                                         + std::to_string(*x.cpus)
                                         + ": expected more than 0 cores");
  to.period = quota_period_us;
  to.quota = std::llround(*x.cpus * static_cast<double>(quota_period_us));
  return {};
}

void add_memory_options(CLI::App& to, limit_options& x) {
  to.add_option("-m,--memory", x.memory, "Bytes, or 10m; -1: unlimited");
  to.add_option("--memory-reservation", x.reservation, "Soft limit");
  to.add_option("--memory-swap", x.swap, "Memory and swap together");
  to.add_option("--kernel-memory", x.kernel_memory, "Accepted, no effect");
  to.add_option("--kernel-memory-tcp", x.kernel_memory_tcp,
                "Accepted, no effect");
}

void add_cpu_options(CLI::App& to, oci::cpu_resources& x) {
  to.add_option("--cpu-period", x.period, "Of the quota, in us");
  to.add_option("--cpu-quota", x.quota, "us in each period; -1: unlimited");
  to.add_option("--cpu-burst", x.burst, "us that may be saved up");
  to.add_option("--cpu-share,--cpu-shares", x.shares, "Weight, 2 to 262144");
  to.add_option("--cpu-rt-period", x.realtime_period, "us");
  to.add_option("--cpu-rt-runtime", x.realtime_runtime, "us");
  to.add_option("--cpu-idle", x.idle, "1: only when nobody else wants to run");
  to.add_option("--cpuset-cpus", x.cpus, "0-3,7");
  to.add_option("--cpuset-mems", x.mems, "0-1");
}

} // namespace

void add_limit_options(CLI::App& to, limit_options& x) {
  to.add_option("-r,--resources", x.file,
                "linux.resources of config.json, from a JSON file; - is "
                "stdin");
  add_memory_options(to, x);
  to.add_option("--cpus", x.cpus, "CPU limit in cores, such as 1.5");
  add_cpu_options(to, x.cpu);
  to.add_option("--pids-limit", x.pids, "Processes; -1: unlimited");
  to.add_option("--blkio-weight", x.block_weight, "10 to 1000");
}

result<oci::resources> limits_of(const limit_options& x) {
  oci::resources out;
  oci::memory_resources memory;
  TROUPE_CHECK(read_amount("--memory", x.memory, memory.limit));
  TROUPE_CHECK(
    read_amount("--memory-reservation", x.reservation, memory.reservation));
  TROUPE_CHECK(read_amount("--memory-swap", x.swap, memory.swap));
  if (memory != oci::memory_resources{})
    out.memory = memory;
  auto cpu = x.cpu;
  TROUPE_CHECK(read_cpus(x, cpu));
  if (cpu != oci::cpu_resources{})
    out.cpu = cpu;
  out.pids_limit = x.pids;
  if (x.block_weight) {
    out.block_io.emplace();
    out.block_io->weight = x.block_weight;
  }
  return out;
}

result<std::string> read_limits(const limit_options& x) {
  return x.file == "-" ? read_stdin() : sys::read_file(AT_FDCWD, x.file);
}

} // namespace troupe::cli
