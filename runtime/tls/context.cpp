#include "runtime/tls/context.hpp"

#include "runtime/tls/openssl.hpp"

#include <array>
#include <cstdint>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <vector>

namespace troupe::tls {

namespace {

/// The list of one that the TLS extension is.
std::vector<std::uint8_t> wire_form(std::string_view protocol) {
  std::vector<std::uint8_t> out{static_cast<std::uint8_t>(protocol.size())};
  out.insert(out.end(), protocol.begin(), protocol.end());
  return out;
}

/// A client that offers neither is refused; one that offers nothing, as older
/// HTTP clients do, is not.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* size,
                    const unsigned char* offered, unsigned offered_size,
                    void*) {
  for (const auto each : {node_protocol, http_protocol}) {
    const auto wanted = wire_form(each);
    unsigned char* found = nullptr;
    if (SSL_select_next_proto(&found, size, wanted.data(),
                              static_cast<unsigned>(wanted.size()), offered,
                              offered_size)
        != OPENSSL_NPN_NEGOTIATED)
      continue;
    // What was found lies in `offered` or in `wanted`, which ends here.
    *out = reinterpret_cast<const unsigned char*>(each.data());
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

outcome check_issuer(X509_STORE* trusted, X509* certificate) {
  const std::unique_ptr<X509_STORE_CTX, freed_by<X509_STORE_CTX_free>> check{
    X509_STORE_CTX_new()};
  if (!check
      || X509_STORE_CTX_init(check.get(), trusted, certificate, nullptr) != 1)
    return fail_openssl("check the certificate");
  if (X509_verify_cert(check.get()) == 1)
    return {};
  return fail(
    fault::invalid_config,
    std::string{"the certificate: "}
      + X509_verify_cert_error_string(X509_STORE_CTX_get_error(check.get())));
}

} // namespace

void context_deleter::operator()(ssl_ctx_st* x) const noexcept {
  SSL_CTX_free(x);
}

result<context> make_context(std::string_view authority,
                             const credentials& own) {
  const own_errors none_left;
  TROUPE_TRY(const auto ca, read_certificate(authority));
  TROUPE_TRY(const auto certificate, read_certificate(own.certificate));
  TROUPE_TRY(const auto key, read_key(own.key));
  context out{SSL_CTX_new(TLS_method())};
  if (!out)
    return fail_openssl("make a TLS context");
  auto* to = out.get();
  SSL_CTX_set_min_proto_version(to, TLS1_3_VERSION);
  SSL_CTX_set_options(to, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_num_tickets(to, 0);
  SSL_CTX_set_session_cache_mode(to, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(to, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(to, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                     nullptr);
  SSL_CTX_set_verify_depth(to, 1);
  SSL_CTX_set_alpn_select_cb(to, choose_protocol, nullptr);
  if (X509_STORE_add_cert(SSL_CTX_get_cert_store(to), ca.get()) != 1
      || SSL_CTX_use_certificate(to, certificate.get()) != 1
      || SSL_CTX_use_PrivateKey(to, key.get()) != 1
      || SSL_CTX_check_private_key(to) != 1)
    return fail_openssl("use certificate and key");
  TROUPE_CHECK(check_issuer(SSL_CTX_get_cert_store(to), certificate.get()));
  return out;
}

outcome offer(ssl_st* on, std::string_view protocol) {
  const auto list = wire_form(protocol);
  if (SSL_set_alpn_protos(on, list.data(), static_cast<unsigned>(list.size()))
      != 0)
    return fail_openssl("offer a protocol");
  return {};
}

std::string_view chosen_protocol(const ssl_st* on) {
  const unsigned char* name = nullptr;
  auto size = 0U;
  SSL_get0_alpn_selected(on, &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

} // namespace troupe::tls
