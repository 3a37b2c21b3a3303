#pragma once

#include "config/base/result.hpp"
#include "config/oci/spec.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// What `troupe run` and `troupe create` can say on top of, or instead of, a
/// config.json: docker's flags as data. Client and supervisor share it: the
/// client fills it from its command line, sends it as JSON, and the supervisor
/// applies it to the bundle's spec.
namespace troupe {

struct run_options {
  // All with initializers, so that some can be left out by name.
  std::vector<std::string> args{}; ///< Replaces process.args if not empty.
  std::vector<std::string> env{};  ///< `KEY=VALUE`, added or replaced.
  std::string cwd{};               ///< Absolute.
  std::string user{};              ///< `uid[:gid]` or `name[:group]`.
  std::vector<std::string>
    volumes{}; ///< `SRC:DST[:ro|rw|rprivate|rshared|...]`
  std::string hostname{};
  std::optional<std::int64_t> memory{}; ///< Bytes.
  std::optional<double> cpus{};         ///< Of a core; quota over 100 ms.
  std::optional<std::int64_t> pids_limit{};
  std::vector<std::string> cap_add{}; ///< With or without `CAP_`; `ALL`.
  std::vector<std::string> cap_drop{};
  bool read_only = false;
  std::string network{}; ///< `none`, `host` or empty (the spec's own).
  bool tty = false;      ///< A terminal for its stdio, of that size:
  std::int64_t rows = 0; ///< In characters; 0: nobody knows.
  std::int64_t cols = 0;
  /// `memory=some:150ms/1s`: config/oci/pressure_trigger.hpp.
  std::vector<std::string> notify_pressure{};
  std::map<std::string, std::string> annotations{}; ///< Added or replaced.
  friend bool operator==(const run_options&, const run_options&) = default;
};

void to_json(nlohmann::json& out, const run_options& x);

/// Reads options from a request; failures carry the pointer below `/options`.
[[nodiscard]] result<run_options> parse_run_options(const nlohmann::json& in);

/// The spec of a container without a config.json: docker's defaults
/// (namespaces, mounts, masked and readonly paths, capabilities, seccomp
/// profile, device rules) around `rootfs`, an absolute path.
[[nodiscard]] oci::spec default_spec(const std::string& rootfs);

/// Applies `options` to `spec`; failures carry the pointer below `/options`.
/// `options.user` must be numeric here: names are resolved against the rootfs
/// by the caller. A user without a group keeps the spec's group. A volume
/// replaces the spec's mount of the same destination, and its `ro` covers the
/// mounts below it. Call oci::validate() afterwards, for what only the whole
/// can tell.
[[nodiscard]] outcome apply(const run_options& options, oci::spec& spec);

/// `64m`, `1.5g`, `512` (bytes); docker's units: b, k, m, g, 1024-based.
[[nodiscard]] result<std::int64_t> parse_size(std::string_view text);

} // namespace troupe
