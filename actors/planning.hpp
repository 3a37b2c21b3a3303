#pragma once

#include "actors/messages_local.hpp"
#include "config/base/recent.hpp"
#include "config/base/result.hpp"
#include "config/oci/spec.hpp"
#include "runtime/plan/host_facts.hpp"

#include <memory>
#include <string>

namespace troupe {

/// All that decides a container's configuration, as it was given.
struct launch_documents {
  std::string spec; ///< config.json's text; empty: defaults around `rootfs`.
  std::string rootfs;
  std::string options;
  friend bool operator==(const launch_documents&, const launch_documents&)
    = default;
};

/// A configuration with its options applied, and found valid.
struct launch_configuration {
  oci::spec spec;
  std::string text; ///< The same as config.json.
};

using shared_configuration = std::shared_ptr<const launch_configuration>;

/// The planner's work: from a request, by way of files, to a plan. Blocks on
/// those files, and for tens of milliseconds on a new seccomp profile. What
/// the last documents came to is kept: a host's containers share a handful, and
/// reading one takes several times as long as compiling it.
class planning {
public:
  explicit planning(plan::host_facts host);

  [[nodiscard]] result<msg::compiled_launch>
  launch(const msg::compile_launch& x);

  /// Failures' pointers are those of the exec request: `/user`, `/cap_add/0`.
  [[nodiscard]] result<msg::compiled_exec> exec(const msg::compile_exec& x);

private:
  result<shared_configuration> configuration_of(const msg::compile_launch& x);

  static constexpr std::size_t kept_documents = 16;

  plan::host_facts host_;
  recent<launch_documents, shared_configuration> configurations_{
    kept_documents};
  /// By the container's config.json.
  recent<std::string, oci::spec> session_specs_{kept_documents};
};

} // namespace troupe
