#include "actors/gateway/handlers.hpp"
#include "actors/gateway/remote.hpp"
#include "actors/gateway/targets.hpp"
#include "config/base/quote.hpp"
#include "config/run_options.hpp"

#include <array>
#include <string_view>

namespace troupe::gateway {

namespace {

/// `zone=a,disk=ssd`
outcome read_constraints(std::string_view text, msg::place& out) {
  while (!text.empty()) {
    const auto one = text.substr(0, text.find(','));
    text.remove_prefix(std::min(one.size() + 1, text.size()));
    const auto equals = one.find('=');
    if (equals == one.npos || equals == 0)
      return fail(fault::invalid_config,
                  "constraint: expected LABEL=VALUE, found " + quote(one));
    out.label_keys.emplace_back(one.substr(0, equals));
    out.label_values.emplace_back(one.substr(equals + 1));
  }
  return {};
}

outcome set_draining(session& in, bool begins) {
  TROUPE_CHECK(check_cluster(in));
  forward<msg::done>(in, in.cluster(), patience::lookup, msg::drain{begins});
  return {};
}

} // namespace

outcome list_nodes(session& in, const call&) {
  TROUPE_CHECK(check_cluster(in));
  forward<msg::nodes>(in, in.cluster(), patience::lookup, msg::list_nodes{});
  return {};
}

outcome choose_node(session& in, const call& x) {
  constexpr std::array<std::string_view, 2> strategies{"spread", "binpack"};
  TROUPE_CHECK(check_cluster(in));
  msg::place wish;
  TROUPE_CHECK(read_constraints(x.parameters.text("constraint"), wish));
  TROUPE_TRY(wish.strategy, x.parameters.word("strategy", strategies));
  if (const auto memory = x.parameters.text("memory"); !memory.empty()) {
    TROUPE_TRY(wish.memory, parse_size(memory));
  }
  forward<msg::placed>(in, in.cluster(), patience::lookup, std::move(wish));
  return {};
}

outcome drain_node(session& in, const call&) {
  return set_draining(in, true);
}

outcome undrain_node(session& in, const call&) {
  return set_draining(in, false);
}

outcome remove_node(session& in, const call& x) {
  TROUPE_CHECK(check_cluster(in));
  forward<msg::done>(in, in.cluster(), patience::lookup,
                     msg::remove_node{x.ids.at(0)});
  return {};
}

} // namespace troupe::gateway
