#pragma once

#include "runtime/shim/loop.hpp"
#include "runtime/shim/protocol/frames.hpp"

#include <string>
#include <string_view>

namespace troupe::shim {

class client;

/// Where a client's bytes go and who hears of its changes: its process's stdio.
class client_owner {
public:
  virtual ~client_owner() = default;
  /// Stdin from the client.
  virtual void input(std::string_view bytes) = 0;
  /// The client has closed its side: so shall stdin, once all is written.
  virtual void end_of_input() = 0;
  /// Whether more stdin is welcome; if not, the owner calls
  /// `client::resume_input` later.
  [[nodiscard]] virtual bool takes_input() const = 0;
  /// The client's buffer has room again.
  virtual void room() = 0;
  /// The client is finished; called from within its own callback.
  virtual void gone(client& who) = 0;
};

/// What a client is attached for.
struct client_options {
  bool with_stdin = false;
  bool with_output = true;
  bool raw = false; ///< Bytes instead of frames.
};

/// One attached client: frames.hpp on a stream socket. It never blocks; what
/// the socket does not take is kept, and `full` says when to stop.
class client {
public:
  /// Output that is kept for a client that does not read.
  static constexpr std::size_t buffer_size = 1U << 20U;

  client(client_owner& owner, sys::unique_fd socket,
         const client_options& what) noexcept;

  /// Begins to listen.
  [[nodiscard]] outcome open(loop& in);

  /// Sends a frame, or keeps what the socket does not take.
  void send(frame_stream stream, std::string_view body);

  /// Output, if the client wants any.
  void output(frame_stream stream, std::string_view body);

  /// Sends the last frame, if there are any; `gone` follows when all is
  /// delivered.
  void finish(std::string_view status);

  void resume_input();

  [[nodiscard]] bool full() const noexcept {
    return kept_.size() - sent_ >= buffer_size;
  }

  /// Finished: nothing will come of it any more.
  [[nodiscard]] bool dead() const noexcept {
    return dead_;
  }

private:
  void ready(std::uint32_t events);
  void close_output();
  void read_input(bool hung_up);
  bool parse_input(std::string_view bytes);
  void take_header(std::string_view& bytes);
  void send_kept();
  void drop_kept() noexcept;
  void update_interest();
  void die();

  client_owner& owner_;
  sys::unique_fd socket_;
  watch watch_;
  client_options what_;
  bool input_open_ = true;
  bool output_open_ = true;
  bool finishing_ = false;
  bool dead_ = false;
  frame_header header_{}; ///< Of the frame that is coming in.
  std::size_t header_have_ = 0;
  std::uint32_t body_left_ = 0;
  loop* loop_ = nullptr;
  std::string kept_;
  std::size_t sent_ = 0; ///< Of `kept_`.
};

} // namespace troupe::shim
