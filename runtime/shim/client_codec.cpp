#include "runtime/shim/client_codec.hpp"

#include <algorithm>
#include <string>

namespace troupe::shim {

namespace {

// -- the engine's frames ------------------------------------------------------

class frame_codec final : public hands_over<frame_codec, client_codec> {
public:
  template <class Way>
  void members(Way& with) {
    with(header_, have_, left_);
  }

  head head_of(frame_stream stream, std::size_t size) const override {
    head out;
    for (const auto byte :
         make_header(stream, static_cast<std::uint32_t>(size)))
      out.add(byte);
    return out;
  }

  bool take(std::string_view bytes, sink& to) override {
    while (!bytes.empty()) {
      if (have_ < header_.size()) {
        take_header(bytes);
        if (have_ < header_.size())
          return true;
        left_ = length_of(header_);
        if (header_[0] != static_cast<std::uint8_t>(frame_stream::in)
            || left_ > max_frame)
          return false;
      }
      const auto body = bytes.substr(0, left_);
      if (!body.empty())
        to.input(body);
      bytes.remove_prefix(body.size());
      left_ -= static_cast<std::uint32_t>(body.size());
      if (left_ == 0)
        have_ = 0;
    }
    return true;
  }

private:
  void take_header(std::string_view& bytes) {
    const auto n = std::min(bytes.size(), header_.size() - have_);
    std::copy_n(bytes.begin(), n, header_.begin() + have_);
    have_ += n;
    bytes.remove_prefix(n);
  }

  frame_header header_{}; ///< Of the frame that is coming in.
  std::size_t have_ = 0;
  std::uint32_t left_ = 0; ///< Of its body.
};

// -- bytes alone --------------------------------------------------------------

class raw_codec : public client_codec {
public:
  head head_of(frame_stream, std::size_t) const override {
    return {};
  }

  bool take(std::string_view bytes, sink& to) override {
    to.input(bytes);
    return true;
  }

  bool has_marks() const noexcept override {
    return false;
  }
};

// -- conmon's packets ---------------------------------------------------------

class packet_codec final : public raw_codec {
public:
  head head_of(frame_stream stream, std::size_t) const override {
    head out;
    out.add(stream == frame_stream::err ? 3 : 2);
    return out;
  }

  std::size_t longest() const noexcept override {
    return 8192; // conmon's STDIO_BUF_SIZE: its readers have no more room
  }
};

// -- WebSocket, RFC 6455 ------------------------------------------------------

constexpr unsigned final_frame = 0x80;
constexpr unsigned masked = 0x80;
constexpr unsigned longest_control = 125;

enum opcode : unsigned {
  continuation = 0,
  text = 1,
  binary = 2,
  close = 8,
  ping = 9,
  pong = 10,
};

client_codec::head websocket_head(unsigned opcode, std::size_t size) {
  client_codec::head out;
  out.add(final_frame | opcode);
  const auto add_length = [&](unsigned bytes) {
    while (bytes-- > 0)
      out.add(static_cast<unsigned>(size >> (8U * bytes)) & 0xffU);
  };
  if (size <= longest_control) {
    out.add(static_cast<unsigned>(size));
  } else if (size <= 0xffff) {
    out.add(126);
    add_length(2);
  } else {
    out.add(127);
    add_length(8);
  }
  return out;
}

class websocket_codec final : public hands_over<websocket_codec, client_codec> {
public:
  template <class Way>
  void members(Way& with) {
    with(header_, in_body_, left_, masked_, channel_, control_);
  }

  head head_of(frame_stream stream, std::size_t size) const override {
    auto out = websocket_head(binary, size + 1);
    out.add(static_cast<unsigned>(stream));
    return out;
  }

