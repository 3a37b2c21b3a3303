#include "config/base/quote.hpp"
#include "config/oci/rules.hpp"
#include "config/oci/words.hpp"

#include <array>
#include <limits>

namespace troupe::oci::rules {

namespace {

constexpr auto unbounded = std::numeric_limits<std::int64_t>::max();

/// A number that may be absent, with its range.
struct limit {
  std::string_view name;
  std::optional<std::int64_t> value;
  std::int64_t least;
  std::int64_t most;
};

template <std::size_t Size>
outcome check_limits(const pointer& at, const std::array<limit, Size>& limits) {
  for (const auto& each : limits)
    if (each.value)
      TROUPE_CHECK(
        check_range(at / each.name, *each.value, each.least, each.most));
  return {};
}

/// An unsigned number as check_range() wants it; what is beyond int64 is
/// beyond every range here too.
std::optional<std::int64_t> narrow(const std::optional<std::uint64_t>& x) {
  if (!x)
    return std::nullopt;
  return *x > static_cast<std::uint64_t>(unbounded)
           ? unbounded
           : static_cast<std::int64_t>(*x);
}

// -- devices ------------------------------------------------------------------

outcome check_device_rule(const device_rule& x, const pointer& at) {
  if (!x.type.empty())
    TROUPE_CHECK(check_word(at / "type", x.type, words::device_rule_types));
  if (x.access.find_first_not_of("rwm") != std::string::npos)
    return refuse(at / "access", "a composition of r, w and m",
                  quote(x.access));
  return check_limits(at,
                      std::array{limit{"major", x.major, 0, (1 << 12) - 1},
                                 limit{"minor", x.minor, 0, (1 << 20) - 1}});
}

// -- memory, cpu --------------------------------------------------------------

outcome check_memory(const memory_resources& x, const pointer& at) {
  TROUPE_CHECK(check_limits(
    at, std::array{limit{"limit", x.limit, -1, unbounded},
                   limit{"reservation", x.reservation, -1, unbounded},
                   limit{"swap", x.swap, -1, unbounded},
                   limit{"kernel", x.kernel, -1, unbounded},
                   limit{"kernelTCP", x.kernel_tcp, -1, unbounded},
                   limit{"swappiness", narrow(x.swappiness), 0, 100}}));
  // `swap` is memory and swap together: the kernel refuses less than `limit`.
  if (x.limit && x.swap && *x.limit > 0 && *x.swap > 0 && *x.swap < *x.limit)
    return refuse(at / "swap",
                  "at least the memory limit, " + std::to_string(*x.limit),
                  std::to_string(*x.swap));
  return {};
}

/// Kernel kernel/sched/core.c: a period of 1 ms to 1 s and a quota of at least
/// 1 ms; 0 and below stand for "not limited" or "not set".
outcome check_cpu(const cpu_resources& x, const pointer& at) {
  constexpr std::int64_t shortest = 1000;
  constexpr std::int64_t longest = 1'000'000;
  if (x.period && *x.period != 0)
    TROUPE_CHECK(
      check_range(at / "period", *narrow(x.period), shortest, longest));
  if (x.quota && *x.quota != 0 && *x.quota != -1)
    TROUPE_CHECK(check_range(at / "quota", *x.quota, shortest, unbounded));
  if (x.burst && x.quota && *x.quota > 0
      && *x.burst > static_cast<std::uint64_t>(*x.quota))
    return refuse(at / "burst",
                  "at most the quota, " + std::to_string(*x.quota),
                  std::to_string(*x.burst));
  TROUPE_CHECK(check_limits(
    at, std::array{limit{"realtimeRuntime", x.realtime_runtime, -1, unbounded},
                   limit{"idle", x.idle, 0, 1}}));
  TROUPE_CHECK(check_cpu_list(at / "cpus", x.cpus));
  return check_cpu_list(at / "mems", x.mems);
}

// -- block io -----------------------------------------------------------------

/// v1 blkio.weight takes 10 to 1000; 0 stands for "not set".
outcome check_weight(const pointer& at,
                     const std::optional<std::uint16_t>& weight) {
  if (!weight || *weight == 0)
    return {};
  return check_range(at, *weight, 10, 1000);
}

template <class Device>
outcome check_numbers(const Device& x, const pointer& at) {
  return check_limits(at,
                      std::array{limit{"major", x.major, 0, (1 << 12) - 1},
                                 limit{"minor", x.minor, 0, (1 << 20) - 1}});
}

outcome check_weight_device(const weight_device& x, const pointer& at) {
  TROUPE_CHECK(check_numbers(x, at));
  TROUPE_CHECK(check_weight(at / "weight", x.weight));
  TROUPE_CHECK(check_weight(at / "leafWeight", x.leaf_weight));
  if (!x.weight && !x.leaf_weight)
    return refuse(at, "weight, leafWeight or both", "neither");
  return {};
}

struct throttle_list {
  std::string_view name;
  std::vector<throttle_device> block_io_resources::*list;
};

constexpr std::array throttle_lists{
  throttle_list{"throttleReadBpsDevice",
                &block_io_resources::throttle_read_bps},
  throttle_list{"throttleWriteBpsDevice",
                &block_io_resources::throttle_write_bps},
  throttle_list{"throttleReadIOPSDevice",
                &block_io_resources::throttle_read_iops},
  throttle_list{"throttleWriteIOPSDevice",
                &block_io_resources::throttle_write_iops},
};

outcome check_block_io(const block_io_resources& x, const pointer& at) {
  TROUPE_CHECK(check_weight(at / "weight", x.weight));
  TROUPE_CHECK(check_weight(at / "leafWeight", x.leaf_weight));
  const auto weights = at / "weightDevice";
  for (std::size_t i = 0; i < x.weight_device.size(); ++i)
    TROUPE_CHECK(check_weight_device(x.weight_device[i], weights / i));
  for (const auto& [name, list] : throttle_lists)
    for (std::size_t i = 0; i < (x.*list).size(); ++i)
      TROUPE_CHECK(check_numbers((x.*list)[i], at / name / i));
  return {};
}

// -- the others ---------------------------------------------------------------

/// `64KB`, `2MB`, `1GB`: it becomes part of a file's name.
bool is_page_size(std::string_view text) {
  const auto digits = text.find_first_not_of("0123456789");
  if (digits == text.npos || digits == 0 || text.front() == '0')
    return false;
  const auto unit = text.substr(digits);
  return unit == "KB" || unit == "MB" || unit == "GB";
}

outcome check_hugepages(const std::vector<hugepage_limit>& x,
                        const pointer& at) {
  for (std::size_t i = 0; i < x.size(); ++i)
    if (!is_page_size(x[i].page_size))
      return refuse(at / i / "pageSize", "a size like 64KB, 2MB or 1GB",
                    quote(x[i].page_size));
  return {};
}

outcome check_network(const network_resources& x, const pointer& at) {
  const auto priorities = at / "priorities";
  for (std::size_t i = 0; i < x.priorities.size(); ++i)
    if (x.priorities[i].name.empty()
        || x.priorities[i].name.find_first_of(" \n/") != std::string::npos)
      return refuse(priorities / i / "name", "an interface name",
                    quote(x.priorities[i].name));
  return {};
}

outcome check_rdma(const std::map<std::string, rdma_limit>& x,
                   const pointer& at) {
  for (const auto& [device, each] : x) {
    if (device.empty() || device.find_first_of(" \n") != device.npos)
      return refuse(at / device, "a device name", quote(device));
    if (!each.hca_handles && !each.hca_objects)
      return refuse(at / device, "hcaHandles, hcaObjects or both", "neither");
  }
  return {};
}

/// Keys are files of the container's cgroup, so no path, and none of the files
/// that move processes: they are not settings.
outcome check_unified(const std::map<std::string, std::string>& x,
                      const pointer& at) {
  for (const auto& [key, value] : x)
    if (key.find('/') != key.npos || key.find('.') == key.npos
        || key.starts_with('.') || key == "cgroup.procs"
        || key == "cgroup.threads" || key == "cgroup.kill")
      return refuse(at / key, "a cgroup v2 setting like memory.high",
                    quote(key));
  return {};
}

} // namespace

outcome check_resources(const resources& x, const pointer& at) {
  for (std::size_t i = 0; i < x.devices.size(); ++i)
    TROUPE_CHECK(check_device_rule(x.devices[i], at / "devices" / i));
  if (x.memory)
    TROUPE_CHECK(check_memory(*x.memory, at / "memory"));
  if (x.cpu)
    TROUPE_CHECK(check_cpu(*x.cpu, at / "cpu"));
  // PID_MAX_LIMIT, kernel include/linux/threads.h: pids.max takes no more.
  constexpr std::int64_t most_pids = 4 << 20;
  if (x.pids_limit)
    TROUPE_CHECK(check_range(at / "pids" / "limit", *x.pids_limit,
                             std::numeric_limits<std::int64_t>::min(),
                             most_pids));
  if (x.block_io)
    TROUPE_CHECK(check_block_io(*x.block_io, at / "blockIO"));
  TROUPE_CHECK(check_hugepages(x.hugepage_limits, at / "hugepageLimits"));
  if (x.network)
    TROUPE_CHECK(check_network(*x.network, at / "network"));
  TROUPE_CHECK(check_rdma(x.rdma, at / "rdma"));
  return check_unified(x.unified, at / "unified");
}

} // namespace troupe::oci::rules
