#pragma once

#include "runtime/shim/handover.hpp"
#include "runtime/shim/protocol/frames.hpp"
#include "runtime/shim/protocol/messages.hpp"

#include <array>
#include <memory>
#include <string_view>

namespace troupe::shim {

/// How one framing dresses what goes to a client and undresses what comes from
/// it: frames.hpp.
class client_codec {
public:
  /// What goes ahead of the bytes of one message.
  struct head {
    std::array<char, 16> bytes{};
    std::size_t size = 0;
    void add(unsigned byte) noexcept {
      bytes.at(size++) = static_cast<char>(byte);
    }
    [[nodiscard]] std::string_view text() const noexcept {
      return {bytes.data(), size};
    }
  };

  /// What there can be in a client's bytes.
  class sink {
  public:
    virtual ~sink() = default;
    virtual void input(std::string_view bytes) = 0;
    virtual void end_of_input() = 0;
    /// To be sent as it is.
    virtual void reply(std::string_view bytes) = 0;
  };

  [[nodiscard]] static std::unique_ptr<client_codec> of(framing what);

  virtual ~client_codec() = default;

  /// What has come in by half.
  virtual void hand_over(saver&) {
  }
  virtual void hand_over(loader&) {
  }

  [[nodiscard]] virtual head head_of(frame_stream stream,
                                     std::size_t size) const = 0;

  /// Takes a piece of what the client has sent; false at what is not legal, or
  /// at its good-bye.
  [[nodiscard]] virtual bool take(std::string_view bytes, sink& to) = 0;

  /// Whether there is a way to say more than output.
  [[nodiscard]] virtual bool has_marks() const noexcept {
    return true;
  }

  /// Longest body of one message.
  [[nodiscard]] virtual std::size_t longest() const noexcept {
    return max_frame;
  }

  /// What goes last of all.
  [[nodiscard]] virtual std::string_view ending() const noexcept {
    return {};
  }
};

} // namespace troupe::shim
