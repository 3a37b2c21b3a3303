#include "actors/gateway/render.hpp"
#include "config/base/clock.hpp"

#include <nlohmann/json.hpp>

#include <chrono>

namespace troupe::gateway {

namespace {

nlohmann::json document_of(const msg::node_view& x) {
  auto labels = nlohmann::json::object();
  for (std::size_t i = 0; i < x.is.label_keys.size(); ++i)
    labels[x.is.label_keys[i]] = x.is.label_values.at(i);
  const auto for_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
    x.in_state);
  return {{"name", x.is.name},
          {"address", x.is.address},
          {"state", to_string(x.state)},
          {"state_for_ms", for_ms.count()},
          {"started", rfc3339(static_cast<time_ns>(x.is.incarnation))},
          {"version", x.is.version},
          {"labels", std::move(labels)},
          {"draining", x.is.draining},
          {"problem", x.problem},
          {"load",
           {{"memory_total", x.has.memory_total},
            {"memory_available", x.has.memory_available},
            {"cpus", x.has.cpus},
            {"cpu_busy_percent", x.has.busy_permille / 10},
            {"running", x.has.running}}},
          {"self", x.self}};
}

} // namespace

std::string render(const msg::nodes& x) {
  auto out = nlohmann::json::array();
  for (const auto& each : x.all)
    out.push_back(document_of(each));
  return dump(out);
}

std::string render(const msg::placed& x) {
  return dump({{"node", x.node}, {"why", x.why}});
}

} // namespace troupe::gateway
