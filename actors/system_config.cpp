#include "actors/system_config.hpp"

#include "actors/errors.hpp"
#include "actors/interfaces.hpp"

#include <caf/atom.hpp>
#include <caf/message.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

namespace troupe {

namespace {

/// Messages an actor handles before another gets its worker. Without a bound
/// one busy actor starves all others (caf-0.17.md section 3).
constexpr std::size_t messages_per_turn = 50;

std::string render_fault(std::uint8_t code, caf::atom_value,
                         const caf::message& context) {
  if (context.match_elements<std::string, std::int32_t>())
    return context.get_as<std::string>(0);
  return std::string{to_string(static_cast<fault>(code))};
}

} // namespace

system_config::system_config(const settings& from) {
  set("scheduler.policy", caf::atom("sharing"));
  set("scheduler.max-threads",
      std::size_t{std::max<std::uint32_t>(from.threads, 1)});
  set("scheduler.max-throughput", messages_per_turn);
  // What is local to a process stays unregistered: no peer can send it.
  add_message_types<caf::id_block::troupe_wire>();
  add_error_category(caf::atom("troupe"), render_fault);
}

} // namespace troupe
