#pragma once

#include "config/base/result.hpp"
#include "config/json/pointer.hpp"

#include <nlohmann/json.hpp>

#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::json {

/// A place in a document that knows its own address, so that every complaint
/// about it starts with a JSON pointer: `/linux/resources/memory/limit: ...`.
/// The document must outlive its cursors.
class cursor {
public:
  explicit cursor(const nlohmann::json& root, pointer where = pointer{})
    : at_(&root), where_(std::move(where)) {
  }

  /// The member `name`. Absent members are cursors too; a `null` one counts as
  /// absent, because Go's encoders write `null` for what they were not given.
  [[nodiscard]] cursor operator[](std::string_view name) const;

  /// The element `index`, which must exist.
  [[nodiscard]] cursor operator[](std::size_t index) const;

  /// True if there is something here.
  [[nodiscard]] explicit operator bool() const noexcept {
    return at_ != nullptr;
  }

  [[nodiscard]] const pointer& where() const noexcept {
    return where_;
  }

  /// The value here, if it is of that type; else the complaint about it.
  [[nodiscard]] result<bool> boolean() const;
  [[nodiscard]] result<double> number() const;
  [[nodiscard]] result<std::int64_t> integer(std::int64_t least,
                                             std::int64_t most) const;
  [[nodiscard]] result<std::uint64_t> natural(std::uint64_t most) const;
  /// Without NUL bytes: every string of ours ends at the kernel's door.
  [[nodiscard]] result<std::string> string() const;
  [[nodiscard]] result<const nlohmann::json::array_t*> array() const;
  [[nodiscard]] result<const nlohmann::json::object_t*> object() const;

  /// The failure of this place to be `expected`: `/hooks: expected an object,
  /// found string`.
  [[nodiscard]] failure complain(std::string_view expected) const;

private:
  cursor(const nlohmann::json* at, pointer where)
    : at_(at), where_(std::move(where)) {
  }

  const nlohmann::json* at_;
  pointer where_;
};

// -- read: one overload per type; structs bring theirs in their own namespace
// --

[[nodiscard]] outcome read(const cursor& at, bool& out);
[[nodiscard]] outcome read(const cursor& at, double& out);
[[nodiscard]] outcome read(const cursor& at, std::string& out);
/// A map's key, which has the same rules as any string.
[[nodiscard]] outcome check_key(const cursor& at, std::string_view key);

template <std::integral Int>
[[nodiscard]] outcome read(const cursor& at, Int& out) {
  using limits = std::numeric_limits<Int>;
  if constexpr (std::unsigned_integral<Int>) {
    TROUPE_TRY(const auto value, at.natural(limits::max()));
    out = static_cast<Int>(value);
  } else {
    TROUPE_TRY(const auto value, at.integer(limits::min(), limits::max()));
    out = static_cast<Int>(value);
  }
  return {};
}

template <class T>
[[nodiscard]] outcome read(const cursor& at, std::optional<T>& out) {
  return read(at, out.emplace());
}

template <class T>
[[nodiscard]] outcome read(const cursor& at, std::vector<T>& out) {
  TROUPE_TRY(const auto* elements, at.array());
  out.resize(elements->size());
  for (std::size_t i = 0; i < out.size(); ++i)
    TROUPE_CHECK(read(at[i], out[i]));
  return {};
}

template <class T>
[[nodiscard]] outcome read(const cursor& at, std::map<std::string, T>& out) {
  TROUPE_TRY(const auto* entries, at.object());
  for (const auto& [key, value] : *entries) {
    TROUPE_CHECK(check_key(at, key));
    TROUPE_CHECK(read(cursor{value, at.where() / key}, out[key]));
  }
  return {};
}

// -- documents ----------------------------------------------------------------

/// Larger or deeper documents are refused before they are parsed: no config or
/// request comes near, and a parsed document takes many times its text's size.
inline constexpr std::size_t max_document_size = 16 << 20;
inline constexpr std::size_t max_document_depth = 64;

/// Parses `text`. The failure names line and column and what was unexpected;
/// nothing is thrown. Of a key given twice, the last one counts.
[[nodiscard]] result<nlohmann::json> parse(std::string_view text);

} // namespace troupe::json
