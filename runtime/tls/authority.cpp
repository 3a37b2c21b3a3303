#include "runtime/tls/authority.hpp"

#include "config/base/node_name.hpp"
#include "config/base/quote.hpp"
#include "runtime/tls/openssl.hpp"

#include <array>
#include <openssl/bn.h>
#include <span>
#include <utility>

namespace troupe::tls {

namespace {

constexpr long clock_skew = 3600; // seconds
constexpr int serial_bits = 128;

/// A row as a section of x509v3_config(5) has it.
struct extension {
  int nid;
  const char* value;
};

constexpr std::array authority_extensions{
  extension{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
  extension{NID_key_usage, "critical,keyCertSign,cRLSign"},
  extension{NID_subject_key_identifier, "hash"},
};

constexpr std::array node_extensions{
  extension{NID_basic_constraints, "critical,CA:FALSE"},
  extension{NID_key_usage, "critical,digitalSignature"},
  extension{NID_subject_key_identifier, "hash"},
  extension{NID_authority_key_identifier, "keyid:always"},
};

constexpr const char* usage_of(role as) {
  return as == role::member ? "serverAuth,clientAuth" : "clientAuth";
}

/// A certificate with its private key.
struct key_pair {
  certificate_ptr certificate;
  key_ptr key;
};

outcome check_validity(std::chrono::days valid) {
  if (valid >= std::chrono::days{1} && valid <= longest_validity)
    return {};
  return fail(fault::invalid_config,
              "validity: expected 1 to "
                + std::to_string(longest_validity.count()) + " days, found "
                + std::to_string(valid.count()));
}

/// Positive, and of the same length each time: RFC 5280, 4.1.2.2.
outcome set_serial(X509* to) {
  const number_ptr number{BN_new()};
  if (!number
      || BN_rand(number.get(), serial_bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY)
           != 1
      || !BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(to)))
    return fail_openssl("make a serial number");
  return {};
}

outcome set_subject(X509* to, const std::string& name) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(name.data());
  if (X509_NAME_add_entry_by_NID(X509_get_subject_name(to), NID_commonName,
                                 MBSTRING_UTF8, bytes,
                                 static_cast<int>(name.size()), -1, 0)
      != 1)
    return fail_openssl("common name " + quote(name), fault::invalid_config);
  return {};
}

outcome set_dates(X509* to, std::chrono::days valid) {
  if (!X509_gmtime_adj(X509_getm_notBefore(to), -clock_skew)
      || !X509_time_adj_ex(X509_getm_notAfter(to),
                           static_cast<int>(valid.count()), 0, nullptr))
    return fail_openssl("set the dates");
  return {};
}

outcome add_extensions(X509* to, X509* issuer,
                       std::span<const extension> rows) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, issuer, to, nullptr, nullptr, 0);
  for (const auto& [nid, value] : rows) {
    const extension_ptr made{
      X509V3_EXT_nconf_nid(nullptr, &context, nid, value)};
    if (!made || X509_add_ext(to, made.get(), -1) != 1)
      return fail_openssl("add " + std::string{OBJ_nid2ln(nid)});
  }
  return {};
}

/// A new key, and a certificate for it that lacks extensions and issuer.
result<key_pair> begin(const std::string& name, std::chrono::days valid) {
  TROUPE_CHECK(check_validity(valid));
  key_pair out{certificate_ptr{X509_new()}, key_ptr{EVP_EC_gen("P-256")}};
  if (!out.certificate || !out.key
      || X509_set_version(out.certificate.get(), X509_VERSION_3) != 1
      || X509_set_pubkey(out.certificate.get(), out.key.get()) != 1)
    return fail_openssl("make a P-256 key");
  TROUPE_CHECK(set_serial(out.certificate.get()));
  TROUPE_CHECK(set_subject(out.certificate.get(), name));
  TROUPE_CHECK(set_dates(out.certificate.get(), valid));
  return out;
}

