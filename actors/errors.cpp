#include "actors/errors.hpp"

#include <caf/message.hpp>
#include <caf/sec.hpp>

#include <cstdint>
#include <utility>

namespace troupe {

caf::error to_caf(failure why) {
  return caf::make_error(why.code, std::move(why.what),
                         static_cast<std::int32_t>(why.os_errno));
}

failure from_caf(const caf::error& why) {
  if (why.category() == caf::atom("troupe")
      && why.context().match_elements<std::string, std::int32_t>())
    return {static_cast<fault>(why.code()),
            why.context().get_as<std::int32_t>(1),
            why.context().get_as<std::string>(0)};
  if (why == caf::sec::request_timeout)
    return {fault::timed_out, 0, "the request's deadline has passed"};
  if (why == caf::sec::request_receiver_down)
    return {fault::destroyed, 0, "the container is gone"};
  return {fault::os, 0, caf::to_string(why)};
}

} // namespace troupe
