#include "actors/gateway/targets.hpp"

#include "actors/gateway/faults.hpp"

namespace troupe::gateway {

result<msg::resize_terminal> terminal_size_of(const call& x) {
  constexpr std::uint64_t most = 65535; // struct winsize, ioctl_tty(2)
  TROUPE_TRY(const auto rows, x.parameters.natural("rows", most));
  TROUPE_TRY(const auto cols, x.parameters.natural("cols", most));
  if (rows.value_or(0) == 0 || cols.value_or(0) == 0)
    return fail(fault::invalid_config,
                "rows, cols: expected both, each from 1 to 65535");
  return msg::resize_terminal{static_cast<std::uint16_t>(*rows),
                              static_cast<std::uint16_t>(*cols)};
}

bool can_upgrade(session& in, const call& x) {
  if (!x.from.wants_stream) {
    auto what = error_response(426, "upgrade_required",
                               "attach: expected the headers Connection: "
                               "Upgrade and Upgrade: troupe-stream");
    what.offers_stream = true;
    in.answer(std::move(what));
    return false;
  }
  if (x.from.has_more) {
    // They would have to be given to the shim ahead of the socket.
    in.answer(error_response(400, "bad_request",
                             "attach: bytes sent before the answer"));
    return false;
  }
  return true;
}

} // namespace troupe::gateway
