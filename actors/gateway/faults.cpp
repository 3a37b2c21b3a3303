#include "actors/gateway/faults.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <cerrno>
#include <cstddef>

namespace troupe::gateway {

namespace {

struct status_row {
  fault code;
  unsigned status;
};

constexpr std::array statuses{
  status_row{fault::none, 500},
  status_row{fault::invalid_config, 400},
  status_row{fault::unsupported, 501},
  status_row{fault::not_found, 404},
  status_row{fault::already_exists, 409},
  status_row{fault::wrong_state, 409},
  status_row{fault::paused, 409},
  status_row{fault::destroyed, 410},
  status_row{fault::denied, 403},
  status_row{fault::exhausted, 429},
  status_row{fault::timed_out, 504},
  status_row{fault::unavailable, 503},
  status_row{fault::command_not_found, 422},
  status_row{fault::command_not_executable, 422},
  status_row{fault::os, 500},
  status_row{fault::node_unreachable, 502},
};

consteval bool one_row_per_fault_in_order() {
  for (std::size_t i = 0; i < statuses.size(); ++i)
    if (static_cast<std::size_t>(statuses[i].code) != i)
      return false;
  return statuses.size()
         == static_cast<std::size_t>(fault::node_unreachable) + 1;
}
static_assert(one_row_per_fault_in_order());

response document(unsigned status, nlohmann::json error) {
  const nlohmann::json body{{"error", std::move(error)}};
  // A message can quote bytes of a client's that are no UTF-8.
  return {status,
          body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)};
}

} // namespace

unsigned status_of(const failure& why) noexcept {
  if (why.os_errno == ENOSPC || why.os_errno == EDQUOT)
    return 507;
  const auto index = static_cast<std::size_t>(why.code);
  return index < statuses.size() ? statuses[index].status : 500;
}

response error_response(const failure& why) {
  nlohmann::json error{{"code", to_string(why.code)}, {"message", why.what}};
  if (why.os_errno != 0)
    error["errno"] = errno_name(why.os_errno);
  return document(status_of(why), std::move(error));
}

response error_response(unsigned status, std::string_view code,
                        std::string_view message) {
  return document(status, {{"code", code}, {"message", message}});
}

} // namespace troupe::gateway
