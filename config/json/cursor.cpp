#include "config/json/cursor.hpp"

#include "config/base/quote.hpp"

#include <algorithm>

namespace troupe::json {

namespace {

std::string range(std::int64_t least, std::uint64_t most) {
  return "an integer from " + std::to_string(least) + " to "
         + std::to_string(most);
}

/// What stands at a place, in words; numbers are shown, since it is mostly
/// their value that is wrong.
std::string found(const nlohmann::json* at) {
  if (!at)
    return "nothing";
  if (at->is_number() && !at->is_number_float())
    return at->dump();
  return at->type_name();
}

} // namespace

// -- cursor -------------------------------------------------------------------

cursor cursor::operator[](std::string_view name) const {
  auto where = where_ / name;
  if (!at_ || !at_->is_object())
    return {nullptr, std::move(where)};
  const auto i = at_->find(name);
  const auto absent = i == at_->end() || i->is_null();
  return {absent ? nullptr : &*i, std::move(where)};
}

cursor cursor::operator[](std::size_t index) const {
  return {&(*at_)[index], where_ / index};
}

result<bool> cursor::boolean() const {
  if (!at_ || !at_->is_boolean())
    return fail(complain("true or false"));
  return at_->get<bool>();
}

result<double> cursor::number() const {
  if (!at_ || !at_->is_number())
    return fail(complain("a number"));
  return at_->get<double>();
}

result<std::int64_t> cursor::integer(std::int64_t least,
                                     std::int64_t most) const {
  const auto allowed = [&] {
    return fail(complain(range(least, static_cast<std::uint64_t>(most))));
  };
  if (!at_ || !at_->is_number_integer())
    return allowed();
  // get<int64_t> of 2^63 and above would wrap around.
  if (at_->is_number_unsigned()
      && at_->get<std::uint64_t>() > static_cast<std::uint64_t>(most))
    return allowed();
  const auto value = at_->get<std::int64_t>();
  if (value < least || value > most)
    return allowed();
  return value;
}

result<std::uint64_t> cursor::natural(std::uint64_t most) const {
  // Parsed naturals are unsigned; a program's own documents have signed ones.
  const bool is_natural = at_ && at_->is_number_integer()
                          && (at_->is_number_unsigned()
                              || at_->get<std::int64_t>() >= 0);
  if (!is_natural || at_->get<std::uint64_t>() > most)
    return fail(complain(range(0, most)));
  return at_->get<std::uint64_t>();
}

result<std::string> cursor::string() const {
  if (!at_ || !at_->is_string())
    return fail(complain("a string"));
  const auto& text = at_->get_ref<const std::string&>();
  if (text.find('\0') != text.npos)
    return fail(fault::invalid_config, where_.text()
                                         + ": expected a string without NUL "
                                           "bytes, found "
                                         + quote(text));
  return text;
}

result<const nlohmann::json::array_t*> cursor::array() const {
  if (!at_ || !at_->is_array())
    return fail(complain("an array"));
  return at_->get_ptr<const nlohmann::json::array_t*>();
}

result<const nlohmann::json::object_t*> cursor::object() const {
  if (!at_ || !at_->is_object())
    return fail(complain("an object"));
  return at_->get_ptr<const nlohmann::json::object_t*>();
}

failure cursor::complain(std::string_view expected) const {
  const auto& text = where_.text();
  auto what = text.empty() ? std::string{"document"} : text;
  what.append(": expected ").append(expected);
  what.append(", found ").append(found(at_));
  return {fault::invalid_config, 0, std::move(what)};
}

// -- read ---------------------------------------------------------------------

outcome read(const cursor& at, bool& out) {
  TROUPE_TRY(out, at.boolean());
  return {};
}

outcome read(const cursor& at, double& out) {
  TROUPE_TRY(out, at.number());
  return {};
}

outcome read(const cursor& at, std::string& out) {
  TROUPE_TRY(out, at.string());
  return {};
}

outcome check_key(const cursor& at, std::string_view key) {
  if (key.find('\0') == key.npos)
    return {};
  return fail(fault::invalid_config,
              at.where().text() + ": expected keys without NUL bytes, found "
                + quote(key));
}

// -- documents ----------------------------------------------------------------

namespace {

/// A place in a text, counted from 1.
std::string line_and_column(std::string_view before) {
  const auto line = std::ranges::count(before, '\n') + 1;
  const auto column = before.size() - (before.rfind('\n') + 1) + 1;
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

/// Refuses brackets nested too deep; the parser itself has no bound. Brackets
/// inside of strings don't count.
outcome check_depth(std::string_view text) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string && c == '\\')
      ++i;
    else if (c == '"')
      in_string = !in_string;
    else if (!in_string && (c == '[' || c == '{')
             && ++depth > max_document_depth)
      return fail(fault::invalid_config, line_and_column(text.substr(0, i))
                                           + ": expected at most "
                                           + std::to_string(max_document_depth)
                                           + " levels of nesting, found more");
    else if (!in_string && (c == ']' || c == '}') && depth > 0)
      --depth;
  }
  return {};
}

/// nlohmann's text without its identifier, `[json.exception...] parse error at
/// `, and without bytes that are not printable.
std::string readable(std::string_view what) {
  const auto place = what.find("line ");
  auto out = std::string{place == what.npos ? what : what.substr(place)};
  std::ranges::replace_if(
    out, [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

} // namespace

result<nlohmann::json> parse(std::string_view text) {
  if (text.size() > max_document_size)
    return fail(fault::invalid_config, "document: expected at most "
                                         + std::to_string(max_document_size)
                                         + " bytes, found "
                                         + std::to_string(text.size()));
  TROUPE_CHECK(check_depth(text));
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::exception& why) {
    return fail(fault::invalid_config, readable(why.what()));
  }
}

} // namespace troupe::json
