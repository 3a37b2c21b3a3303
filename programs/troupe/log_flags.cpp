#include "programs/troupe/log_flags.hpp"

#include "config/base/quote.hpp"
#include "config/run_options.hpp"

#include <charconv>
#include <filesystem>

namespace troupe::client {

namespace {

result<std::int64_t> parse_count(const std::string& text) {
  std::int64_t out = 0;
  const auto* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, out);
  if (error != std::errc{} || at != end || out < 1)
    return fail(fault::invalid_config,
                "--log-opt max-file=" + text + ": expected a number from 1 on");
  return out;
}

outcome apply_option(const std::string& key, const std::string& value,
                     log_choice& to) {
  if (key == "max-size") {
    TROUPE_TRY(to.max_size, parse_size(value));
  } else if (key == "max-file") { // With the one that is being written.
    TROUPE_TRY(const auto files, parse_count(value));
    to.max_files = files - 1;
  } else if (key == "mode") {
    to.mode = value;
  } else if (key == "path") {
    to.path = std::filesystem::absolute(value).lexically_normal().string();
  } else {
    return fail(fault::invalid_config,
                "--log-opt " + quote(key)
                  + ": expected max-size, max-file, mode or path");
  }
  return {};
}

} // namespace

void log_flags::add_to(CLI::App& command) {
  command
    .add_option("--log-driver", driver,
                "k8s-file, json-file, journald, passthrough (our own stdin, "
                "stdout and stderr) or none")
    ->check(CLI::IsMember(
      std::vector<std::string>{log_drivers.begin(), log_drivers.end()}));
  command
    .add_option("--log-opt", options,
                "max-size=10m, max-file=3, path=FILE, mode=blocking or "
                "non-blocking (drop and count while it cannot be written)")
    ->allow_extra_args(false);
}

result<log_choice> log_flags::choice() const {
  log_choice out;
  out.driver = driver;
  for (const auto& each : options) {
    const auto mark = std::min(each.find('='), each.size());
    TROUPE_CHECK(apply_option(
      each.substr(0, mark), each.substr(std::min(mark + 1, each.size())), out));
  }
  TROUPE_CHECK(validate(out, troupe::json::pointer{"--log-opt"}));
  return out;
}

} // namespace troupe::client
