#pragma once

#include "config/base/result.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace troupe {

/// How a node meets the others of its cluster (docs/cluster.md). Its name is
/// that of its certificate.
struct cluster_settings {
  std::string listen;            ///< HOST:PORT; empty: no cluster.
  std::string address;           ///< Where others reach it; empty: `listen`.
  std::vector<std::string> join; ///< HOST:PORT of nodes to begin with.
  std::string ca;                ///< The cluster's authority, PEM.
  std::string certificate;       ///< This node's, PEM.
  std::string key;               ///< Its key, PEM.
  std::map<std::string, std::string> labels; ///< For `run --constraint`.
  std::int64_t heartbeat_ms = 1'000;
  std::int64_t suspect_after_ms = 3'000; ///< Of silence;
  std::int64_t down_after_ms = 8'000;    ///< and its link is closed.

  [[nodiscard]] bool is_on() const noexcept {
    return !listen.empty();
  }
  friend bool operator==(const cluster_settings&, const cluster_settings&)
    = default;
};

/// Host and port of `HOST:PORT` or `[IPV6]:PORT`.
struct host_port {
  std::string host;
  std::string port;
};

[[nodiscard]] result<host_port> parse_host_port(const std::string& text);

/// Checks words, paths and ranges, and that nothing is missing.
[[nodiscard]] outcome validate(const cluster_settings& x);

} // namespace troupe
