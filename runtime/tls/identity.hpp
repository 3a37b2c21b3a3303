#pragma once

#include "config/base/clock.hpp"
#include "config/base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct x509_st; // OpenSSL's X509

/// Who a node of a cluster is: what its certificate says (RFC 5280).
namespace troupe::tls {

/// What a node may be to the others.
enum class role : std::uint8_t {
  member,   ///< Is connected to, and connects.
  observer, ///< Only connects: its certificate is no server's.
};

/// `member` or `observer`.
[[nodiscard]] std::string_view to_string(role x) noexcept;

/// The other way round; nothing for any other word.
[[nodiscard]] std::optional<role> role_named(std::string_view word) noexcept;

/// What a certificate says about the node that holds its key.
struct identity {
  std::string name; ///< check_node_name holds.
  role as = role::member;
  time_ns expires = 0; ///< notAfter; later than 2262 is the end of time_ns.

  friend bool operator==(const identity&, const identity&) = default;
};

/// The subjectAltName URI that says it: `troupe:member:web-1`.
[[nodiscard]] std::string uri_of(const std::string& name, role as);

/// Reads the one `troupe:` URI of a certificate's subjectAltName; other names
/// there mean nothing to us. Neither signature nor dates are checked: that is
/// the handshake's. Leaves OpenSSL's queue of errors as it was, so it can be
/// called in the middle of one.
[[nodiscard]] result<identity> identity_of(const x509_st* certificate);

/// The same for the first certificate of a PEM text.
[[nodiscard]] result<identity> identity_of_pem(std::string_view pem);

} // namespace troupe::tls
