#include "runtime/shim/protocol/messages.hpp"

#include "runtime/plan/cbor.hpp"
#include "runtime/shim/protocol/fields.hpp"

#include <array>
#include <concepts>
#include <limits>
#include <optional>
#include <utility>

// A message is the array [kind, fields]: kind is the alternative's index in the
// variant, fields the array of its members in the order of fields.hpp.
namespace troupe::shim {

namespace {

using plan::cbor::reader;
using plan::cbor::writer;

template <class T>
concept structure = requires(T& x) {
  fields(x);
};

template <structure T>
constexpr auto field_count
  = std::tuple_size_v<decltype(fields(std::declval<T&>()))>;

template <class T>
constexpr auto is_list = false;
template <class T>
constexpr auto is_list<std::vector<T>> = true;

// -- writing ------------------------------------------------------------------

template <class T>
void write(writer& to, const T& x) {
  if constexpr (structure<T>) {
    to.array(field_count<T>);
    std::apply([&](const auto&... each) { (write(to, each), ...); }, fields(x));
  } else if constexpr (is_list<T>) {
    to.array(x.size());
    for (const auto& each : x)
      write(to, each);
  } else if constexpr (std::same_as<T, bool>)
    to.boolean(x);
  else if constexpr (std::same_as<T, std::string>)
    to.text(x);
  else if constexpr (std::signed_integral<T>)
    to.integer(x);
  else
    to.number(static_cast<std::uint64_t>(x));
}

template <class Variant>
std::vector<std::uint8_t> encoded(const Variant& x) {
  writer to;
  to.array(2);
  to.number(x.index());
  std::visit([&](const auto& message) { write(to, message); }, x);
  return std::move(to).take();
}

// -- reading ------------------------------------------------------------------

template <class T>
constexpr std::uint64_t max_of() {
  if constexpr (std::same_as<T, process_state>)
    return static_cast<std::uint64_t>(process_state::failed);
  else if constexpr (std::same_as<T, log_driver>)
    return static_cast<std::uint64_t>(log_driver::capture);
  else if constexpr (std::same_as<T, overflow>)
    return static_cast<std::uint64_t>(overflow::drop);
  else if constexpr (std::same_as<T, framing>)
    return static_cast<std::uint64_t>(framing::packets);
  else
    return std::numeric_limits<T>::max();
}

template <class T>
bool read_number(reader& from, T& x) {
  std::uint64_t wide = 0;
  if (!from.number(wide, max_of<T>()))
    return false;
  x = static_cast<T>(wide);
  return true;
}

template <class T>
bool read_integer(reader& from, T& x) {
  std::int64_t wide = 0;
  if (!from.integer(wide))
    return false;
  x = static_cast<T>(wide);
  return x == wide;
}

template <class T>
bool read(reader& from, T& x);

template <class T>
bool read_list(reader& from, std::vector<T>& x) {
  std::size_t count = 0;
  if (!from.array(count) || count > max_packet) // each takes a byte at least
    return false;
  x.resize(count);
  for (auto& each : x)
    if (!read(from, each))
      return false;
  return true;
}

template <class T>
bool read(reader& from, T& x) {
  if constexpr (structure<T>) {
    std::size_t count = 0;
    return from.array(count) && count == field_count<T>
           && std::apply(
             [&](auto&... each) { return (read(from, each) && ...); },
             fields(x));
  } else if constexpr (is_list<T>) {
    return read_list(from, x);
  } else if constexpr (std::same_as<T, bool>)
    return from.boolean(x);
  else if constexpr (std::same_as<T, std::string>)
    return from.text(x);
  else if constexpr (std::signed_integral<T>)
    return read_integer(from, x);
  else
    return read_number(from, x);
}

template <class Variant, std::size_t I>
bool read_alternative(reader& from, Variant& x) {
  return read(from, x.template emplace<I>());
}

template <class Variant, std::size_t... I>
bool read_kind(reader& from, std::size_t kind, Variant& x,
               std::index_sequence<I...>) {
  return ((kind == I && read_alternative<Variant, I>(from, x)) || ...);
}

template <class Variant>
result<Variant> decoded(std::span<const std::uint8_t> cbor,
                        std::string_view what) {
  constexpr auto kinds = std::variant_size_v<Variant>;
  reader from{cbor};
  Variant out;
  std::size_t count = 0;
  std::uint64_t kind = 0;
  if (from.array(count) && count == 2 && from.number(kind, kinds - 1)
      && read_kind(from, kind, out, std::make_index_sequence<kinds>{})
      && from.at_end())
    return out;
  return fail(fault::invalid_config,
              "decode " + std::string{what} + ": malformed or truncated cbor");
}

} // namespace

std::vector<std::uint8_t> encode(const request& x) {
  return encoded(x);
}

std::vector<std::uint8_t> encode(const notice& x) {
  return encoded(x);
}

result<request> decode_request(std::span<const std::uint8_t> cbor) {
  return decoded<request>(cbor, "request");
}

result<notice> decode_notice(std::span<const std::uint8_t> cbor) {
  return decoded<notice>(cbor, "notice");
}

std::optional<greeting> decode_greeting(std::span<const std::uint8_t> cbor) {
  reader from{cbor};
  greeting out;
  std::size_t count = 0;
  std::uint64_t kind = 0;
  if (from.array(count) && count == 2 && from.number(kind, 0)
      && from.array(count) && count >= 2 && read_number(from, out.protocol)
      && from.text(out.version))
    return out;
  return std::nullopt;
}

std::string_view name_of(const request& x) noexcept {
  constexpr std::array<std::string_view, std::variant_size_v<request>> names{
    "upgrade",    "launch",   "start",     "signal", "attach", "resize",
    "reopen_log", "teardown", "poststart", "forget", "quit"};
  return names.at(x.index());
}

std::string_view to_string(process_state x) noexcept {
  constexpr std::array<std::string_view, 5> names{
    "launching", "created", "running", "exited", "failed"};
  return names.at(static_cast<std::size_t>(x));
}

std::uint64_t seq_of(const request& x) {
  return std::visit([](const auto& message) { return message.seq; }, x);
}

const process_key* key_of(const request& x) {
  return std::visit(
    [](const auto& message) -> const process_key* {
      if constexpr (requires { message.key; })
        return &message.key;
      else
        return nullptr;
    },
    x);
}

} // namespace troupe::shim
