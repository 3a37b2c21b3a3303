#include "runtime/store/state_file.hpp"

#include "config/json/fields.hpp"

namespace troupe::store {

/// Members later versions add are optional: an older supervisor's file must
/// stay readable across an upgrade.
template <class Io>
void fields(Io& io, state& x) {
  io.required("id", x.id);
  io.required("status", x.status);
  io.required("bundle", x.bundle);
  io.optional("pid", x.pid);
  io.optional("exit_code", x.exit_code);
  io.optional("exit_signal", x.exit_signal);
  io.optional("oom_killed", x.oom_killed);
  io.optional("oom_kills", x.oom_kills);
  io.optional("error", x.error);
  io.required("created", x.created);
  io.optional("started", x.started);
  io.optional("finished", x.finished);
  io.optional("log_driver", x.log_driver);
  io.optional("log_path", x.log_path);
  io.optional("log_mode", x.log_mode);
  io.optional("auto_remove", x.auto_remove);
  io.optional("stdin_open", x.stdin_open);
  io.optional("pid_start", x.pid_start);
  io.optional("oci_version", x.oci_version);
  io.optional("rootfs", x.rootfs);
  io.optional("owner", x.owner);
  io.optional("annotations", x.annotations);
}

std::string to_text(const state& x) {
  auto copy = x;
  // An error text can quote bytes of a hostile path: they must not throw here.
  return json::to_value(copy).dump(2, ' ', false,
                                   nlohmann::json::error_handler_t::replace)
         + '\n';
}

result<state> parse_state(std::string_view text) {
  TROUPE_TRY(const auto document, json::parse(text));
  state out;
  TROUPE_CHECK(json::read(json::cursor{document}, out));
  return out;
}

} // namespace troupe::store
