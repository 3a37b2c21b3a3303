#pragma once

#include "config/base/result.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <string>

/// Network devices between network namespaces: rtnetlink(7) through libnl. A
/// namespace is a descriptor of it. The caller is single-threaded: it enters
/// the namespaces for the moment in which a socket is made.
namespace troupe::sys {

/// Moves device `name` of namespace `from` to `to`, calls it `new_name` there
/// (with `%d` the kernel picks the number), gives it its permanent addresses of
/// global scope again, which a move takes away, and brings it up. Returns its
/// name in `to`. EEXIST: the name is taken there. A failure behind the move
/// moves it back, without its addresses.
[[nodiscard]] result<std::string> move_net_device(int from, int to,
                                                  const std::string& name,
                                                  const std::string& new_name);

} // namespace troupe::sys
