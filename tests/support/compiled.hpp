#pragma once

#include "runtime/compile/compile.hpp"
#include "tests/support/hosts.hpp"

#include <stdexcept>

/// Specs to start from, and what becomes of them.
namespace troupe::test {

inline oci::spec base() {
  oci::spec out;
  out.oci_version = "1.2.0";
  out.root = oci::root{"rootfs"};
  out.linux_.namespaces = {{oci::namespace_kind::mount, ""}};
  auto& process = out.process.emplace();
  process.args = {"true"};
  process.cwd = "/";
  return out;
}

inline result<plan::launch_plan>
compiled_or_not(const oci::spec& spec,
                const plan::host_facts& host = plain_host()) {
  return plan::compile(spec, host, "web-1", "/srv/bundle");
}

inline plan::launch_plan compiled(const oci::spec& spec,
                                  const plan::host_facts& host = plain_host()) {
  auto plan = compiled_or_not(spec, host);
  if (!plan)
    throw std::runtime_error{plan.error().what};
  return *std::move(plan);
}

inline failure refusal(const oci::spec& spec,
                       const plan::host_facts& host = plain_host()) {
  const auto plan = compiled_or_not(spec, host);
  return plan ? failure{fault::none, 0, "compiled"} : plan.error();
}

inline oci::mount bind(std::string source, std::string destination,
                       std::vector<std::string> options = {}) {
  return {std::move(destination), "bind", std::move(source),
          std::move(options),     {},     {}};
}

} // namespace troupe::test
