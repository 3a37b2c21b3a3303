#include "programs/troupe/attachment.hpp"

#include "config/run_options.hpp"

#include <string>
#include <unistd.h>
#include <utility>

namespace troupe::client {

namespace {

std::string resize_path(const std::string& path, const window& size) {
  return path + "/resize?rows=" + std::to_string(size.rows)
         + "&cols=" + std::to_string(size.cols);
}

} // namespace

result<stream_end> carry(const context& with, api_client& api,
                         attachment what) {
  hold_signals();
  TROUPE_TRY(const auto socket,
             api.upgrade(what.path + "/attach?stdin="
                         + (what.with_stdin ? "1" : "0") + what.options));
  if (what.start) {
    TROUPE_CHECK(api.post(what.path + "/start"));
  }
  stream_options options;
  options.forward_stdin = what.with_stdin;
  options.terminal = what.terminal;
  options.keys = std::move(what.keys);
  options.forward_signal = [&](int signo) {
    auto to = with.api();
    static_cast<void>(
      to.post(what.path + "/kill?signal=" + std::to_string(signo)));
  };
  if (what.terminal)
    options.resize = [&](const window& size) {
      auto to = with.api();
      static_cast<void>(to.post(resize_path(what.path, size)));
    };
  return carry_stream(socket.get(), std::move(options));
}

void send_window(api_client& api, const std::string& path) {
  if (const auto size = own_window())
    static_cast<void>(api.post(resize_path(path, *size)));
}

void attach_options::add_to(CLI::App& command) {
  command
    .add_option("--overflow", overflow,
                "When we do not keep up: block the container, or drop output "
                "and say so")
    ->check(CLI::IsMember({"block", "drop"}))
    ->capture_default_str();
  command.add_option("--replay", replay,
                     "First what it has written last, up to so much, such as "
                     "64k");
}

result<std::string> attach_options::text() const {
  auto out = "&overflow=" + overflow;
  if (replay.empty())
    return out;
  TROUPE_TRY(const auto bytes, parse_size(replay));
  return out + "&replay=" + std::to_string(bytes);
}

void add_detach_keys(CLI::App& to, std::string& keys) {
  keys = detach_keys::usual;
  to.add_option("--detach-keys", keys,
                "Keys that leave a terminal and the container running; \"\": "
                "none")
    ->capture_default_str();
}

outcome check_terminal(bool tty, bool interactive) {
  if (!tty || !interactive || ::isatty(STDIN_FILENO) == 1)
    return {};
  return fail(fault::invalid_config,
              "-it: stdin is no terminal; leave -t out to feed it from a pipe");
}

} // namespace troupe::client
