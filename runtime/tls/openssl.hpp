#pragma once

#include "config/base/clock.hpp"
#include "config/base/result.hpp"

#include <algorithm>
#include <climits>
#include <ctime>
#include <limits>
#include <memory>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string>
#include <string_view>

/// OpenSSL 3 with owners and failures, for the sources of this folder only.
namespace troupe::tls {

/// A deleter that calls one of OpenSSL's many.
template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* x) const noexcept {
    Free(x);
  }
};

using certificate_ptr = std::unique_ptr<X509, freed_by<X509_free>>;
using key_ptr = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;
using bio_ptr = std::unique_ptr<BIO, freed_by<BIO_free_all>>;
using number_ptr = std::unique_ptr<BIGNUM, freed_by<BN_free>>;
using extension_ptr
  = std::unique_ptr<X509_EXTENSION, freed_by<X509_EXTENSION_free>>;
using names_ptr = std::unique_ptr<GENERAL_NAMES, freed_by<GENERAL_NAMES_free>>;

/// Takes the errors of this scope out of the thread's queue at its end, and no
/// others: SSL_get_error(3) takes what it finds there for its own.
class own_errors {
public:
  own_errors() noexcept {
    ERR_set_mark();
  }

  own_errors(const own_errors&) = delete;
  own_errors& operator=(const own_errors&) = delete;

  ~own_errors() {
    ERR_pop_to_mark();
  }
};

/// What OpenSSL says about its latest error:
/// `PEM routines: no start line: Expecting: CERTIFICATE`.
[[nodiscard]] inline std::string openssl_text() {
  const char* data = nullptr;
  auto flags = 0;
  const auto code = ERR_peek_last_error_all(nullptr, nullptr, nullptr, &data,
                                            &flags);
  const auto* library = ERR_lib_error_string(code);
  const auto* reason = ERR_reason_error_string(code);
  if (!library || !reason)
    return "OpenSSL error " + std::to_string(code);
  auto out = std::string{library}.append(": ").append(reason);
  if (data && (flags & ERR_TXT_STRING) != 0 && *data != '\0')
    out.append(": ").append(data);
  return out;
}

/// `doing`, and what OpenSSL says about it.
[[nodiscard]] inline tl::unexpected<failure>
fail_openssl(std::string_view doing, fault code = fault::os) {
  return fail(failure{code, 0, openssl_text()}.during(doing));
}

/// A reader of `text`, which must outlive it.
[[nodiscard]] inline bio_ptr reader_of(std::string_view text) {
  // A length below 0 would mean "up to the first NUL", a null pointer an error.
  const auto size = std::min<std::size_t>(text.size(), INT_MAX);
  return bio_ptr{
    BIO_new_mem_buf(text.empty() ? "" : text.data(), static_cast<int>(size))};
}

/// For PEM readers: without one of ours they ask at the terminal.
inline int no_password(char*, int, int, void*) {
  return -1;
}

/// The first certificate of a PEM text.
[[nodiscard]] inline result<certificate_ptr>
read_certificate(std::string_view pem) {
  certificate_ptr out{
    PEM_read_bio_X509(reader_of(pem).get(), nullptr, no_password, nullptr)};
  if (!out)
    return fail_openssl("expected a certificate in PEM", fault::invalid_config);
  return out;
}

[[nodiscard]] inline result<key_ptr> read_key(std::string_view pem) {
  key_ptr out{PEM_read_bio_PrivateKey(reader_of(pem).get(), nullptr,
                                      no_password, nullptr)};
  if (!out)
    return fail_openssl("expected an unencrypted private key in PEM",
                        fault::invalid_config);
  return out;
}

/// A moment of a certificate. What time_ns cannot hold is its end or, before
/// 1970, 1: 0 means never.
[[nodiscard]] inline result<time_ns> time_of(const ASN1_TIME* at) {
  constexpr time_ns second = 1'000'000'000;
  std::tm fields{};
  if (ASN1_TIME_to_tm(at, &fields) != 1)
    return fail_openssl("expected a time", fault::invalid_config);
  const time_ns seconds = ::timegm(&fields);
  if (seconds > std::numeric_limits<time_ns>::max() / second)
    return std::numeric_limits<time_ns>::max();
  return std::max<time_ns>(seconds * second, 1);
}

} // namespace troupe::tls
