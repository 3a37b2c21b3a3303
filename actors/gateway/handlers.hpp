#pragma once

#include "actors/gateway/routes.hpp"

/// One handler per route, see routes.cpp.
namespace troupe::gateway {

// -- handle_host.cpp

outcome show_index(session& in, const call& x);
outcome show_health(session& in, const call& x);
outcome show_version(session& in, const call& x);
outcome show_info(session& in, const call& x);
outcome show_metrics(session& in, const call& x);
outcome show_usage(session& in, const call& x);
outcome upgrade_shim(session& in, const call& x);
outcome shut_down(session& in, const call& x);
outcome show_events(session& in, const call& x);

// -- handle_nodes.cpp

outcome list_nodes(session& in, const call& x);
outcome choose_node(session& in, const call& x);
outcome drain_node(session& in, const call& x);
outcome undrain_node(session& in, const call& x);
outcome remove_node(session& in, const call& x);

// -- handle_container.cpp

outcome list_containers(session& in, const call& x);
outcome create_container(session& in, const call& x);
outcome show_container(session& in, const call& x);
outcome remove_container(session& in, const call& x);
outcome start_container(session& in, const call& x);
outcome stop_container(session& in, const call& x);
outcome kill_container(session& in, const call& x);
outcome pause_container(session& in, const call& x);
outcome unpause_container(session& in, const call& x);
outcome update_container(session& in, const call& x);
outcome wait_for_container(session& in, const call& x);
outcome attach_container(session& in, const call& x);
outcome reopen_log(session& in, const call& x);
outcome resize_container(session& in, const call& x);

// -- handle_insight.cpp

outcome show_processes(session& in, const call& x);
outcome show_stats(session& in, const call& x);
outcome show_logs(session& in, const call& x);
outcome show_own_events(session& in, const call& x);
outcome show_config(session& in, const call& x);
outcome show_plan(session& in, const call& x);

// -- handle_exec.cpp

outcome create_exec(session& in, const call& x);
outcome show_exec(session& in, const call& x);
outcome remove_exec(session& in, const call& x);
outcome start_exec(session& in, const call& x);
outcome kill_exec(session& in, const call& x);
outcome wait_for_exec(session& in, const call& x);
outcome run_exec(session& in, const call& x);
outcome stop_exec(session& in, const call& x);
outcome attach_exec(session& in, const call& x);
outcome resize_exec(session& in, const call& x);

} // namespace troupe::gateway
