#pragma once

#include <string>

namespace troupe::tls {

/// 128 random bits in hexadecimal: nobody guesses it.
[[nodiscard]] std::string random_token();

} // namespace troupe::tls
