#include "actors/gateway/targets.hpp"

#include "actors/gateway/faults.hpp"

namespace troupe::gateway {

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
