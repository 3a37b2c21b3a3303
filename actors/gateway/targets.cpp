#include "actors/gateway/targets.hpp"

#include "actors/gateway/faults.hpp"
#include "runtime/linux/pidfd.hpp"
#include "runtime/linux/seqpacket.hpp"

#include <array>
#include <string_view>
#include <unistd.h>

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

result<std::vector<msg::shared_fd>> descriptors_of(std::int32_t client,
                                                   int first, int count) {
  if (client <= 0)
    return fail(fault::unsupported,
                "descriptors: the client is in no pid namespace of ours");
  TROUPE_TRY(const auto process, sys::open_pidfd(client));
  std::vector<msg::shared_fd> out;
  for (auto fd = first; fd < first + count; ++fd) {
    TROUPE_TRY(auto own, sys::borrow_fd(process.get(), fd));
    // Nobody in a container may speak to us.
    if (const auto peer = sys::credentials_of(own.get());
        peer && peer->pid == ::getpid())
      return fail(fault::invalid_config,
                  "descriptor " + std::to_string(fd)
                    + " of the client is its connection to the supervisor");
    out.push_back(std::make_shared<sys::unique_fd>(std::move(own)));
  }
  return out;
}

result<attach_request> parse_attach(const call& x) {
  constexpr std::array<std::string_view, 2> policies{"block", "drop"};
  constexpr std::uint64_t most = 16U << 20U;
  attach_request out;
  auto& what = out.what;
  TROUPE_TRY(what.with_stdin, x.parameters.flag("stdin"));
  TROUPE_TRY(what.with_output, x.parameters.flag("output", true));
  TROUPE_TRY(const auto raw, x.parameters.flag("raw"));
  TROUPE_TRY(const auto policy, x.parameters.word("overflow", policies));
  TROUPE_TRY(const auto replay, x.parameters.natural("replay", most));
  what.when_full = policy == "drop" ? shim::overflow::drop
                                    : shim::overflow::block;
  what.replay = static_cast<std::uint32_t>(replay.value_or(0));
  out.websocket_key = x.from.websocket_key;
  if (raw && !out.websocket_key.empty())
    return fail(fault::invalid_config,
                "raw: a WebSocket has messages, which begin with their stream");
  what.framing = raw                         ? shim::framing::raw
                 : out.websocket_key.empty() ? shim::framing::frames
                                             : shim::framing::websocket;
  return out;
}

bool can_upgrade(session& in, const call& x) {
  const auto is_websocket = x.from.method == "GET";
  if (is_websocket ? x.from.websocket_key.empty() : !x.from.wants_stream) {
    auto what = error_response(
      426, "upgrade_required",
      is_websocket
        ? "attach: expected a WebSocket's handshake, or POST with Upgrade: "
          "troupe-stream"
        : "attach: expected the headers Connection: Upgrade and Upgrade: "
          "troupe-stream");
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
