#pragma once

#include "runtime/linux/unique_fd.hpp"

#include <optional>
#include <poll.h>
#include <string>
#include <termios.h>

namespace troupe::oci_runtime {

/// Carries a pseudo terminal's master to our stdin and stdout. Our own
/// terminal, if stdin is one, is raw meanwhile and lends its size.
class terminal {
public:
  [[nodiscard]] static terminal carry(sys::unique_fd master);

  terminal(const terminal&) = delete;
  terminal& operator=(const terminal&) = delete;
  terminal(terminal&&) noexcept = default;
  terminal& operator=(terminal&&) noexcept = default;
  ~terminal();

  /// Takes over our own terminal's size.
  void resize() noexcept;

  /// What to poll for, and what to do then. Nothing is read that cannot be
  /// written, so neither direction can hold up the other.
  void ask(pollfd& stdin_, pollfd& stdout_, pollfd& master) const noexcept;
  void move(const pollfd& stdin_, const pollfd& stdout_, const pollfd& master);

  /// Writes what the program has left.
  void finish();

private:
  terminal() = default;

  bool read_master();
  void write_stdout();

  sys::unique_fd master_;
  std::optional<termios> before_; ///< Of our own terminal, if we changed it.
  std::string in_;                ///< Read from stdin, not yet written.
  std::string out_;
  bool in_ended_ = false;
  bool out_ended_ = false;
};

} // namespace troupe::oci_runtime
