#include "config/run_options.hpp"
#include "programs/troupe-oci/command.hpp"
#include "runtime/linux/file.hpp"

#include <unistd.h>

namespace troupe::oci_cli {

namespace {

void add_pause(CLI::App& app, context& with) {
  auto made = add_command<one_container>(
    app, "pause", "Freeze every process of a container",
    "Returns once the kernel says that they are frozen.\n\nExample:\n"
    "  troupe-oci pause web");
  add_id(*made.app, made.arguments->id);
  made.does(with, [](context& in, const one_container& x) {
    return done(oci_runtime::pause(in.runtime(), x.id));
  });
}

void add_resume(CLI::App& app, context& with) {
  auto made = add_command<one_container>(app, "resume",
                                         "Thaw a paused container",
                                         "Example:\n  troupe-oci resume web");
  add_id(*made.app, made.arguments->id);
  made.does(with, [](context& in, const one_container& x) {
    return done(oci_runtime::resume(in.runtime(), x.id));
  });
}

struct update_arguments {
  std::string id;
  std::string file;
  std::string memory;
  std::string reservation;
  std::string swap;
  std::string kernel_memory;
  std::string kernel_memory_tcp;
  oci::cpu_resources cpu;
  std::optional<std::int64_t> pids;
  std::optional<std::uint16_t> block_weight;
  std::string l3_cache_schema;
  std::string mem_bw_schema;
};

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

result<oci::resources> from_flags(const update_arguments& x) {
  oci::resources out;
  oci::memory_resources memory;
  TROUPE_CHECK(read_amount("--memory", x.memory, memory.limit));
  TROUPE_CHECK(
    read_amount("--memory-reservation", x.reservation, memory.reservation));
  TROUPE_CHECK(read_amount("--memory-swap", x.swap, memory.swap));
  if (memory != oci::memory_resources{})
    out.memory = memory;
  if (x.cpu != oci::cpu_resources{})
    out.cpu = x.cpu;
  out.pids_limit = x.pids;
  if (x.block_weight) {
    out.block_io.emplace();
    out.block_io->weight = x.block_weight;
  }
  return out;
}

result<oci::resources> resources_of(const update_arguments& x) {
  if (x.file.empty())
    return from_flags(x);
  TROUPE_TRY(const auto text,
             x.file == "-" ? read_stdin() : sys::read_file(AT_FDCWD, x.file));
  auto out = oci_runtime::read_resources(text);
  return out ? out : fail(std::move(out).error().during(x.file));
}

result<int> update(context& in, const update_arguments& x) {
  if (!x.kernel_memory.empty() || !x.kernel_memory_tcp.empty())
    in.log.warn("--kernel-memory: no effect, the kernel has no such limit any "
                "more");
  if (!x.l3_cache_schema.empty() || !x.mem_bw_schema.empty())
    return fail(fault::unsupported, "--l3-cache-schema, --mem-bw-schema: not "
                                    "supported for a living container");
  TROUPE_TRY(auto resources, resources_of(x));
  return done(oci_runtime::update(in.runtime(), x.id, std::move(resources)));
}

void add_memory_options(CLI::App& to, update_arguments& x) {
  to.add_option("--memory", x.memory, "Bytes, or 10m; -1: unlimited");
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

void add_update(CLI::App& app, context& with) {
  auto made = add_command<update_arguments>(
    app, "update", "Change the limits of a living container",
    "--resources takes linux.resources of config.json; the other options are "
    "ignored then.\nAll is changed, or nothing. Device rules stay as they "
    "are.\n\nExamples:\n  troupe-oci update --memory 64m --pids-limit 100 "
    "web\n  echo '{\"cpu\":{\"quota\":20000}}' | troupe-oci update "
    "--resources - web");
  auto& x = *made.arguments;
  made.app->add_option("-r,--resources", x.file, "JSON file; - is stdin");
  add_memory_options(*made.app, x);
  add_cpu_options(*made.app, x.cpu);
  made.app->add_option("--pids-limit", x.pids, "Processes; -1: unlimited");
  made.app->add_option("--blkio-weight", x.block_weight, "10 to 1000");
  made.app->add_option("--l3-cache-schema", x.l3_cache_schema, "Refused");
  made.app->add_option("--mem-bw-schema", x.mem_bw_schema, "Refused");
  add_id(*made.app, x.id);
  made.does(with, update);
}

} // namespace

void add_resource_commands(CLI::App& app, context& with) {
  add_pause(app, with);
  add_resume(app, with);
  add_update(app, with);
}

} // namespace troupe::oci_cli
