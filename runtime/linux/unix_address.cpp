#include "runtime/linux/unix_address.hpp"

#include <algorithm>
#include <sys/socket.h>

namespace troupe::sys {

result<sockaddr_un> unix_address(const std::string& path) {
  sockaddr_un out{};
  out.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof out.sun_path)
    return fail(fault::invalid_config,
                "socket path " + path + ": expected 1 to "
                  + std::to_string(sizeof out.sun_path - 1) + " bytes, found "
                  + std::to_string(path.size()));
  std::ranges::copy(path, out.sun_path);
  return out;
}

} // namespace troupe::sys
