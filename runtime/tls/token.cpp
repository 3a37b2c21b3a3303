#include "runtime/tls/token.hpp"

#include <array>
#include <cstdlib>
#include <openssl/rand.h>

namespace troupe::tls {

std::string random_token() {
  constexpr auto digits = "0123456789abcdef";
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), bytes.size()) != 1)
    std::abort(); // Without the kernel's randomness nothing here is safe.
  std::string out;
  for (const auto byte : bytes) {
    out += digits[byte >> 4U];
    out += digits[byte & 15U];
  }
  return out;
}

} // namespace troupe::tls
