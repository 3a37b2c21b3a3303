#include "actors/log_options.hpp"

#include "config/base/quote.hpp"

#include <array>
#include <string_view>

namespace troupe {

namespace {

struct driver_row {
  std::string_view name;
  shim::log_driver driver;
};

constexpr std::array drivers{
  driver_row{"none", shim::log_driver::none},
  driver_row{"k8s-file", shim::log_driver::k8s_file},
  driver_row{"json-file", shim::log_driver::json_file},
  driver_row{"journald", shim::log_driver::journald},
  driver_row{"passthrough", shim::log_driver::passthrough},
};

std::string usual_path(const std::string& driver, const std::string& file) {
  if (driver == "journald")
    return journal_socket;
  return driver.ends_with("-file") ? file : "";
}

} // namespace

log_choice complete(const log_choice& x, const settings& usual,
                    const std::string& path) {
  auto out = x;
  if (out.driver.empty())
    out.driver = usual.log_driver;
  if (out.mode.empty())
    out.mode = usual_mode(out.driver);
  if (out.path.empty())
    out.path = usual_path(out.driver, path);
  if (out.max_size < 0)
    out.max_size = usual.log_max_size;
  if (out.max_files < 0)
    out.max_files = usual.log_max_files;
  return out;
}

result<shim::log_options> log_options_of(const log_choice& x) {
  for (const auto& row : drivers) {
    if (row.name != x.driver)
      continue;
    shim::log_options out;
    out.driver = row.driver;
    out.path = x.path;
    out.max_size = x.max_size;
    out.max_files = static_cast<std::uint32_t>(x.max_files);
    out.when_full = x.mode == "blocking" ? shim::overflow::block
                                         : shim::overflow::drop;
    return out;
  }
  return fail(fault::invalid_config,
              "/log/driver: unknown: " + quote(x.driver));
}

} // namespace troupe
