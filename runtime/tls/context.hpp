#pragma once

#include "config/base/result.hpp"
#include "runtime/tls/authority.hpp"

#include <memory>
#include <string_view>

struct ssl_ctx_st;
struct ssl_st;

/// The one way in which nodes speak TLS: version 1.3, both sides with a
/// certificate of the cluster's authority, no session tickets.
namespace troupe::tls {

/// The protocols that are spoken inside, ALPN (RFC 7301).
inline constexpr std::string_view node_protocol = "troupe-node";
inline constexpr std::string_view http_protocol = "http/1.1";

struct context_deleter {
  void operator()(ssl_ctx_st* x) const noexcept;
};
using context = std::unique_ptr<ssl_ctx_st, context_deleter>;

/// For both ends of connections. `authority`: its certificate, PEM, by which
/// `own` must be signed.
[[nodiscard]] result<context> make_context(std::string_view authority,
                                           const credentials& own);

/// Offers `protocol` on a connection that is to be made.
[[nodiscard]] outcome offer(ssl_st* on, std::string_view protocol);

/// What both sides have agreed on, after the handshake; empty: nothing.
[[nodiscard]] std::string_view chosen_protocol(const ssl_st* on);

} // namespace troupe::tls
