#include "runtime/log/cri.hpp"

namespace troupe::log {

namespace {

constexpr std::string_view stdout_word = "stdout";
constexpr std::string_view stderr_word = "stderr";

// Takes `line` up to the next space, and the space; nothing without one.
std::optional<std::string_view> next_word(std::string_view& line) {
  const auto end = line.find(' ');
  if (end == std::string_view::npos)
    return {};
  const auto word = line.substr(0, end);
  line.remove_prefix(end + 1);
  return word;
}

std::optional<stream> stream_of(std::string_view word) {
  if (word == stdout_word)
    return stream::out;
  if (word == stderr_word)
    return stream::err;
  return {};
}

} // namespace

void begin_record(std::string& out, std::string_view timestamp, stream from,
                  bool partial) {
  out.append(timestamp).append(1, ' ');
  out.append(from == stream::out ? stdout_word : stderr_word);
  out.append(partial ? " P " : " F ");
}

void format(std::string& out, const entry& x) {
  begin_record(out, rfc3339(x.time), x.stream, x.partial);
  out.append(x.text).append(1, '\n');
}

std::optional<entry> parse(std::string_view line) {
  const auto timestamp = next_word(line);
  const auto from = next_word(line);
  const auto tag = next_word(line);
  if (!timestamp || !from || !tag || (*tag != "F" && *tag != "P"))
    return {};
  // parse_time also knows plain seconds, which a log has not.
  if (timestamp->find('T') == std::string_view::npos)
    return {};
  const auto time = parse_time(*timestamp);
  const auto stream = stream_of(*from);
  if (!time || !stream)
    return {};
  return entry{*time, *stream, *tag == "P", line};
}

} // namespace troupe::log
