#include "runtime/log/json_lines.hpp"

#include <array>
#include <charconv>

namespace troupe::log {

namespace {

using std::string_view;

constexpr string_view before_text = "{\"log\":\"";
constexpr string_view before_stream = ",\"stream\":\"";
constexpr string_view before_time = ",\"time\":\"";

// -- writing ------------------------------------------------------------------

constexpr auto plain = [] {
  std::array<bool, 256> out{};
  for (auto c = 0x20U; c < 0x7fU; ++c)
    out[c] = c != '"' && c != '\\';
  return out;
}();

unsigned byte(char c) {
  return static_cast<unsigned char>(c);
}

/// The length of the UTF-8 sequence that `text` begins with; 0: none (RFC 3629:
/// no overlong forms, no surrogates, nothing beyond U+10FFFF).
std::size_t sequence(string_view text) {
  const auto first = byte(text[0]);
  const auto size = first < 0x80                     ? 1U
                    : first >= 0xc2 && first <= 0xdf ? 2U
                    : first >= 0xe0 && first <= 0xef ? 3U
                    : first >= 0xf0 && first <= 0xf4 ? 4U
                                                     : 0U;
  if (size == 0 || text.size() < size)
    return 0;
  for (std::size_t i = 1; i < size; ++i)
    if ((byte(text[i]) & 0xc0U) != 0x80)
      return 0;
  if (size >= 3) {
    const auto second = byte(text[1]);
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f)
        || (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f))
      return 0;
  }
  return size;
}

void append_code(std::string& out, unsigned code) {
  constexpr string_view digits = "0123456789abcdef";
  out += "\\u";
  for (auto shift = 16U; shift > 0; shift -= 4)
    out += digits[code >> (shift - 4U) & 0xfU];
}

/// What is not plain; returns how much of `text` that was.
std::size_t append_special(std::string& out, string_view text) {
  switch (text[0]) {
  case '"':
    out += "\\\"";
    return 1;
  case '\\':
    out += "\\\\";
    return 1;
  case '\t':
    out += "\\t";
    return 1;
  case '\r':
    out += "\\r";
    return 1;
  default:
    break;
  }
  const auto size = sequence(text);
  if (size > 1) {
    out += text.substr(0, size);
    return size;
  }
  append_code(out, size == 1 ? byte(text[0]) : 0xdc00U | byte(text[0]));
  return 1;
}

void append_escaped(std::string& out, string_view text) {
  while (!text.empty()) {
    std::size_t run = 0;
    while (run < text.size() && plain[byte(text[run])])
      ++run;
    out += text.substr(0, run);
    text.remove_prefix(run);
    if (!text.empty())
      text.remove_prefix(append_special(out, text));
  }
}

// -- reading ------------------------------------------------------------------

bool take(string_view& from, string_view wanted) {
  if (!from.starts_with(wanted))
    return false;
  from.remove_prefix(wanted.size());
  return true;
}

bool take_code(string_view& from, unsigned& code) {
  if (from.size() < 4)
    return false;
  const auto [end, error] = std::from_chars(from.data(), from.data() + 4, code,
                                            16);
  if (error != std::errc{} || end != from.data() + 4)
    return false;
  from.remove_prefix(4);
  return true;
}

void append_utf8(std::string& out, unsigned code) {
  const auto add = [&](unsigned x) { out += static_cast<char>(x); };
  if (code < 0x80) {
    add(code);
  } else if (code < 0x800) {
    add(0xc0U | code >> 6U);
    add(0x80U | (code & 0x3fU));
  } else if (code < 0x10000) {
    add(0xe0U | code >> 12U);
    add(0x80U | (code >> 6U & 0x3fU));
    add(0x80U | (code & 0x3fU));
  } else {
    add(0xf0U | code >> 18U);
    add(0x80U | (code >> 12U & 0x3fU));
    add(0x80U | (code >> 6U & 0x3fU));
    add(0x80U | (code & 0x3fU));
  }
}

/// After `\u`.
bool take_unicode(string_view& from, std::string& out) {
  auto code = 0U;
  if (!take_code(from, code))
    return false;
  if (code >= 0xdc80 && code <= 0xdcff) {
    out += static_cast<char>(code & 0xffU);
    return true;
  }
  if (code >= 0xd800 && code <= 0xdbff) {
    auto low = 0U;
    if (!take(from, "\\u") || !take_code(from, low) || low < 0xdc00
        || low > 0xdfff)
      return false;
    code = 0x10000 + ((code - 0xd800) << 10U) + (low - 0xdc00);
  }
  append_utf8(out, code);
  return true;
}

bool take_escape(string_view& from, std::string& out) {
  constexpr string_view names = "\"\\/bfnrt";
  constexpr string_view meant = "\"\\/\b\f\n\r\t";
  const auto name = from.empty() ? '\0' : from.front();
  if (name == 'u') {
    from.remove_prefix(1);
    return take_unicode(from, out);
  }
  const auto at = names.find(name);
  if (at == string_view::npos)
    return false;
  out += meant[at];
  from.remove_prefix(1);
  return true;
}

/// Up to and with the closing quote.
bool take_text(string_view& from, std::string& out) {
  for (;;) {
    const auto run = from.find_first_of("\"\\");
    if (run == string_view::npos)
      return false;
    out += from.substr(0, run);
    const auto is_end = from[run] == '"';
    from.remove_prefix(run + 1);
    if (is_end)
      return true;
    if (!take_escape(from, out))
      return false;
  }
}

} // namespace

void append_json(std::string& out, string_view timestamp, stream from,
                 string_view begin, string_view end, bool partial) {
  out += before_text;
  if (begin.empty())
    append_escaped(out, end);
  else // A character may lie in both.
    append_escaped(out, std::string{begin}.append(end));
  if (!partial)
    out += "\\n";
  out.append(1, '"').append(before_stream);
  out += from == stream::out ? "stdout\"" : "stderr\"";
  out.append(before_time).append(timestamp).append("\"}\n");
}

std::optional<entry> parse_json(string_view line, std::string& text) {
  text.clear();
  entry out;
  if (!take(line, before_text) || !take_text(line, text)
      || !take(line, before_stream))
    return {};
  if (take(line, "stderr\""))
    out.stream = stream::err;
  else if (!take(line, "stdout\""))
    return {};
  const auto end = take(line, before_time) ? line.find('"') : string_view::npos;
  if (end == string_view::npos)
    return {};
  const auto time = parse_time(line.substr(0, end));
  if (!time)
    return {};
  out.time = *time;
  out.partial = !text.ends_with('\n');
  if (!out.partial)
    text.pop_back();
  out.text = text;
  return out;
}

} // namespace troupe::log
