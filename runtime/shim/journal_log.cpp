#include "runtime/shim/journal_log.hpp"

#include "runtime/linux/memfd.hpp"
#include "runtime/linux/seqpacket.hpp"
#include "runtime/linux/unix_address.hpp"

#include <array>
#include <cerrno>
#include <sys/socket.h>
#include <utility>

namespace troupe::shim {

namespace {

/// What `docker ps` and `podman ps` show of an id.
constexpr std::size_t short_id = 12;

void add_field(std::string& to, std::string_view name, std::string_view value) {
  to.append(name).append(1, '=').append(value).append(1, '\n');
}

/// One whose value may hold newlines: the name, the length as 64-bit little
/// endian, the value.
void add_binary_field(std::string& to, std::string_view name,
                      std::string_view begin, std::string_view end) {
  to.append(name).append(1, '\n');
  const auto size = begin.size() + end.size();
  for (auto shift = 0U; shift < 64; shift += 8)
    to += static_cast<char>(static_cast<std::uint64_t>(size) >> shift & 0xffU);
  to.append(begin).append(end).append(1, '\n');
}

} // namespace

journal_log::journal_log(log_options options, const process_key& of)
  : options_(std::move(options)) {
  add_field(constant_, "CONTAINER_NAME", of);
  add_field(constant_, "CONTAINER_ID", of.substr(0, short_id));
  add_field(constant_, "CONTAINER_ID_FULL", of);
  add_field(constant_, "SYSLOG_IDENTIFIER", of);
}

result<std::unique_ptr<log_sink>> journal_log::open(log_options options,
                                                    const process_key& of) {
  std::unique_ptr<journal_log> out{new journal_log{std::move(options), of}};
  TROUPE_CHECK(out->connect());
  return out;
}

outcome journal_log::connect() {
  TROUPE_TRY(const auto address, sys::unix_address(options_.path));
  socket_.reset(
    ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket_)
    return fail_os(errno, "socket", options_.path);
  // The default holds one long line or two; sd-journal asks for as much.
  constexpr int room = 8 << 20;
  if (::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDBUFFORCE, &room,
                   sizeof room)
      != 0)
    (void)::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDBUF, &room,
                       sizeof room);
  if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address),
                sizeof address)
      == 0)
    return {};
  const auto why = errno;
  socket_.reset();
  return fail_os(why, "connect journal", options_.path);
}

void journal_log::take(log::stream from, std::string_view bytes, time_ns) {
  lines_.feed(from, bytes, [&](auto begin, auto end, bool partial) {
    emit(from, begin, end, partial);
  });
}

void journal_log::emit(log::stream from, std::string_view begin,
                       std::string_view end, bool partial) {
  record out;
  out.payload = begin.size() + end.size() + (partial ? 0 : 1);
  out.text = constant_;
  add_field(out.text, "PRIORITY", from == log::stream::out ? "6" : "3");
  if (partial)
    add_field(out.text, "CONTAINER_PARTIAL_MESSAGE", "true");
  add_binary_field(out.text, "MESSAGE", begin, end);
  put(std::move(out));
}

void journal_log::put(record what) {
  if (!waiting_.empty()) {
    waiting_.push_back(std::move(what));
    return;
  }
  const auto why = send(what);
  if (why != 0 && options_.when_full == overflow::block) {
    count_trouble(why);
    waiting_.push_back(std::move(what));
    return;
  }
  settle(what, why);
}

void journal_log::retry() {
  while (!waiting_.empty()) {
    if (const auto why = send(waiting_.front()); why != 0)
      return count_trouble(why);
    settle(waiting_.front(), 0);
    waiting_.pop_front();
  }
}

void journal_log::finish(time_ns) {
  for (const auto from : {log::stream::out, log::stream::err})
    lines_.finish(from, [&](auto begin, auto end, bool partial) {
      emit(from, begin, end, partial);
    });
  give_up();
}

void journal_log::give_up() {
  options_.when_full = overflow::drop;
  retry();
  for (const auto& each : std::exchange(waiting_, {}))
    settle(each, counters().last_errno);
}

void journal_log::settle(const record& what, int why) {
  if (why == 0)
    count_logged(what.payload);
  else
    count_dropped(why, what.payload);
}

// 0, or why it was not taken: EAGAIN, or what is wrong with the journal. One
// that was started anew has a new socket at the old path.
int journal_log::send(const record& what) {
  for (auto fresh = false;; fresh = true) {
    if (!socket_)
      if (const auto connected = connect(); !connected)
        return connected.error().os_errno;
    if (::send(socket_.get(), what.text.data(), what.text.size(), MSG_NOSIGNAL)
        >= 0)
      return 0;
    const auto why = errno;
    if (why == EMSGSIZE || why == ENOBUFS)
      return send_as_file(what.text);
    if (why == EAGAIN || why == EINTR)
      return EAGAIN;
    socket_.reset();
    if (fresh)
      return why;
  }
}

int journal_log::send_as_file(const std::string& text) {
  const std::vector<std::uint8_t> bytes{text.begin(), text.end()};
  const auto file = sys::sealed_memfd("journal", bytes);
  if (!file)
    return file.error().os_errno;
  const std::array fds{file->get()};
  const auto sent = sys::send_packet(socket_.get(), {}, fds);
  return sent ? 0 : sent.error().os_errno;
}

} // namespace troupe::shim
