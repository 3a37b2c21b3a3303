#pragma once

#include "runtime/shim/protocol/messages.hpp"

#include <concepts>
#include <tuple>
#include <type_traits>

/// The members of every message, in the order of their declaration: the table
/// that the codec works from.
namespace troupe::shim {

/// `T` is `X` or `const X`.
template <class T, class X>
concept maybe_const = std::same_as<std::remove_const_t<T>, X>;

template <maybe_const<log_options> T>
auto fields(T& x) {
  return std::tie(x.driver, x.path, x.max_size, x.max_files, x.when_full);
}

template <maybe_const<launch> T>
auto fields(T& x) {
  return std::tie(x.seq, x.key, x.target, x.open_stdin, x.terminal, x.log,
                  x.replay, x.preserve_fds, x.ignore_paused, x.files,
                  x.timeout);
}

template <maybe_const<signal> T>
auto fields(T& x) {
  return std::tie(x.seq, x.key, x.signo);
}

template <maybe_const<attach> T>
auto fields(T& x) {
  return std::tie(x.seq, x.key, x.with_stdin, x.with_output, x.framing,
                  x.when_full, x.replay);
}

template <maybe_const<resize> T>
auto fields(T& x) {
  return std::tie(x.seq, x.key, x.rows, x.cols);
}

/// A request that says no more than whom it is about.
template <class T>
concept keyed_only
  = maybe_const<T, start> || maybe_const<T, reopen_log> || maybe_const<
    T, teardown> || maybe_const<T, poststart> || maybe_const<T, forget>;

template <keyed_only T>
auto fields(T& x) {
  return std::tie(x.seq, x.key);
}

template <maybe_const<upgrade> T>
auto fields(T& x) {
  return std::tie(x.seq, x.protocol);
}

template <maybe_const<quit> T>
auto fields(T& x) {
  return std::tie(x.seq);
}

template <maybe_const<hello> T>
auto fields(T& x) {
  return std::tie(x.protocol, x.version, x.pid, x.spare_launchers);
}

template <maybe_const<step_report> T>
auto fields(T& x) {
  return std::tie(x.phase, x.index, x.os_errno, x.subject);
}

template <maybe_const<log_drop> T>
auto fields(T& x) {
  return std::tie(x.os_errno, x.bytes);
}

template <maybe_const<log_counters> T>
auto fields(T& x) {
  return std::tie(x.bytes_in, x.bytes_logged, x.bytes_dropped, x.last_errno,
                  x.drops);
}

template <maybe_const<attach_counters> T>
auto fields(T& x) {
  return std::tie(x.clients, x.bytes_dropped);
}

template <maybe_const<record> T>
auto fields(T& x) {
  return std::tie(x.key, x.is_exec, x.state, x.pid, x.created, x.started,
                  x.finished, x.exit_code, x.exit_signal, x.failure,
                  x.start_failed, x.log, x.attached, x.timeout);
}

template <maybe_const<synced> T>
auto fields(T&) {
  return std::tuple<>{};
}

template <maybe_const<reply> T>
auto fields(T& x) {
  return std::tie(x.seq, x.fault, x.os_errno, x.what, x.has_step, x.step);
}

template <maybe_const<warning> T>
auto fields(T& x) {
  return std::tie(x.key, x.what, x.has_step, x.step);
}

} // namespace troupe::shim