outcome sign(X509* certificate, const X509* issuer, EVP_PKEY* with) {
  if (X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) != 1
      || X509_sign(certificate, with, EVP_sha256()) == 0)
    return fail_openssl("sign the certificate");
  return {};
}

result<credentials> written(const key_pair& x) {
  const bio_ptr certificate{BIO_new(BIO_s_mem())};
  const bio_ptr key{BIO_new(BIO_s_mem())};
  if (!certificate || !key
      || PEM_write_bio_X509(certificate.get(), x.certificate.get()) != 1
      || PEM_write_bio_PKCS8PrivateKey(key.get(), x.key.get(), nullptr, nullptr,
                                       0, nullptr, nullptr)
           != 1)
    return fail_openssl("write PEM");
  const auto text_of = [](BIO* from) {
    char* data = nullptr;
    const auto size = BIO_get_mem_data(from, &data);
    return std::string{data, static_cast<std::size_t>(size)};
  };
  return credentials{text_of(certificate.get()), text_of(key.get())};
}

/// What issues must be an authority, now, and have its own key.
outcome check_authority(const key_pair& x) {
  if (X509_check_ca(x.certificate.get()) != 1)
    return fail(fault::invalid_config,
                "expected an authority's certificate, found another's");
  if (X509_check_private_key(x.certificate.get(), x.key.get()) != 1)
    return fail_openssl("the key is not the certificate's",
                        fault::invalid_config);
  TROUPE_TRY(const auto end, time_of(X509_get0_notAfter(x.certificate.get())));
  if (end <= now_ns())
    return fail(fault::invalid_config, "its certificate ended " + rfc3339(end));
  return {};
}

result<key_pair> read_authority(const credentials& x) {
  TROUPE_TRY(auto certificate, read_certificate(x.certificate));
  TROUPE_TRY(auto key, read_key(x.key));
  key_pair out{std::move(certificate), std::move(key)};
  TROUPE_CHECK(check_authority(out));
  return out;
}

/// A certificate of later end than its issuer's would be void then anyway.
outcome end_with(X509* certificate, const X509* issuer) {
  const auto* end = X509_get0_notAfter(issuer);
  if (ASN1_TIME_compare(X509_get0_notAfter(certificate), end) > 0
      && X509_set1_notAfter(certificate, end) != 1)
    return fail_openssl("set the end");
  return {};
}

outcome describe_node(X509* to, X509* issuer, const node_request& x) {
  TROUPE_CHECK(add_extensions(to, issuer, node_extensions));
  const auto name = "URI:" + uri_of(x.name, x.as);
  return add_extensions(
    to, issuer,
    std::array{extension{NID_ext_key_usage, usage_of(x.as)},
               extension{NID_subject_alt_name, name.c_str()}});
}

} // namespace

result<credentials> make_authority(const std::string& cluster,
                                   std::chrono::days valid) {
  const own_errors scope;
  TROUPE_TRY(const auto made, begin(cluster, valid));
  auto* certificate = made.certificate.get();
  TROUPE_CHECK(add_extensions(certificate, certificate, authority_extensions));
  TROUPE_CHECK(sign(certificate, certificate, made.key.get()));
  return written(made);
}

result<credentials> issue(const credentials& authority, const node_request& x) {
  const own_errors scope;
  TROUPE_CHECK(check_node_name(x.name));
  const auto issuer = read_authority(authority);
  if (!issuer)
    return fail(failure{issuer.error()}.during("authority"));
  TROUPE_TRY(const auto made, begin(x.name, x.valid));
  auto* certificate = made.certificate.get();
  TROUPE_CHECK(end_with(certificate, issuer->certificate.get()));
  TROUPE_CHECK(describe_node(certificate, issuer->certificate.get(), x));
  TROUPE_CHECK(sign(certificate, issuer->certificate.get(), issuer->key.get()));
  return written(made);
}

} // namespace troupe::tls
