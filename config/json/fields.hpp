#pragma once

#include "config/base/quote.hpp"
#include "config/json/cursor.hpp"

#include <algorithm>
#include <concepts>
#include <type_traits>
#include <utility>

/// One table per struct, for both directions. A struct brings, in its own
/// namespace, `template <class Io> void fields(Io& io, the_struct& x)`, which
/// names its members once; `reader` fills them from a document and `writer`
/// makes a document of them, so that what is written can be read again.
namespace troupe::json {

/// Fills a struct from the object at a place; the first failure is kept and
/// whatever follows it is passed over.
class reader {
public:
  explicit reader(const cursor& at) : at_(at) {
    keep(at_.object());
  }

  /// The member `name` must be there.
  template <class T>
  void required(std::string_view name, T& out) {
    known_.push_back(name);
    if (outcome_)
      keep(read(at_[name], out));
  }

  /// The member `name` may be absent; `out` is untouched then.
  template <class T>
  void optional(std::string_view name, T& out) {
    known_.push_back(name);
    if (!outcome_)
      return;
    if (const auto member = at_[name])
      keep(read(member, out));
  }

  /// A map from names to structs, kept as a vector of structs whose member
  /// `key` holds the name.
  template <class T>
  void keyed(std::string_view name, std::vector<T>& out, std::string T::*key) {
    std::map<std::string, T> entries;
    optional(name, entries);
    for (auto& [text, value] : entries) {
      value.*key = text;
      out.push_back(std::move(value));
    }
  }

  /// An object `name` that exists for its one member, which must be there.
  template <class T>
  void nested(std::string_view name, std::string_view member,
              std::optional<T>& out) {
    known_.push_back(name);
    if (!outcome_)
      return;
    if (const auto outer = at_[name]) {
      reader inner{outer};
      inner.required(member, out);
      keep(inner.outcome_);
    }
  }

  [[nodiscard]] outcome done() && {
    return std::move(outcome_);
  }

  /// done(), and no member but the named ones.
  [[nodiscard]] outcome done_strictly() && {
    TROUPE_CHECK(outcome_);
    TROUPE_TRY(const auto* members, at_.object());
    for (const auto& member : *members)
      if (std::find(known_.begin(), known_.end(), member.first) == known_.end())
        return fail(fault::invalid_config,
                    (at_.where() / member.first).text() + ": expected one of "
                      + joined(known_) + ", found an unknown key");
    return {};
  }

private:
  template <class T>
  void keep(const result<T>& seen) {
    if (!seen && outcome_)
      outcome_ = fail(seen.error());
  }

  cursor at_;
  outcome outcome_;
  std::vector<std::string_view> known_;
};

/// A struct with a table.
template <class T>
concept described = requires(reader& io, T& x) {
  fields(io, x);
};

// -- to_value: one overload per type; enumerations bring theirs
// ------------------

template <class T>
requires std::is_arithmetic_v<T> || std::same_as<T, std::string>
[[nodiscard]] nlohmann::json to_value(T& value) {
  return value;
}

template <described T>
[[nodiscard]] nlohmann::json to_value(T& value);
template <class T>
[[nodiscard]] nlohmann::json to_value(std::optional<T>& value);
template <class T>
[[nodiscard]] nlohmann::json to_value(std::vector<T>& values);
template <class T>
[[nodiscard]] nlohmann::json to_value(std::map<std::string, T>& values);

/// Makes an object of a struct. Members that have their default are left out,
/// unless they are required.
class writer {
public:
  template <class T>
  void required(std::string_view name, T& value) {
    object_[std::string{name}] = to_value(value);
  }

  template <class T>
  void optional(std::string_view name, T& value) {
    if (value != T{})
      required(name, value);
  }

  template <class T>
  void keyed(std::string_view name, std::vector<T>& values,
             std::string T::*key) {
    auto& entries = object_[std::string{name}] = nlohmann::json::object();
    for (auto& value : values)
      entries[value.*key] = to_value(value);
    if (values.empty())
      object_.erase(std::string{name});
  }

  template <class T>
  void nested(std::string_view name, std::string_view member,
              std::optional<T>& value) {
    if (value)
      object_[std::string{name}][std::string{member}] = to_value(*value);
  }

  [[nodiscard]] nlohmann::json done() && {
    return std::move(object_);
  }

private:
  nlohmann::json object_ = nlohmann::json::object();
};

template <described T>
[[nodiscard]] outcome read(const cursor& at, T& out) {
  reader io{at};
  fields(io, out);
  return std::move(io).done();
}

template <described T>
nlohmann::json to_value(T& value) {
  writer io;
  fields(io, value);
  return std::move(io).done();
}

template <class T>
[[nodiscard]] nlohmann::json to_value(std::optional<T>& value) {
  return to_value(*value);
}

template <class T>
[[nodiscard]] nlohmann::json to_value(std::vector<T>& values) {
  auto out = nlohmann::json::array();
  for (auto& value : values)
    out.push_back(to_value(value));
  return out;
}

template <class T>
[[nodiscard]] nlohmann::json to_value(std::map<std::string, T>& values) {
  auto out = nlohmann::json::object();
  for (auto& [key, value] : values)
    out[key] = to_value(value);
  return out;
}

} // namespace troupe::json
