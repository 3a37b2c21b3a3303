#pragma once

#include "runtime/cgroup/stats.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

/// The formats of the kernel's accounting files. Pure; what is not as expected
/// is left out, never guessed.
namespace troupe::cgroup {

/// A number that is not to be had.
inline constexpr std::int64_t absent = -1;

/// "42\n" -> 42; "max", and v1's page-rounded largest number -> INT64_MAX;
/// anything else -> -1.
[[nodiscard]] std::int64_t to_number(std::string_view text);

/// The number of line `key` among lines of "key value"; -1 without it.
[[nodiscard]] std::int64_t field_in(std::string_view text,
                                    std::string_view key);

/// memory.stat.
[[nodiscard]] std::vector<named_number> parse_named(std::string_view text);

/// cpuacct.usage_percpu: "12 0 7 ".
[[nodiscard]] std::vector<std::int64_t> parse_list(std::string_view text);

/// v1: blkio.throttle.io_service_bytes* and io_serviced*, lines of
/// "8:0 Read 4096".
[[nodiscard]] std::vector<block_io> parse_block_v1(std::string_view bytes,
                                                   std::string_view ios);

/// v2: io.stat, lines of "8:0 rbytes=4096 wbytes=0 rios=1 ...".
[[nodiscard]] std::vector<block_io> parse_block_v2(std::string_view text);

/// cpu.pressure and the like: "some avg10=0.00 avg60=0.00 avg300=0.00
/// total=0".
[[nodiscard]] pressure parse_pressure(std::string_view text);

/// rdma.current: "mlx4_0 hca_handle=2 hca_object=2000".
[[nodiscard]] std::vector<rdma_device> parse_rdma(std::string_view text);

} // namespace troupe::cgroup
