#pragma once

#include "config/log_choice.hpp"
#include "config/settings.hpp"
#include "runtime/shim/protocol/messages.hpp"

#include <string>

namespace troupe {

/// Where systemd's journal listens.
inline constexpr auto journal_socket = "/run/systemd/journal/socket";

/// A valid choice with what the settings say where it says nothing. `path`: a
/// log file's where none is chosen.
[[nodiscard]] log_choice complete(const log_choice& x, const settings& usual,
                                  const std::string& path);

/// A complete choice as the shim takes it.
[[nodiscard]] result<shim::log_options> log_options_of(const log_choice& x);

} // namespace troupe
