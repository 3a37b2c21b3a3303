#pragma once

#include "runtime/store/store.hpp"

#include <string>
#include <string_view>

namespace troupe::store {

/// state.json's text.
[[nodiscard]] std::string to_text(const state& x);

/// And back; the failure names the member.
[[nodiscard]] result<state> parse_state(std::string_view text);

} // namespace troupe::store
