#include "bench/harness/footprint.hpp"
#include "bench/scenarios/participants.hpp"
#include "bench/scenarios/scenarios.hpp"

namespace troupe::bench {

namespace {

const metric pss{"PSS per container", "KiB"};
const metric rss{"RSS per container", "KiB"};
const metric added{"PSS added per container", "KiB"};

constexpr std::size_t few = 20; ///< A process each: more say the same.

void add_footprint(session& in, std::size_t count, const std::string& who,
                   const footprint& seen) {
  const auto n = static_cast<double>(count);
  in.add(condition_of(count), pss, who, seen.pss_kib / n);
  in.add(condition_of(count), rss, who, seen.rss_kib / n);
}

/// A supervisor of its own: what others have left in the heap is not theirs.
outcome measure_troupe(session& in, const std::vector<std::size_t>& counts) {
  auto& world = in.in;
  const auto root = world.runtime_files("memory");
  supervisor fresh{world.scratch("memory"), root,
                   world.trouped->cgroup_parent() + "/memory",
                   world.program("trouped")};
  TROUPE_CHECK(fresh.start());
  const auto all = [&] { // its spare launchers too
    auto processes = find_processes("troupe-shim", root);
    processes.push_back(fresh.pid());
    return footprint_of(processes);
  };
  TROUPE_TRY(const auto empty, all());
  population idle{fresh.socket(), world.idle_bundle()};
  for (const auto count : counts) {
    in.progress(condition_of(count));
    TROUPE_CHECK(idle.resize(count));
    TROUPE_TRY(const auto seen, all());
    add_footprint(in, count, "trouped", seen);
    in.add(condition_of(count), added, "trouped",
           (seen.pss_kib - empty.pss_kib) / static_cast<double>(count));
  }
  TROUPE_CHECK(idle.resize(0));
  return fresh.finish();
}

/// Starts `few` containers and looks at the helper that each of them keeps.
outcome measure_helpers(session& in, const std::string& who,
                        const std::string& helper, const std::string& mark,
                        const std::function<command(std::string)>& start,
                        const std::function<command(std::string)>& remove) {
  std::vector<std::string> ids;
  outcome out;
  while (out && ids.size() < few) {
    ids.push_back(fresh_id());
    if (const auto started = in.in.run.time(start(ids.back())); !started)
      out = fail(started.error());
  }
  const auto found = find_processes(helper, mark);
  const auto seen = footprint_of(found);
  if (out && found.size() == few && seen)
    add_footprint(in, few, who, *seen);
  else
    in.absent(who, !out
                     ? out.error().what
                     : std::to_string(found.size()) + " processes of " + helper
                         + " for " + std::to_string(few) + " containers");
  for (const auto& id : ids)
    (void)in.in.run.time(remove(id));
  return {};
}

outcome measure_conmon(session& in, const podman& with) {
  return measure_helpers(
    in, "podman", "conmon", with.directory(),
    [&](const std::string& id) {
      return with.run({"--detach", "--name", id}, {"/bin/probe", "pause"});
    },
    [&](const std::string& id) {
      return with.call({"rm", "--force", "--time", "0", id});
    });
}

outcome measure_containerd_shim(session& in, const containerd& with) {
  return measure_helpers(
    in, "containerd", "containerd-shim", in.in.scratch("containerd"),
    [&](const std::string& id) {
      return with.run({"--detach"}, id, {"/bin/probe", "pause"});
    },
    [&](const std::string& id) { return with.remove_by_force(id); });
}

} // namespace

outcome measure_memory(session& in) {
  const auto counts = in.in.with.quick
                        ? std::vector<std::size_t>{few, 50}
                        : std::vector<std::size_t>{few, 100, 1000};
  TROUPE_CHECK(measure_troupe(in, counts));
  if (in.in.with_podman() != nullptr) {
    in.progress("podman");
    TROUPE_CHECK(measure_conmon(in, *in.in.with_podman()));
  }
  if (in.in.with_containerd() != nullptr) {
    in.progress("containerd");
    TROUPE_CHECK(measure_containerd_shim(in, *in.in.with_containerd()));
  }
  return {};
}

} // namespace troupe::bench
