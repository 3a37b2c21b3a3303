#include "actors/gateway/routes.hpp"

#include "actors/gateway/handlers.hpp"

#include <algorithm>

namespace troupe::gateway {

namespace {

#define TROUPE_CONTAINER "/v1/containers/*"
#define TROUPE_EXEC "/v1/containers/*/exec/*"

// clang-format off
constexpr std::array table{
  route{"GET",    "/",                           show_index},
  route{"GET",    "/v1/_health",                 show_health},
  route{"GET",    "/v1/version",                 show_version},
  route{"GET",    "/v1/info",                    show_info},
  route{"GET",    "/metrics",                    show_metrics},
  route{"GET",    "/v1/stats",                   show_usage,       {"stream"}},
  route{"POST",   "/v1/shutdown",                shut_down,        {"stop_containers", "timeout"}},
  route{"POST",   "/v1/shim/upgrade",            upgrade_shim,     {"program"}},
  route{"GET",    "/v1/nodes",                   list_nodes},
  route{"DELETE", "/v1/nodes/*",                 remove_node},
  route{"GET",    "/v1/placement",               choose_node,      {"constraint", "strategy", "memory"}},
  route{"POST",   "/v1/drain",                   drain_node},
  route{"POST",   "/v1/undrain",                 undrain_node},
  route{"GET",    "/v1/events",                  show_events,      {"since", "follow", "container", "type"}},

  route{"GET",    "/v1/containers",              list_containers,  {"all"}},
  route{"POST",   "/v1/containers",              create_container, {}, true},
  route{"GET",    TROUPE_CONTAINER,              show_container},
  route{"DELETE", TROUPE_CONTAINER,              remove_container, {"force"}},
  route{"POST",   TROUPE_CONTAINER "/start",     start_container},
  route{"POST",   TROUPE_CONTAINER "/stop",      stop_container,   {"timeout", "signal"}},
  route{"POST",   TROUPE_CONTAINER "/kill",      kill_container,   {"signal", "all"}},
  route{"POST",   TROUPE_CONTAINER "/pause",     pause_container},
  route{"POST",   TROUPE_CONTAINER "/unpause",   unpause_container},
  route{"POST",   TROUPE_CONTAINER "/update",    update_container, {}, true},
  route{"GET",    TROUPE_CONTAINER "/wait",      wait_for_container},
  route{"GET",    TROUPE_CONTAINER "/top",       show_processes},
  route{"GET",    TROUPE_CONTAINER "/stats",     show_stats,       {"stream"}},
  route{"GET",    TROUPE_CONTAINER "/logs",      show_logs,        {"follow", "tail", "since", "until", "stream", "format"}},
  route{"POST",   TROUPE_CONTAINER "/logs/reopen", reopen_log},
  route{"GET",    TROUPE_CONTAINER "/events",    show_own_events,  {"since", "follow", "type"}},
  route{"GET",    TROUPE_CONTAINER "/config",    show_config},
  route{"GET",    TROUPE_CONTAINER "/plan",      show_plan},
  route{"POST",   TROUPE_CONTAINER "/attach",    attach_container, {"stdin", "output", "raw", "overflow", "replay"}},
  route{"GET",    TROUPE_CONTAINER "/attach",    attach_container, {"stdin", "output", "overflow", "replay"}},
  route{"POST",   TROUPE_CONTAINER "/resize",    resize_container, {"rows", "cols"}},

  route{"POST",   TROUPE_CONTAINER "/exec",      create_exec,      {}, true},
  route{"POST",   TROUPE_CONTAINER "/exec-sync", run_exec,         {}, true},
  route{"GET",    TROUPE_EXEC,                   show_exec},
  route{"DELETE", TROUPE_EXEC,                   remove_exec,      {"force"}},
  route{"POST",   TROUPE_EXEC "/start",          start_exec},
  route{"POST",   TROUPE_EXEC "/stop",           stop_exec,        {"timeout", "signal"}},
  route{"POST",   TROUPE_EXEC "/kill",           kill_exec,        {"signal"}},
  route{"GET",    TROUPE_EXEC "/wait",           wait_for_exec},
  route{"POST",   TROUPE_EXEC "/attach",         attach_exec,      {"stdin", "output", "raw", "overflow", "replay"}},
  route{"GET",    TROUPE_EXEC "/attach",         attach_exec,      {"stdin", "output", "overflow", "replay"}},
  route{"POST",   TROUPE_EXEC "/resize",         resize_exec,      {"rows", "cols"}},
};
// clang-format on

#undef TROUPE_CONTAINER
#undef TROUPE_EXEC

/// Takes the part up to the next slash off `path`.
std::string_view take_segment(std::string_view& path) {
  const auto slash = std::min(path.find('/'), path.size());
  const auto segment = path.substr(0, slash);
  path.remove_prefix(std::min(slash + 1, path.size()));
  return segment;
}

/// What the pattern's `*` stand for in `path`; nothing if it does not match.
std::optional<std::vector<std::string_view>> captures(std::string_view pattern,
                                                      std::string_view path) {
  if (std::count(pattern.begin(), pattern.end(), '/')
      != std::count(path.begin(), path.end(), '/'))
    return std::nullopt;
  std::vector<std::string_view> out;
  while (!pattern.empty() || !path.empty()) {
    const auto expected = take_segment(pattern);
    const auto found = take_segment(path);
    if (expected == "*" && !found.empty())
      out.push_back(found);
    else if (expected != found)
      return std::nullopt;
  }
  return out;
}

} // namespace

std::span<const route> routes() noexcept {
  return table;
}

match find_route(std::string_view method, std::string_view path) {
  match out;
  for (const auto& row : table) {
    auto ids = captures(row.pattern, path);
    if (!ids)
      continue;
    if (row.method == method)
      return {&row, *std::move(ids), {}};
    out.allow.append(out.allow.empty() ? "" : ", ").append(row.method);
  }
  return out;
}

} // namespace troupe::gateway
