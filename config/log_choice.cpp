#include "config/log_choice.hpp"

#include "config/base/quote.hpp"
#include "config/json/checks.hpp"

namespace troupe {

namespace {

constexpr std::array<std::string_view, 2> modes{"blocking", "non-blocking"};

} // namespace

outcome validate(const log_choice& x, const json::pointer& at) {
  constexpr std::int64_t page = 4096;
  if (!x.driver.empty())
    TROUPE_CHECK(json::check_word(at / "driver", x.driver, log_drivers));
  if (!x.mode.empty())
    TROUPE_CHECK(json::check_word(at / "mode", x.mode, modes));
  if (x.max_size != -1)
    TROUPE_CHECK(json::check_range(at / "max_size", x.max_size, page,
                                   std::int64_t{1} << 40));
  if (x.max_files != -1)
    TROUPE_CHECK(json::check_range(at / "max_files", x.max_files, 0, 1000));
  if (x.path.empty())
    return {};
  if (x.driver == "none" || x.driver == "passthrough")
    return json::refuse(at / "path", "none with the driver " + x.driver,
                        quote(x.path));
  return json::check_absolute(at / "path", x.path);
}

std::string usual_mode(const std::string& driver) {
  return driver == "journald" ? "blocking" : "non-blocking";
}

} // namespace troupe
