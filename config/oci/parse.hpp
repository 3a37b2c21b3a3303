#pragma once

#include "config/base/result.hpp"
#include "config/oci/spec.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace troupe::oci {

/// Parses a config.json. Unknown properties are ignored (spec: "runtimes MUST
/// NOT generate an error"); a known one of the wrong type, or a required one
/// that is missing, is a failure: `/process/args/1: expected a string, found
/// number`. Malformed JSON names line and column. Never throws.
[[nodiscard]] result<spec> parse(std::string_view text);

/// Texts of other types; json's constructors would make these ambiguous.
[[nodiscard]] inline result<spec> parse(const std::string& text) {
  return parse(std::string_view{text});
}
[[nodiscard]] inline result<spec> parse(const char* text) {
  return parse(std::string_view{text});
}

/// The same from a parsed document.
[[nodiscard]] result<spec> parse(const nlohmann::json& document);

/// Parses a `process` object alone (exec's process.json); `pointer` is put in
/// front of every complaint's place.
[[nodiscard]] result<process> parse_process(const nlohmann::json& document,
                                            std::string_view pointer);

/// Parses a `linux.resources` object alone (update's document).
[[nodiscard]] result<resources> parse_resources(const nlohmann::json& document,
                                                std::string_view pointer);

/// The spec as config.json again. `parse(to_json(x)) == x`.
[[nodiscard]] nlohmann::json to_json(const spec& x);
[[nodiscard]] nlohmann::json to_json(const process& x);
[[nodiscard]] nlohmann::json to_json(const resources& x);

/// Checks what the types cannot say: SemVer, absolute paths, value ranges and
/// words from closed lists, namespaces against mappings, sysctls against
/// namespaces, hostname against UTS, mounts against the mount namespace, `..`
/// in cgroupsPath, duplicate namespaces or rlimits... Returns the first
/// failure, with JSON pointer, what was found and what is allowed.
[[nodiscard]] outcome validate(const spec& x);

/// validate() for a process alone, as for exec.
[[nodiscard]] outcome validate(const process& x, std::string_view pointer);

/// validate() for resources alone, as for update.
[[nodiscard]] outcome validate(const resources& x, std::string_view pointer);

/// The capability names of `x` that no kernel knows, once each. They are no
/// failure: "MUST be logged as a warning by the runtime" (config.md, Linux
/// Process).
[[nodiscard]] std::vector<std::string> unknown_capabilities(const process& x);

} // namespace troupe::oci
