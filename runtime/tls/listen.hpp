#pragma once

#include "config/base/result.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <string>

/// Listening TCP sockets: tcp(7), ip(7), ipv6(7).
namespace troupe::tls {

/// Listens at an address or the first one of a name, non-blocking and CLOEXEC.
/// `0.0.0.0`, or `::` for IPv4 as well: everywhere.
[[nodiscard]] result<sys::unique_fd> listen(const std::string& host,
                                            const std::string& port);

} // namespace troupe::tls