  bool take(std::string_view bytes, sink& to) override {
    while (!bytes.empty()) {
      if (!in_body_) {
        header_ += bytes.front();
        bytes.remove_prefix(1);
        if (header_.size() < header_size())
          continue;
        if (!begin_body())
          return false;
      }
      std::string body{bytes.substr(0, left_)};
      bytes.remove_prefix(body.size());
      unmask(body);
      left_ -= body.size();
      if (!(is_control() ? take_control(body, to) : take_data(body, to)))
        return false;
      if (left_ == 0)
        end_body();
    }
    return true;
  }

  std::string_view ending() const noexcept override {
    return {"\x88\x02\x03\xe8", 4}; // close, 1000: normal closure
  }

private:
  [[nodiscard]] unsigned at(std::size_t i) const noexcept {
    return static_cast<unsigned char>(header_[i]);
  }

  [[nodiscard]] unsigned opcode() const noexcept {
    return at(0) & 0x0fU;
  }

  [[nodiscard]] bool is_control() const noexcept {
    return opcode() >= close;
  }

  [[nodiscard]] std::size_t length_bytes() const noexcept {
    const auto length = at(1) & 0x7fU;
    return length == 127 ? 8U : length == 126 ? 2U : 0U;
  }

  [[nodiscard]] std::size_t header_size() const noexcept {
    return header_.size() < 2 ? 2 : 2 + length_bytes() + 4;
  }

  // Section 5: a client masks, asks for no extension, and has at most 125
  // bytes in a control frame, which is not in pieces.
  bool begin_body() {
    const auto bytes = length_bytes();
    left_ = bytes == 0 ? at(1) & 0x7fU : 0;
    for (std::size_t i = 0; i < bytes; ++i)
      left_ = left_ << 8U | at(2 + i);
    const auto known = opcode() <= binary || (is_control() && opcode() <= pong);
    if (!known || (at(0) & 0x70U) != 0 || (at(1) & masked) == 0
        || left_ > max_frame
        || (is_control()
            && (left_ > longest_control || (at(0) & final_frame) == 0)))
      return false;
    in_body_ = true;
    masked_ = 0;
    if (opcode() == text || opcode() == binary)
      channel_ = no_channel;
    return true;
  }

  void end_body() {
    in_body_ = false;
    header_.clear();
    control_.clear();
  }

  void unmask(std::string& body) {
    for (auto& each : body)
      each = static_cast<char>(static_cast<unsigned char>(each)
                               ^ at(header_.size() - 4 + (masked_++ & 3U)));
  }

  bool take_control(std::string_view body, sink& to) {
    control_.append(body);
    if (left_ > 0)
      return true;
    if (opcode() == pong)
      return true;
    const auto is_ping = opcode() == ping;
    std::string answer{
      websocket_head(is_ping ? pong : close, control_.size()).text()};
    to.reply(answer + control_);
    return is_ping;
  }

  bool take_data(std::string_view body, sink& to) {
    if (channel_ == no_channel && !body.empty()) {
      channel_ = static_cast<unsigned char>(body.front());
      body.remove_prefix(1);
    }
    if (body.empty())
      return true;
    constexpr auto in = static_cast<int>(frame_stream::in);
    if (channel_ == in) {
      to.input(body);
    } else if (channel_ == closing && body == std::string_view{"\0", 1}) {
      to.end_of_input();
    } else {
      return false;
    }
    return true;
  }

  static constexpr int no_channel = -1;
  static constexpr int closing = 255;

  std::string header_; ///< Of the frame that is coming in.
  bool in_body_ = false;
  std::uint64_t left_ = 0;
  std::size_t masked_ = 0;   ///< Bytes of the body so far.
  int channel_ = no_channel; ///< Of the message.
  std::string control_;
};

} // namespace

std::unique_ptr<client_codec> client_codec::of(framing what) {
  switch (what) {
  case framing::raw:
    return std::make_unique<raw_codec>();
  case framing::websocket:
    return std::make_unique<websocket_codec>();
  case framing::packets:
    return std::make_unique<packet_codec>();
  case framing::frames:
    break;
  }
  return std::make_unique<frame_codec>();
}

} // namespace troupe::shim
