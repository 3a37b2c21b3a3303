#pragma once

#include "config/base/result.hpp"
#include "runtime/tls/identity.hpp"

#include <chrono>
#include <string>

/// The certificates of a cluster (X.509 v3, RFC 5280): one authority, whose
/// key stays with whoever administers it, and one certificate per node. Keys
/// are P-256.
namespace troupe::tls {

/// How long certificates are valid unless told otherwise, and at most.
inline constexpr std::chrono::days authority_validity{3650};
inline constexpr std::chrono::days node_validity{365};
inline constexpr std::chrono::days longest_validity{36500};

/// A certificate and its private key, both as PEM; the key is PKCS#8, not
/// encrypted.
struct credentials {
  std::string certificate;
  std::string key;
};

/// What a node's certificate is to say.
struct node_request {
  std::string name; ///< See check_node_name.
  role as = role::member;
  std::chrono::days valid = node_validity;
};

/// Makes a self-signed authority whose common name is `cluster` (1 to 64
/// characters of UTF-8). It signs nodes, never other authorities. Valid from
/// an hour ago: clocks differ.
[[nodiscard]] result<credentials>
make_authority(const std::string& cluster,
               std::chrono::days valid = authority_validity);

/// Makes a node's key, and its certificate, signed by `authority`. It ends with
/// the authority's at the latest. A member's is for both ends of a connection,
/// an observer's for the client's only.
[[nodiscard]] result<credentials> issue(const credentials& authority,
                                        const node_request& x);

} // namespace troupe::tls
