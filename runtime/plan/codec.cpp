#include "runtime/plan/cbor.hpp"
#include "runtime/plan/fields.hpp"

#include <limits>

// One struct is one array of its fields, in the order of fields.hpp; the
// version comes first, so a reader of another version stops right there.
namespace troupe::plan {

namespace {

// -- proof that fields.hpp lists every member ---------------------------------

struct anything {
  template <class T>
  operator T() const; // never defined: only named in unevaluated operands
};

template <class T, std::size_t... I>
constexpr bool takes(std::index_sequence<I...>) {
  return requires {
    T{(static_cast<void>(I), anything{})...};
  };
}

template <class T, std::size_t N = 1>
constexpr std::size_t member_count() {
  if constexpr (takes<T>(std::make_index_sequence<N + 1>{}))
    return member_count<T, N + 1>();
  else
    return N;
}

template <class T>
concept record = requires(T& x) {
  fields(x);
};

template <record T>
constexpr std::size_t field_count
  = std::tuple_size_v<decltype(fields(std::declval<T&>()))>;

// -- writing ------------------------------------------------------------------

void write(cbor::writer& to, bool x) {
  to.boolean(x);
}

void write(cbor::writer& to, const std::string& x) {
  to.text(x);
}

void write(cbor::writer& to, const bytes& x) {
  to.binary(x);
}

template <std::unsigned_integral T>
void write(cbor::writer& to, T x) {
  to.number(x);
}

template <std::signed_integral T>
void write(cbor::writer& to, T x) {
  to.integer(x);
}

template <class T>
requires std::is_enum_v<T>
void write(cbor::writer& to, T x) {
  to.number(static_cast<std::uint64_t>(x));
}

template <class T>
void write(cbor::writer& to, const std::vector<T>& xs);

template <record T>
void write(cbor::writer& to, const T& x) {
  static_assert(field_count<T> == member_count<T>(),
                "fields.hpp misses a member");
  to.array(field_count<T>);
  std::apply([&](const auto&... each) { (write(to, each), ...); }, fields(x));
}

template <class T>
void write(cbor::writer& to, const std::vector<T>& xs) {
  to.array(xs.size());
  for (const auto& x : xs)
    write(to, x);
}

// -- reading ------------------------------------------------------------------

constexpr std::uint64_t last_of(cgroup_mode) {
  return static_cast<std::uint64_t>(cgroup_mode::hybrid);
}

constexpr std::uint64_t last_of(mount_kind) {
  return static_cast<std::uint64_t>(mount_kind::remount);
}

constexpr std::uint64_t last_of(mount_idmap) {
  return static_cast<std::uint64_t>(mount_idmap::recursive);
}

bool read(cbor::reader& from, bool& x) {
  return from.boolean(x);
}

bool read(cbor::reader& from, std::string& x) {
  return from.text(x);
}

bool read(cbor::reader& from, bytes& x) {
  return from.binary(x);
}

template <std::unsigned_integral T>
bool read(cbor::reader& from, T& x) {
  std::uint64_t wide = 0;
  if (!from.number(wide, std::numeric_limits<T>::max()))
    return false;
  x = static_cast<T>(wide);
  return true;
}

template <std::signed_integral T>
bool read(cbor::reader& from, T& x) {
  std::int64_t wide = 0;
  if (!from.integer(wide))
    return false;
  x = static_cast<T>(wide);
  return x == wide;
}

template <class T>
requires std::is_enum_v<T>
bool read(cbor::reader& from, T& x) {
  std::uint64_t wide = 0;
  if (!from.number(wide, last_of(T{})))
    return false;
  x = static_cast<T>(wide);
  return true;
}

template <class T>
bool read(cbor::reader& from, std::vector<T>& xs);

template <record T>
bool read(cbor::reader& from, T& x) {
  std::size_t count = 0;
  return from.array(count) && count == field_count<T>
         && std::apply([&](auto&... each) { return (read(from, each) && ...); },
                       fields(x));
}

// No reserve: an announced count is the input's word, an element is not.
template <class T>
bool read(cbor::reader& from, std::vector<T>& xs) {
  std::size_t count = 0;
  if (!from.array(count))
    return false;
  for (; count != 0; --count)
    if (!read(from, xs.emplace_back()))
      return false;
  return true;
}

// -- whole plans --------------------------------------------------------------

template <class T>
bytes encoded(const T& plan) {
  cbor::writer to;
  write(to, plan);
  return std::move(to).take();
}

/// The version alone, to tell "another version" from "not a plan".
bool other_version(std::span<const std::uint8_t> cbor, std::uint32_t& found) {
  cbor::reader from{cbor};
  std::size_t count = 0;
  return from.array(count) && read(from, found) && found != plan_version;
}

template <class T>
result<T> decoded(std::span<const std::uint8_t> cbor) {
  if (std::uint32_t found = 0; other_version(cbor, found))
    return fail(fault::unsupported,
                "decode plan: version " + std::to_string(found)
                  + ", this build knows " + std::to_string(plan_version));
  cbor::reader from{cbor};
  auto plan = T{};
  if (!read(from, plan) || !from.at_end())
    return fail(fault::invalid_config,
                "decode plan: malformed or truncated cbor");
  return plan;
}

} // namespace

bytes encode(const launch_plan& plan) {
  return encoded(plan);
}

bytes encode(const exec_plan& plan) {
  return encoded(plan);
}

bytes encode(const kept_filter& x) {
  return encoded(x);
}

bytes encode(const kept_limits& x) {
  return encoded(x);
}

result<launch_plan> decode_launch_plan(std::span<const std::uint8_t> cbor) {
  return decoded<launch_plan>(cbor);
}

result<exec_plan> decode_exec_plan(std::span<const std::uint8_t> cbor) {
  return decoded<exec_plan>(cbor);
}

result<kept_filter> decode_kept_filter(std::span<const std::uint8_t> cbor) {
  return decoded<kept_filter>(cbor);
}

result<kept_limits> decode_kept_limits(std::span<const std::uint8_t> cbor) {
  return decoded<kept_limits>(cbor);
}

} // namespace troupe::plan
