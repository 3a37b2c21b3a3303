#include "actors/guard.hpp"

#include "actors/errors.hpp"

#include <caf/message.hpp>
#include <caf/result.hpp>
#include <caf/scheduled_actor.hpp>
#include <caf/sec.hpp>
#include <spdlog/spdlog.h>

#include <exception>
#include <string>
#include <utility>

namespace troupe {

namespace {

caf::result<caf::message> refuse(caf::scheduled_actor* self,
                                 caf::message_view& unexpected) {
  spdlog::warn("{}: unexpected message of {} elements", self->name(),
               unexpected.content().size());
  return caf::sec::unexpected_message;
}

caf::error end_with(caf::scheduled_actor* self, std::exception_ptr& thrown) {
  auto what = std::string{"unknown exception"};
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& why) {
    what = why.what();
  } catch (...) {
  }
  spdlog::error("{}: exception: {}", self->name(), what);
  return to_caf({fault::os, 0, std::string{self->name()} + ": " + what});
}

} // namespace

void guard(caf::scheduled_actor* self) {
  self->set_exit_handler([](caf::scheduled_actor* ptr, caf::exit_msg& x) {
    ptr->quit(std::move(x.reason));
  });
  self->set_default_handler(refuse);
  self->set_exception_handler(end_with);
}

} // namespace troupe
