#include "programs/troupe/own_terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

namespace troupe::client {

std::optional<window> own_window() {
  for (const auto fd : {STDIN_FILENO, STDOUT_FILENO}) {
    winsize size{};
    if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row != 0
        && size.ws_col != 0)
      return window{size.ws_row, size.ws_col};
  }
  return std::nullopt;
}

raw_input::raw_input() {
  termios own{};
  if (::tcgetattr(STDIN_FILENO, &own) != 0)
    return;
  before_ = own;
  ::cfmakeraw(&own);
  ::tcsetattr(STDIN_FILENO, TCSANOW, &own);
}

raw_input::~raw_input() {
  if (before_)
    ::tcsetattr(STDIN_FILENO, TCSADRAIN, &*before_);
}

} // namespace troupe::client
