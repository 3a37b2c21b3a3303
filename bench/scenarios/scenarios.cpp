#include "bench/scenarios/scenarios.hpp"

#include <array>

namespace troupe::bench {

namespace {

constexpr std::array table{
  scenario{"overhead",
           "what the harness itself costs: an empty program, an empty call",
           measure_overhead},
  scenario{"start",
           "create, start, end and removal of /bin/true, one after the other",
           measure_start},
  scenario{"lifecycle", "create, start and delete, each for itself",
           measure_lifecycle},
  scenario{"exec", "/bin/true in a running container, one after the other",
           measure_exec},
  scenario{"control", "pause and unpause, and an update of a limit",
           measure_control},
  scenario{"concurrent", "starts of /bin/true that are wanted at once",
           measure_concurrent},
  scenario{"event", "from a container's last act to those who wait for it",
           measure_event},
  scenario{"oom", "from the kernel's word of an OOM to who follows events",
           measure_oom},
  scenario{"stuck", "others beside a container whose freeze hangs",
           measure_stuck},
  scenario{"log", "how fast a container's output gets into its log",
           measure_log},
  scenario{"memory", "what stays resident for each idle container",
           measure_memory},
  scenario{"density", "start to exit beside containers that already run",
           measure_density},
  scenario{"look", "list and inspect, idle and under load", measure_look},
  scenario{"idle", "CPU that idle containers cost", measure_idle},
  scenario{"adopt", "a supervisor's restart after kill -9", measure_adopt},
  scenario{"remote", "another node of a cluster beside this one",
           measure_remote},
};

} // namespace

std::span<const scenario> all_scenarios() {
  return table;
}

std::vector<std::string> scenario_names() {
  std::vector<std::string> out;
  for (const auto& each : table)
    out.emplace_back(each.name);
  return out;
}

} // namespace troupe::bench
