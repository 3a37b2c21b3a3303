#include "programs/troupe/command.hpp"

#include <charconv>
#include <cstdio>
#include <string_view>
#include <unistd.h>

namespace troupe::client {

result<std::vector<std::string>>
words_of(const context& with, const CLI::App& command, std::size_t own) {
  auto words = command.remaining();
  if (!words.empty() && words.front().starts_with("-"))
    return fail(fault::invalid_config, "option " + words.front()
                                         + ": unknown; see troupe "
                                         + command.get_name() + " --help");
  if (with.after_dashes) {
    if (words.size() > own)
      words.emplace_back("--");
    words.insert(words.end(), with.after_dashes->begin(),
                 with.after_dashes->end());
  }
  return words;
}

int complain(const failure& why) {
  std::fflush(stdout);
  std::fprintf(stderr, "troupe: %s\n", why.what.c_str());
  switch (why.code) {
  case fault::command_not_found:
    return exit_not_found;
  case fault::command_not_executable:
    return exit_not_executable;
  default:
    return exit_failure;
  }
}

std::string container_path(const std::string& id, const std::string& rest) {
  const auto slash = id.find('/');
  if (slash != id.npos)
    return on_node(id.substr(0, slash),
                   container_path(id.substr(slash + 1), rest));
  return "/v1/containers/" + url_encoded(id) + rest;
}

void add_format(CLI::App& to, std::string& format,
                const std::vector<std::string>& allowed) {
  format = allowed.front();
  to.add_option("--format", format, "How to print")
    ->check(CLI::IsMember(allowed))
    ->capture_default_str();
}

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

void print(const nlohmann::json& document) {
  print(document.dump(::isatty(STDOUT_FILENO) ? 2 : -1, ' ', false,
                      nlohmann::json::error_handler_t::replace)
        + '\n');
}

int for_each(const std::vector<std::string>& ids,
             const std::function<outcome(const std::string&)>& one) {
  auto code = 0;
  for (const auto& id : ids) {
    if (const auto did = one(id); !did)
      code = complain(did.error());
    else
      print(id + '\n');
  }
  return code;
}

int show_each(const std::vector<std::string>& ids,
              const std::function<outcome(const std::string&)>& one) {
  auto code = 0;
  for (const auto& id : ids)
    if (const auto shown = one(id); !shown)
      code = complain(shown.error());
  return code;
}

std::string member_text(const nlohmann::json& of, const char* key) {
  const auto at = of.find(key);
  if (at == of.end() || at->is_null())
    return "-";
  return at->is_string() ? at->get<std::string>() : at->dump();
}

std::string command_line(const nlohmann::json& of) {
  std::string out;
  for (const auto& word : of.value("args", nlohmann::json::array()))
    out += (out.empty() ? "" : " ") + word.get<std::string>();
  return out;
}

result<double> parse_seconds(const std::string& text) {
  auto value = 0.0;
  const auto* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  const auto unit = std::string_view{at, static_cast<std::size_t>(end - at)};
  if (error == std::errc{} && value >= 0) {
    if (unit.empty() || unit == "s")
      return value;
    if (unit == "ms")
      return value / 1000;
    if (unit == "m")
      return value * 60;
    if (unit == "h")
      return value * 3600;
  }
  return fail(fault::invalid_config,
              "time '" + text
                + "': not a number of seconds, or of ms, s, m, h");
}

} // namespace troupe::client
