// What the authority makes is judged by OpenSSL's own verification.

#include "runtime/tls/authority.hpp"
#include "runtime/tls/identity.hpp"
#include "runtime/tls/openssl.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <chrono>
#include <limits>
#include <memory>
#include <openssl/bn.h>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::tls_authority_test {

using namespace tls;
using Catch::Contains;
using std::chrono::days;

namespace {

using store_ptr = std::unique_ptr<X509_STORE, freed_by<X509_STORE_free>>;
using store_ctx_ptr
  = std::unique_ptr<X509_STORE_CTX, freed_by<X509_STORE_CTX_free>>;

certificate_ptr parsed(const std::string& pem) {
  return read_certificate(pem).value();
}

key_ptr parsed_key(const std::string& pem) {
  key_ptr out{PEM_read_bio_PrivateKey(reader_of(pem).get(), nullptr,
                                      no_password, nullptr)};
  REQUIRE(out);
  return out;
}

time_ns end_of(const std::string& pem) {
  return time_of(X509_get0_notAfter(parsed(pem).get())).value();
}

time_ns start_of(const std::string& pem) {
  return time_of(X509_get0_notBefore(parsed(pem).get())).value();
}

/// X509_V_OK, or why `leaf` is not to be trusted for `purpose`.
int verdict(const std::string& leaf, const std::string& authority,
            int purpose) {
  const store_ptr trusted{X509_STORE_new()};
  const store_ctx_ptr check{X509_STORE_CTX_new()};
  const auto certificate = parsed(leaf);
  REQUIRE(X509_STORE_add_cert(trusted.get(), parsed(authority).get()) == 1);
  REQUIRE(
    X509_STORE_CTX_init(check.get(), trusted.get(), certificate.get(), nullptr)
    == 1);
  REQUIRE(X509_STORE_CTX_set_purpose(check.get(), purpose) == 1);
  // The checks that OpenSSL leaves out for the sake of old certificates.
  X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(check.get()),
                              X509_V_FLAG_X509_STRICT);
  const auto good = X509_verify_cert(check.get()) == 1;
  const auto error = X509_STORE_CTX_get_error(check.get());
  REQUIRE(good == (error == X509_V_OK));
  return error;
}

/// The words that `openssl x509 -text` would have for an extension; empty if it
/// is not there.
std::string extension_text(const std::string& pem, int nid) {
  const auto certificate = parsed(pem);
  const auto at = X509_get_ext_by_NID(certificate.get(), nid, -1);
  if (at < 0)
    return {};
  auto* extension = X509_get_ext(certificate.get(), at);
  const bio_ptr text{BIO_new(BIO_s_mem())};
  REQUIRE(X509V3_EXT_print(text.get(), extension, 0, 0) == 1);
  char* data = nullptr;
  const auto size = BIO_get_mem_data(text.get(), &data);
  return (X509_EXTENSION_get_critical(extension) == 1 ? "critical " : "")
         + std::string{data, static_cast<std::size_t>(size)};
}

std::string common_name(const X509_NAME* of) {
  std::array<char, 128> out{};
  REQUIRE(X509_NAME_get_text_by_NID(of, NID_commonName, out.data(),
                                    static_cast<int>(out.size()))
          > 0);
  return out.data();
}

/// A certificate as nobody of ours makes it. `ends` is in seconds from now,
/// each of `names` a section of x509v3_config(5).
struct odd_certificate {
  std::vector<std::string> names;
  long ends = 3600;
  const char* constraints = "critical,CA:FALSE";
};

void add_extension(X509* to, int nid, const std::string& value) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, to, to, nullptr, nullptr, 0);
  const extension_ptr made{
    X509V3_EXT_nconf_nid(nullptr, &context, nid, value.c_str())};
  REQUIRE(made);
  REQUIRE(X509_add_ext(to, made.get(), -1) == 1);
}

