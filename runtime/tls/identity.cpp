#include "runtime/tls/identity.hpp"

#include "config/base/node_name.hpp"
#include "config/base/quote.hpp"
#include "runtime/tls/openssl.hpp"

#include <array>
#include <utility>

namespace troupe::tls {

namespace {

constexpr std::string_view uri_scheme = "troupe:";

constexpr std::array<std::string_view, 2> role_names{"member", "observer"};
static_assert(role_names.size()
              == static_cast<std::size_t>(role::observer) + 1);

tl::unexpected<failure> wrong_names(std::string_view found) {
  auto what = std::string{"subjectAltName: expected one troupe: URI, found "};
  return fail(fault::invalid_config, what.append(found));
}

/// With its length: a NUL in it ends nothing.
std::string_view bytes_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

/// Null if there is no subjectAltName.
result<names_ptr> names_of(const X509* certificate) {
  auto critical = 0;
  names_ptr out{static_cast<GENERAL_NAMES*>(
    X509_get_ext_d2i(certificate, NID_subject_alt_name, &critical, nullptr))};
  // X509_get_ext_d2i(3): -1 there is none, -2 there are several.
  if (!out && critical == -2)
    return wrong_names("several subjectAltNames");
  if (!out && critical != -1)
    return fail_openssl("subjectAltName", fault::invalid_config);
  return out;
}

/// The one `troupe:` URI.
result<std::string> uri_in(const X509* certificate) {
  TROUPE_TRY(const auto names, names_of(certificate));
  std::string out;
  const auto count = names ? sk_GENERAL_NAME_num(names.get()) : 0;
  for (auto i = 0; i < count; ++i) {
    const auto* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI)
      continue;
    const auto uri = bytes_of(name->d.uniformResourceIdentifier);
    if (!uri.starts_with(uri_scheme))
      continue;
    if (!out.empty())
      return wrong_names(quote(out) + " and " + quote(uri));
    out = uri;
  }
  if (out.empty())
    return wrong_names("none");
  return out;
}

result<identity> parse_uri(const std::string& uri) {
  const auto rest = std::string_view{uri}.substr(uri_scheme.size());
  const auto colon = rest.find(':');
  if (colon == rest.npos)
    return fail(fault::invalid_config,
                quote(uri) + ": expected troupe:ROLE:NAME");
  const auto word = rest.substr(0, colon);
  const auto as = role_named(word);
  if (!as)
    return fail(fault::invalid_config, quote(uri) + ": expected role "
                                         + joined(role_names) + ", found "
                                         + quote(word));
  const auto name = rest.substr(colon + 1);
  TROUPE_CHECK(check_node_name(name));
  return identity{std::string{name}, *as, 0};
}

result<identity> read_identity(const X509* certificate) {
  TROUPE_TRY(const auto uri, uri_in(certificate));
  TROUPE_TRY(auto out, parse_uri(uri));
  TROUPE_TRY(out.expires, time_of(X509_get0_notAfter(certificate)));
  return out;
}

} // namespace

std::string_view to_string(role x) noexcept {
  const auto index = static_cast<std::size_t>(x);
  return index < role_names.size() ? role_names[index] : "unknown";
}

std::optional<role> role_named(std::string_view word) noexcept {
  for (std::size_t i = 0; i < role_names.size(); ++i)
    if (role_names[i] == word)
      return static_cast<role>(i);
  return std::nullopt;
}

std::string uri_of(const std::string& name, role as) {
  return std::string{uri_scheme}.append(to_string(as)).append(":").append(name);
}

result<identity> identity_of(const x509_st* certificate) {
  const own_errors scope;
  auto out = read_identity(certificate);
  if (!out)
    return fail(std::move(out).error().during("certificate"));
  return out;
}

result<identity> identity_of_pem(std::string_view pem) {
  const own_errors scope;
  TROUPE_TRY(const auto certificate, read_certificate(pem));
  return identity_of(certificate.get());
}

} // namespace troupe::tls
