#pragma once

#include <cstdint>
#include <optional>
#include <termios.h>

/// The terminal that this program was started on.
namespace troupe::client {

struct window {
  std::uint16_t rows = 0;
  std::uint16_t cols = 0;
};

/// Of the terminal on stdin or stdout; nothing if neither is one.
[[nodiscard]] std::optional<window> own_window();

/// Hands every key on as it is, from its making to its end: a terminal at the
/// other side does the rest. Nothing if stdin is no terminal.
class raw_input {
public:
  raw_input();
  raw_input(const raw_input&) = delete;
  raw_input& operator=(const raw_input&) = delete;
  ~raw_input();

private:
  std::optional<termios> before_;
};

} // namespace troupe::client
