#pragma once

#include "actors/lifecycle.hpp"
#include "actors/messages.hpp"
#include "config/base/clock.hpp"
#include "runtime/cgroup/usage.hpp"
#include "runtime/linux/host_cpu.hpp"
#include "runtime/linux/unique_fd.hpp"
#include "runtime/plan/launch_plan.hpp"
#include "runtime/shim/protocol/messages.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

/// Messages that make sense inside one process only: they carry descriptors or
/// share plans, and are never serialised.
namespace troupe::msg {

using shared_plan = std::shared_ptr<const plan::launch_plan>;
using shared_exec_plan = std::shared_ptr<const plan::exec_plan>;

/// Asks the shim; `call`'s seq is set by the SHIM LINK.
struct shim_call {
  shim::request call;
  std::vector<shared_fd> fds;
};

/// The shim's answer, refusals included: the asker knows the plan that turns a
/// step into words.
struct shim_answer {
  shim::reply reply;
};

/// A process of the shim's is new, has changed, or has been told again.
struct process_changed {
  shim::record record;
};

struct process_warned {
  shim::warning warning;
};

/// Everything the shim held when the connection was made.
struct shim_synced {
  std::int32_t shim_pid = 0;
  std::string shim_version;
  std::uint32_t spare_launchers = 0;
  std::vector<shim::record> records;
};

/// From the REACTOR: a watched descriptor is ready.
struct fd_ready {
  std::uint64_t token = 0;
  std::uint32_t events = 0;
};

/// Asks the EVENT LOG which events it has, by msg::event::once.
struct find_told {
  std::vector<std::string> once;
};

/// Those of them that it has.
struct told {
  std::vector<std::string> once;
};

/// Asks the PLANNER for a container's plan.
struct compile_launch {
  std::string id;
  std::string bundle;
  std::string rootfs;
  std::string spec;
  std::string options;
};

/// The plan, and the config.json that it was compiled from.
struct compiled_launch {
  shared_plan plan;
  std::shared_ptr<const std::string> config;
};

/// Asks the PLANNER for an exec session's plan.
struct compile_exec {
  shared_plan in;
  std::string config; ///< The container's config.json.
  std::string session;
  create_exec what;
};

struct compiled_exec {
  shared_exec_plan plan;
};

/// Asks the PLANNER for a sealed copy of a program (sys::sealed_copy).
struct copy_program {
  std::string path;
};

struct program {
  shared_fd copy;
};

/// Asks an UPDATER for new limits of the container of `of`.
struct change_limits {
  shared_plan of;
  std::string resources; ///< As in msg::update.
};

/// The plan that is in force now.
struct limits {
  shared_plan of;
};

/// What one running container uses.
struct usage_row {
  std::string id;
  lifecycle::status status = lifecycle::status::running;
  cgroup::usage used;
  double cpu_percent = -1; ///< Of one CPU; -1: this was the first look.
};

struct usage_table {
  time_ns read = 0;
  time_ns took = 0; ///< To look at all of them.
  sys::host_cpu host;
  std::vector<usage_row> rows; ///< By id.
};

/// From the SAMPLER: one look at every container.
struct usage_sampled {
  std::shared_ptr<const usage_table> table;
};

/// Asks the SAMPLER for a look; with `rates`, for a second one soon after it,
/// unless the last was not long ago.
struct sample_usage {
  bool rates = false;
};

/// Hands a client's connection to the shim.
struct attach {
  shared_fd socket;
  bool with_stdin = false;
  bool with_output = true;
  shim::framing framing = shim::framing::frames;
  shim::overflow when_full = shim::overflow::block;
  std::uint32_t replay = 0; ///< Bytes of earlier output first, at most.
};

/// Asks an EXEC SESSION for what it was created to capture.
struct take_output {};

/// One file each, from its start to its end.
struct captured {
  shared_fd out;
  shared_fd err;
};

} // namespace troupe::msg

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::shim_call)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::shim_answer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::process_changed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::process_warned)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::shim_synced)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::fd_ready)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::find_told)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::told)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::compile_launch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::compiled_launch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::compile_exec)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::compiled_exec)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::copy_program)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::program)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::change_limits)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::limits)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::usage_sampled)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::sample_usage)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::attach)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::take_output)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::msg::captured)
