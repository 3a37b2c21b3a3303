#include "runtime/oci/foreground.hpp"
#include "runtime/oci/operations.hpp"

namespace troupe::oci_runtime {

namespace {

/// Whether the bundle's process has a terminal, once it is a container.
result<bool> has_terminal(const runtime& in, const std::string& id) {
  TROUPE_TRY(const auto plan, in.store.read_plan(id));
  return plan.process.terminal;
}

result<int> started(const runtime& in, const std::string& id,
                    const process& init, foreground* carrier,
                    bool console_elsewhere) {
  TROUPE_CHECK(start(in, id));
  if (carrier == nullptr)
    return 0;
  TROUPE_TRY(const auto terminal, has_terminal(in, id));
  return carrier->carry(init, terminal && !console_elsewhere);
}

} // namespace

result<int> run(const runtime& in, const std::string& id,
                const run_options& options) {
  std::optional<foreground> carrier;
  auto with = options.create;
  if (!options.detach) {
    TROUPE_TRY(carrier, foreground::prepare());
    with.console = carrier->console();
  }
  TROUPE_TRY(const auto init, create(in, id, with));
  auto code = started(in, id, init, carrier ? &*carrier : nullptr,
                      !with.console_socket.empty());
  if (!code || (carrier && !options.keep))
    if (const auto removed = remove(in, id, true); !removed)
      in.warn(removed.error().what);
  return code;
}

} // namespace troupe::oci_runtime
