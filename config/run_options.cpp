#include "config/run_options.hpp"

#include "config/json/fields.hpp"

namespace troupe {

template <class Io>
void fields(Io& io, run_options& x) {
  io.optional("args", x.args);
  io.optional("env", x.env);
  io.optional("cwd", x.cwd);
  io.optional("user", x.user);
  io.optional("volumes", x.volumes);
  io.optional("hostname", x.hostname);
  io.optional("memory", x.memory);
  io.optional("cpus", x.cpus);
  io.optional("pids_limit", x.pids_limit);
  io.optional("cap_add", x.cap_add);
  io.optional("cap_drop", x.cap_drop);
  io.optional("read_only", x.read_only);
  io.optional("network", x.network);
  io.optional("tty", x.tty);
  io.optional("rows", x.rows);
  io.optional("cols", x.cols);
  io.optional("notify_pressure", x.notify_pressure);
  io.optional("annotations", x.annotations);
}

void to_json(nlohmann::json& out, const run_options& x) {
  auto copy = x;
  out = json::to_value(copy);
}

result<run_options> parse_run_options(const nlohmann::json& in) {
  run_options out;
  const json::cursor at{in, json::pointer{"/options"}};
  json::reader io{at};
  fields(io, out);
  TROUPE_CHECK(std::move(io).done_strictly());
  return out;
}

} // namespace troupe
