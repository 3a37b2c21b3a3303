#include "config/oci/features.hpp"

#include "config/oci/mount_options.hpp"
#include "config/oci/words.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <vector>

namespace troupe::oci {

namespace {

using nlohmann::ordered_json;

constexpr std::array<std::string_view, 6> hook_names{
  "prestart",       "createRuntime", "createContainer",
  "startContainer", "poststart",     "poststop"};

template <class Words>
ordered_json sorted(const Words& words) {
  std::vector<std::string_view> out{words.begin(), words.end()};
  std::ranges::sort(out);
  return out;
}

ordered_json seccomp_features() {
  return {{"enabled", true},
          {"actions", sorted(words::seccomp_actions)},
          {"operators", sorted(words::seccomp_operators)},
          {"archs", sorted(words::seccomp_architectures)},
          {"knownFlags", words::seccomp_flags},
          {"supportedFlags", words::seccomp_flags}};
}

ordered_json linux_features(const runtime_features& x) {
  return {
    {"namespaces", sorted(words::namespaces)},
    {"capabilities", words::capabilities},
    {"cgroup",
     {{"v1", true},
      {"v2", true},
      {"systemd", true},
      {"systemdUser", false},
      {"rdma", true}}},
    {"seccomp", seccomp_features()},
    {"apparmor", {{"enabled", x.apparmor}}},
    {"selinux", {{"enabled", x.selinux}}},
    {"intelRdt",
     {{"enabled", x.intel_rdt},
      {"schemata", x.intel_rdt},
      {"monitoring", x.intel_rdt}}},
    {"memoryPolicy",
     {{"modes", words::memory_policy_modes},
      {"flags", words::memory_policy_flags}}},
    {"mountExtensions", {{"idmap", {{"enabled", x.idmap}}}}},
    {"netDevices", {{"enabled", x.net_devices}}},
  };
}

} // namespace

ordered_json features(const runtime_features& x) {
  return {{"ociVersionMin", "1.0.0"},   {"ociVersionMax", "1.3.0"},
          {"hooks", hook_names},        {"mountOptions", mount_words()},
          {"linux", linux_features(x)}, {"annotations", x.annotations}};
}

} // namespace troupe::oci
