#include "runtime/launch/launch.hpp"

#include <nlohmann/json.hpp>

namespace troupe::launch {

std::string state_document(const plan::launch_plan& plan,
                           std::string_view status, pid_t pid) {
  auto out = nlohmann::ordered_json{
    {"ociVersion", plan.oci_version}, {"id", plan.id}, {"status", status}};
  if (pid > 0)
    out["pid"] = pid;
  out["bundle"] = plan.bundle;
  auto annotations = nlohmann::ordered_json::object();
  for (std::size_t i = 0;
       i < plan.annotation_keys.size() && i < plan.annotation_values.size();
       ++i)
    annotations[plan.annotation_keys[i]] = plan.annotation_values[i];
  out["annotations"] = std::move(annotations);
  return out.dump(-1, ' ', false,
                  nlohmann::ordered_json::error_handler_t::replace);
}

} // namespace troupe::launch
