#pragma once

#include "actors/gateway/query.hpp"
#include "actors/gateway/request.hpp"
#include "config/base/result.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::gateway {

class session;

/// What a handler gets: the request, taken apart.
struct call {
  const request& from;
  std::vector<std::string> ids; ///< What the pattern's `*` stand for, decoded.
  query parameters;
};

/// Begins to serve a call. What it returns as a failure is the answer; else the
/// answer comes later, through the session.
using handler = outcome (*)(session&, const call&);

inline constexpr std::size_t max_parameters = 6;

struct route {
  std::string_view method;
  std::string_view pattern; ///< `/v1/containers/*/start`
  handler serve;
  std::array<std::string_view, max_parameters> parameters{};
  bool takes_body = false;

  /// Whether it only looks, and at nothing that is secret: config and plan have
  /// the environment's values.
  [[nodiscard]] bool is_for_observers() const noexcept {
    return method == "GET" && !pattern.ends_with("/attach")
           && !pattern.ends_with("/config") && !pattern.ends_with("/plan");
  }

  [[nodiscard]] std::span<const std::string_view> allowed() const noexcept {
    std::size_t size = 0;
    while (size < max_parameters && !parameters[size].empty())
      ++size;
    return {parameters.data(), size};
  }
};

/// Every route there is, in the order of docs/api.md.
[[nodiscard]] std::span<const route> routes() noexcept;

/// Finds the route of a method and a path (without its query). `which` is null
/// if there is none; then `allow` names the methods of the path's routes, and
/// is empty for a path that has none.
struct match {
  const route* which = nullptr;
  std::vector<std::string_view> ids; ///< Undecoded.
  std::string allow;
};

[[nodiscard]] match find_route(std::string_view method, std::string_view path);

} // namespace troupe::gateway