std::string pem_of(X509* certificate) {
  const bio_ptr text{BIO_new(BIO_s_mem())};
  REQUIRE(PEM_write_bio_X509(text.get(), certificate) == 1);
  char* data = nullptr;
  const auto size = BIO_get_mem_data(text.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

/// Self-signed with the key of `keys`.
std::string made_of(const odd_certificate& x, const credentials& keys) {
  const certificate_ptr out{X509_new()};
  const auto key = parsed_key(keys.key);
  REQUIRE(X509_set_version(out.get(), X509_VERSION_3) == 1);
  REQUIRE(X509_set_pubkey(out.get(), key.get()) == 1);
  REQUIRE(X509_gmtime_adj(X509_getm_notBefore(out.get()), -86400));
  REQUIRE(X509_gmtime_adj(X509_getm_notAfter(out.get()), x.ends));
  add_extension(out.get(), NID_basic_constraints, x.constraints);
  add_extension(out.get(), NID_subject_key_identifier, "hash");
  for (const auto& each : x.names)
    add_extension(out.get(), NID_subject_alt_name, each);
  REQUIRE(X509_sign(out.get(), key.get(), EVP_sha256()) > 0);
  return pem_of(out.get());
}

/// A certificate whose one URI has these bytes, be they what they may.
std::string with_uri(std::string_view uri, const credentials& keys) {
  const auto out = parsed(made_of({}, keys));
  const names_ptr names{sk_GENERAL_NAME_new_null()};
  auto* text = ASN1_IA5STRING_new();
  REQUIRE(ASN1_STRING_set(text, uri.data(), static_cast<int>(uri.size())) == 1);
  auto* name = GENERAL_NAME_new();
  GENERAL_NAME_set0_value(name, GEN_URI, text);
  REQUIRE(sk_GENERAL_NAME_push(names.get(), name) == 1);
  REQUIRE(X509_add1_ext_i2d(out.get(), NID_subject_alt_name, names.get(), 0,
                            X509V3_ADD_DEFAULT)
          == 1);
  const auto key = parsed_key(keys.key);
  REQUIRE(X509_sign(out.get(), key.get(), EVP_sha256()) > 0);
  return pem_of(out.get());
}

std::string why_not(const result<credentials>& x) {
  REQUIRE_FALSE(x);
  CHECK(x.error().code == fault::invalid_config);
  return x.error().what;
}

std::string why_not(const result<identity>& x) {
  REQUIRE_FALSE(x);
  CHECK(x.error().code == fault::invalid_config);
  return x.error().what;
}

struct fixture {
  credentials issued(const std::string& name, role as = role::member) const {
    return issue(authority, {name, as}).value();
  }

  credentials authority = make_authority("production").value();
};

constexpr time_ns day = 86'400'000'000'000;

} // namespace

TEST_CASE_METHOD(fixture, "a member is trusted at both ends of a connection",
                 "[tls]") {
  const auto node = issued("web-1");
  for (const auto purpose : {X509_PURPOSE_SSL_SERVER, X509_PURPOSE_SSL_CLIENT})
    CHECK(verdict(node.certificate, authority.certificate, purpose)
          == X509_V_OK);
}

TEST_CASE_METHOD(fixture, "an observer is trusted as a client only", "[tls]") {
  const auto node = issued("dashboard", role::observer);
  CHECK(
    verdict(node.certificate, authority.certificate, X509_PURPOSE_SSL_CLIENT)
    == X509_V_OK);
  CHECK(
    verdict(node.certificate, authority.certificate, X509_PURPOSE_SSL_SERVER)
    == X509_V_ERR_INVALID_PURPOSE);
}

TEST_CASE_METHOD(fixture, "another authority's node is not trusted", "[tls]") {
  // Of the same name, so that only keys tell them apart.
  const auto other = make_authority("production").value();
  const auto node = issued("web-1");
  CHECK(verdict(node.certificate, other.certificate, X509_PURPOSE_SSL_SERVER)
        != X509_V_OK);
}

TEST_CASE_METHOD(fixture, "a node cannot issue", "[tls]") {
  const auto node = issued("web-1");
  CHECK(why_not(issue(node, {"web-2"}))
        == "authority: expected an authority's certificate, found another's");
}

TEST_CASE_METHOD(fixture, "certificates say what they are for", "[tls]") {
  const auto node = issued("web-1").certificate;
  const auto observer = issued("web-2", role::observer).certificate;
  CHECK(extension_text(authority.certificate, NID_basic_constraints)
        == "critical CA:TRUE, pathlen:0");
  CHECK(extension_text(authority.certificate, NID_key_usage)
        == "critical Certificate Sign, CRL Sign");
  CHECK(extension_text(node, NID_basic_constraints) == "critical CA:FALSE");
  CHECK(extension_text(node, NID_key_usage) == "critical Digital Signature");
  CHECK(extension_text(node, NID_ext_key_usage)
        == "TLS Web Server Authentication, TLS Web Client Authentication");
  CHECK(extension_text(observer, NID_ext_key_usage)
        == "TLS Web Client Authentication");
  CHECK(extension_text(node, NID_subject_alt_name)
        == "URI:troupe:member:web-1");
  CHECK(extension_text(observer, NID_subject_alt_name)
        == "URI:troupe:observer:web-2");
  const auto own = extension_text(authority.certificate,
                                  NID_subject_key_identifier);
  CHECK_FALSE(own.empty());
  CHECK_THAT(extension_text(node, NID_authority_key_identifier), Contains(own));
  CHECK_FALSE(extension_text(node, NID_subject_key_identifier).empty());
}

TEST_CASE_METHOD(fixture, "names are common names", "[tls]") {
  const auto ca = parsed(authority.certificate);
  const auto node = parsed(issued("web-1").certificate);
  CHECK(common_name(X509_get_subject_name(ca.get())) == "production");
  CHECK(common_name(X509_get_issuer_name(ca.get())) == "production");
  CHECK(common_name(X509_get_subject_name(node.get())) == "web-1");
  CHECK(common_name(X509_get_issuer_name(node.get())) == "production");
}

TEST_CASE_METHOD(fixture, "keys are P-256, PKCS#8 and the certificate's",
                 "[tls]") {
  const auto node = issued("web-1");
  for (const auto* each : {&std::as_const(authority), &node}) {
    CHECK(each->key.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    const auto key = parsed_key(each->key);
    std::array<char, 32> group{};
    REQUIRE(
      EVP_PKEY_get_group_name(key.get(), group.data(), group.size(), nullptr)
      == 1);
    CHECK(std::string{group.data()} == "prime256v1");
    CHECK(X509_check_private_key(parsed(each->certificate).get(), key.get())
          == 1);
  }
  CHECK(node.key != authority.key);
}

TEST_CASE_METHOD(fixture, "serial numbers have 128 bits, and differ", "[tls]") {
  std::set<std::string> seen;
  for (auto i = 0; i < 20; ++i) {
    const auto node = parsed(issued("web-1").certificate);
    const number_ptr serial{
      ASN1_INTEGER_to_BN(X509_get0_serialNumber(node.get()), nullptr)};
    CHECK_FALSE(BN_is_negative(serial.get()));
    CHECK(BN_num_bits(serial.get()) == 128);
    auto* const digits = BN_bn2hex(serial.get());
    CHECK(seen.insert(digits).second);
    OPENSSL_free(digits);
  }
}

TEST_CASE_METHOD(fixture, "certificates are valid from an hour ago", "[tls]") {
  const auto before = now_ns();
  const auto node = issue(authority, {"web-1", role::member, days{2}}).value();
  const auto since = before - start_of(node.certificate);
  const auto until = end_of(node.certificate) - before;
  // A second of rounding, and a minute for a slow host.
  CHECK(since > 3'538'000'000'000);
  CHECK(since <= 3'601'000'000'000);
  CHECK(until > 2 * day - 2'000'000'000);
  CHECK(until < 2 * day + 60'000'000'000);
}

TEST_CASE("a node's certificate ends with its authority's at the latest",
          "[tls]") {
  const auto authority = make_authority("brief", days{10}).value();
  const auto cut = issue(authority, {"a", role::member, days{365}}).value();
  CHECK(end_of(cut.certificate) == end_of(authority.certificate));
  const auto whole = issue(authority, {"a", role::member, days{9}}).value();
  CHECK(end_of(whole.certificate) < end_of(authority.certificate));
}

TEST_CASE_METHOD(fixture, "an authority whose time is over does not issue",
                 "[tls]") {
  const odd_certificate over{{}, -60, "critical,CA:TRUE"};
  const credentials ended{made_of(over, authority), authority.key};
  CHECK_THAT(why_not(issue(ended, {"web-1"})),
             Catch::StartsWith("authority: its certificate ended 20"));
  const odd_certificate still{{}, 60, "critical,CA:TRUE"};
  CHECK(issue({made_of(still, authority), authority.key}, {"web-1"}));
}

TEST_CASE_METHOD(fixture, "validity is bounded", "[tls]") {
  for (const auto valid : {days{-1}, days{0}, days{36501}}) {
    CHECK_THAT(why_not(make_authority("c", valid)),
               Contains("validity: expected 1 to 36500 days, found "
                        + std::to_string(valid.count())));
    CHECK_THAT(why_not(issue(authority, {"web-1", role::member, valid})),
               Contains("validity: expected"));
  }
  CHECK(make_authority("c", longest_validity));
}

TEST_CASE_METHOD(fixture, "wrong names are refused", "[tls]") {
  CHECK_THAT(why_not(issue(authority, {"Web"})), Contains("node name 'Web'"));
  CHECK_THAT(why_not(issue(authority, {"a,URI:troupe:member:b"})),
             Contains("found ','"));
  CHECK_THAT(why_not(make_authority(std::string(65, 'x'))),
             Contains("common name 'xxx") && Contains("string too long"));
  CHECK_THAT(why_not(make_authority("")), Contains("string too short"));
  CHECK_THAT(why_not(make_authority("\xff")), Contains("common name '\\xff'"));
}

TEST_CASE_METHOD(fixture,
                 "what is no authority is refused with OpenSSL's words",
                 "[tls][bad]") {
  const auto other = make_authority("other").value();
  CHECK_THAT(why_not(issue({"garbage", authority.key}, {"web-1"})),
             Catch::StartsWith("authority: expected a certificate in PEM: ")
               && Contains("no start line"));
  CHECK_THAT(why_not(issue({authority.certificate, "garbage"}, {"web-1"})),
             Catch::StartsWith("authority: expected an unencrypted private key "
                               "in PEM: "));
  CHECK_THAT(why_not(issue({"", ""}, {"web-1"})),
             Contains("expected a certificate in PEM"));
  CHECK_THAT(why_not(issue({authority.certificate, other.key}, {"web-1"})),
             Catch::StartsWith("authority: the key is not the certificate's: ")
               && Contains("key values mismatch"));
}

TEST_CASE_METHOD(fixture, "an encrypted key is refused, nobody is asked",
                 "[tls][bad]") {
  const auto key = parsed_key(authority.key);
  const bio_ptr text{BIO_new(BIO_s_mem())};
  char password[] = "secret";
  REQUIRE(PEM_write_bio_PKCS8PrivateKey(text.get(), key.get(),
                                        EVP_aes_128_cbc(), password, 6, nullptr,
                                        nullptr)
          == 1);
  char* data = nullptr;
  const auto size = BIO_get_mem_data(text.get(), &data);
  const std::string pem{data, static_cast<std::size_t>(size)};
  REQUIRE_THAT(pem, Contains("ENCRYPTED"));
  CHECK_THAT(why_not(issue({authority.certificate, pem}, {"web-1"})),
             Contains("expected an unencrypted private key"));
}

TEST_CASE_METHOD(fixture, "an identity is what the certificate was issued for",
                 "[tls]") {
  const std::string longest(63, 'n');
  for (const auto as : {role::member, role::observer})
    for (const auto& name : {std::string{"web-1"}, longest}) {
      const auto node = issued(name, as);
      const identity expected{name, as, end_of(node.certificate)};
      CHECK(identity_of_pem(node.certificate).value() == expected);
      CHECK(identity_of(parsed(node.certificate).get()).value() == expected);
    }
}

TEST_CASE("roles have names") {
  CHECK(role_named("member") == role::member);
  CHECK(role_named("observer") == role::observer);
  for (const auto* word : {"", "Member", "members", "boss"})
    CHECK_FALSE(role_named(word));
  CHECK(uri_of("a", role::observer) == "troupe:observer:a");
}

TEST_CASE_METHOD(fixture, "an identity needs exactly one troupe: URI",
                 "[tls][bad]") {
  const auto refusal = [this](const std::vector<std::string>& names) {
    return why_not(identity_of_pem(made_of({names}, authority)));
  };
  const std::string expected{
    "certificate: subjectAltName: expected one troupe: URI, found "};
  CHECK(refusal({}) == expected + "none");
  CHECK(refusal({"DNS:troupe,URI:https://troupe/"}) == expected + "none");
  CHECK(refusal({"DNS:troupe:member:web-1"}) == expected + "none");
  CHECK(refusal({"URI:troupe:member:a,URI:troupe:observer:a"})
        == expected + "'troupe:member:a' and 'troupe:observer:a'");
  CHECK(refusal({"URI:troupe:member:a,URI:troupe:member:a"})
        == expected + "'troupe:member:a' and 'troupe:member:a'");
  CHECK(refusal({"URI:troupe:member:a", "URI:troupe:member:b"})
        == expected + "several subjectAltNames");
  CHECK(why_not(identity_of_pem(authority.certificate)) == expected + "none");
  const auto beside = made_of({{"DNS:a.example,URI:spiffe://x,URI:troupe:"
                                "member:a"}},
                              authority);
  CHECK(identity_of_pem(beside).value().name == "a");
}

TEST_CASE_METHOD(fixture, "an identity has a known role and a valid name",
                 "[tls][bad]") {
  using namespace std::string_view_literals;
  const auto refusal = [this](std::string_view uri) {
    return why_not(identity_of_pem(with_uri(uri, authority)));
  };
  REQUIRE(identity_of_pem(with_uri("troupe:member:web-1", authority)));
  CHECK(refusal("troupe:boss:web-1")
        == "certificate: 'troupe:boss:web-1': expected role member, observer, "
           "found 'boss'");
  CHECK(refusal("troupe::web-1")
        == "certificate: 'troupe::web-1': expected role member, observer, "
           "found ''");
  CHECK(refusal("troupe:member")
        == "certificate: 'troupe:member': expected troupe:ROLE:NAME");
  CHECK_THAT(refusal("troupe:member:"), Contains("node name ''"));
  CHECK_THAT(refusal("troupe:member:Web"), Contains("node name 'Web'"));
  CHECK_THAT(refusal("troupe:member:a:b"), Contains("found ':'"));
  CHECK_THAT(refusal("troupe:member:web\0.evil"sv), Contains("found '\\x00'"));
  CHECK_THAT(refusal("troupe:member\0:web"sv), Contains("'member\\x00'"));
}

TEST_CASE_METHOD(fixture, "a subjectAltName that cannot be decoded is refused",
                 "[tls][bad]") {
  const auto out = parsed(made_of({}, authority));
  add_extension(out.get(), NID_subject_alt_name, "DER:30:05:01");
  ERR_clear_error();
  ERR_raise(ERR_LIB_USER, ERR_R_INTERNAL_ERROR); // of somebody else
  const auto before = ERR_peek_last_error();
  CHECK_THAT(why_not(identity_of(out.get())),
             Catch::StartsWith("certificate: subjectAltName: ")
               && Contains("asn1"));
  // Nothing is left in the queue for SSL_get_error(3) to find.
  CHECK(ERR_get_error() == before);
  CHECK(ERR_get_error() == 0);
}

TEST_CASE_METHOD(fixture, "text that is no certificate is refused",
                 "[tls][bad]") {
  for (const auto& text :
       {std::string{}, std::string{"garbage"}, authority.key,
        std::string{"-----BEGIN CERTIFICATE-----\nAAAA\n-----END "
                    "CERTIFICATE-----\n"},
        authority.certificate.substr(0, 300)})
    CHECK_THAT(why_not(identity_of_pem(text)),
               Catch::StartsWith("expected a certificate in PEM: ")
                 && Contains(" routines: "));
  CHECK(identity_of_pem({}).error().what
        == "expected a certificate in PEM: PEM routines: no start line: "
           "Expecting: CERTIFICATE");
}

TEST_CASE_METHOD(fixture, "an end that time_ns cannot hold is its end",
                 "[tls]") {
  const auto out = parsed(with_uri("troupe:member:a", authority));
  REQUIRE(ASN1_TIME_set_string(X509_getm_notAfter(out.get()), "99991231235959Z")
          == 1);
  CHECK(identity_of(out.get()).value().expires
        == std::numeric_limits<time_ns>::max());
  REQUIRE(ASN1_TIME_set_string(X509_getm_notAfter(out.get()), "19500101000000Z")
          == 1);
  CHECK(identity_of(out.get()).value().expires == 1);
}

} // namespace troupe::tls_authority_test
