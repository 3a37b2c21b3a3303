#include "programs/troupe-oci/log.hpp"

#include "config/base/clock.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <cstdio>
#include <fcntl.h>
#include <unistd.h>

namespace troupe::oci_cli {

namespace {

constexpr mode_t log_mode = 0644;

int open_log(const std::string& path) {
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
                log_mode);
}

/// As Go's %q, for which it is enough that no quote and no line end is left.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const auto c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out.append(1, '\\').append(1, c);
    else if (c == '\n')
      out += "\\n";
    else if (byte < ' ' || byte == 0x7f) {
      std::array<char, 5> escape{};
      std::snprintf(escape.data(), escape.size(), "\\x%02x", byte);
      out += escape.data();
    } else
      out += c;
  }
  return out + '"';
}

/// RFC 3339 in whole seconds.
std::string now() {
  auto out = rfc3339(now_ns());
  return out.substr(0, out.find('.')) + 'Z';
}

void put(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto n = TEMP_FAILURE_RETRY(::write(fd, text.data(), text.size()));
    if (n <= 0)
      return; // there is nobody left to tell
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

} // namespace

std::string record(std::string_view level, const std::string& message,
                   std::string_view time, bool json) {
  if (!json)
    return std::string{"time=\""}
      .append(time)
      .append("\" level=")
      .append(level)
      .append(" msg=")
      .append(quoted(message))
      .append("\n");
  const nlohmann::ordered_json out{
    {"level", level}, {"msg", message}, {"time", time}};
  return out.dump(-1, ' ', false,
                  nlohmann::ordered_json::error_handler_t::replace)
         + '\n';
}

bool log::is_usable() const {
  return path_.empty() || sys::unique_fd{open_log(path_)};
}

void log::write(std::string_view level, const std::string& message) const {
  const auto line = record(level, message, now(), json_);
  if (path_.empty())
    return put(STDERR_FILENO, line);
  if (const sys::unique_fd file{open_log(path_)}; file)
    put(file.get(), line); // in one write: O_APPEND keeps records whole
}

void log::finish() const {
  // One record: without a log file it stands in the container's own stderr.
  std::string all;
  for (const auto& each : warnings_)
    all += (all.empty() ? "" : "; ") + each;
  if (!all.empty())
    write("warning", all);
}

void log::fail(const std::string& message) const {
  if (path_.empty())
    finish();
  write("error", message);
  if (!path_.empty())
    put(STDERR_FILENO, message + '\n');
}

} // namespace troupe::oci_cli
