#pragma once

#include "runtime/shim/client_codec.hpp"
#include "runtime/shim/loop.hpp"

#include <memory>
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
  /// So many bytes of output are not for this client any more.
  virtual void dropped(std::size_t bytes) = 0;
  /// The client is finished; called from within its own callback.
  virtual void gone(client& who) = 0;
};

/// What a client is attached for.
struct client_options {
  bool with_stdin = false;
  bool with_output = true;
  shim::framing framing = shim::framing::frames;
  overflow when_full = overflow::block;
};

/// One attached client on its socket. It never blocks; what the socket does not
/// take is kept. Once that is too much, `full` says to stop, or further output
/// is dropped until half of it is gone.
class client final : private client_codec::sink {
public:
  /// Output that is kept for a client that does not read.
  static constexpr std::size_t buffer_size = 1U << 20U;

  client(client_owner& owner, sys::unique_fd socket,
         const client_options& what);

  /// To be taken over.
  explicit client(client_owner& owner) : owner_(owner) {
  }

  template <class Way>
  void hand_over(Way& with) {
    with(socket_, what_);
    if (!codec_)
      codec_ = client_codec::of(what_.framing);
    codec_->hand_over(with);
    with(input_open_, output_open_, finishing_, dropping_, gap_, kept_, sent_);
  }

  /// Begins to listen, or goes on.
  [[nodiscard]] outcome open(loop& in);

  /// Output, if the client wants any.
  void output(frame_stream stream, std::string_view body);

  /// Sends the last frame, if there are any; `gone` follows when all is
  /// delivered.
  void finish(std::string_view status);

  void resume_input();

  /// The process shall wait for it.
  [[nodiscard]] bool full() const noexcept {
    return what_.when_full == overflow::block && waiting() >= buffer_size;
  }

  /// Finished: nothing will come of it any more.
  [[nodiscard]] bool dead() const noexcept {
    return dead_;
  }

private:
  void ready(std::uint32_t events);
  void close_output();
  void read_input(bool hung_up);
  bool drops(std::size_t bytes);
  void tell_gap();
  void send(frame_stream stream, std::string_view body);
  void send_bytes(std::string_view head, std::string_view body);
  void keep(std::string_view head, std::string_view body, std::size_t sent);
  void send_kept();
  bool send_kept_packet();
  void take_sent(std::size_t n);
  void drop_kept() noexcept;
  void update_interest();
  void die();

  void input(std::string_view bytes) override;
  void end_of_input() override;
  void reply(std::string_view bytes) override;

  [[nodiscard]] std::size_t waiting() const noexcept {
    return kept_.size() - sent_;
  }

  client_owner& owner_;
  sys::unique_fd socket_;
  watch watch_;
  client_options what_;
  std::unique_ptr<client_codec> codec_;
  bool input_open_ = true;
  bool output_open_ = true;
  bool finishing_ = false;
  bool dead_ = false;
  bool dropping_ = false;
  std::size_t gap_ = 0; ///< Bytes dropped since the last that was sent.
  loop* loop_ = nullptr;
  /// In packets, each behind its length.
  std::string kept_;
  std::size_t sent_ = 0; ///< Of `kept_`.
};

} // namespace troupe::shim
