#include "actors/cluster/greeting.hpp"

#include "config/json/cursor.hpp"
#include "config/json/fields.hpp"

#include <nlohmann/json.hpp>

#ifndef TROUPE_NODE_PROTOCOL // tests build another
#define TROUPE_NODE_PROTOCOL 2
#endif

namespace troupe::cluster {

const std::uint32_t protocol_version = TROUPE_NODE_PROTOCOL;

template <class Io>
void fields(Io& io, greeting& x) {
  io.required("protocol", x.protocol);
  io.required("version", x.version);
  io.required("name", x.name);
  io.required("incarnation", x.incarnation);
  io.required("address", x.address);
  io.optional("refusal", x.refusal);
  io.optional("token", x.token);
}

std::string encode(greeting x) {
  json::writer io;
  fields(io, x);
  // An address of the command line can be any bytes.
  const auto text = std::move(io).done().dump(
    -1, ' ', false, nlohmann::json::error_handler_t::replace);
  std::string out;
  for (auto shift = 24; shift >= 0; shift -= 8)
    out += static_cast<char>((text.size() >> static_cast<unsigned>(shift))
                             & 0xffU);
  return out + text;
}

result<std::size_t> decode_length(std::string_view first_bytes) {
  std::size_t out = 0;
  for (const auto byte : first_bytes.substr(0, length_size))
    out = out << 8U | static_cast<unsigned char>(byte);
  if (out > longest_greeting)
    return fail(fault::invalid_config, "greeting: " + std::to_string(out)
                                         + " bytes, more than "
                                         + std::to_string(longest_greeting));
  return out;
}

/// Members that a later version adds are passed over.
result<greeting> decode_greeting(std::string_view text) {
  auto document = json::parse(text);
  if (!document)
    return fail(std::move(document).error().during("greeting"));
  greeting out;
  json::reader io{json::cursor{*document}};
  fields(io, out);
  if (auto done = std::move(io).done(); !done)
    return fail(std::move(done).error().during("greeting"));
  return out;
}

} // namespace troupe::cluster
