#include "actors/event_log.hpp"

#include "actors/errors.hpp"
#include "actors/guard.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

namespace troupe {

namespace {

/// Events that one transaction takes at most: one that is too long keeps the
/// readers waiting.
constexpr std::size_t max_batch = 4096;

/// Moves an unusable database, and what SQLite keeps beside it, out of the way.
outcome set_aside(const std::string& path, const std::string& to) {
  namespace fs = std::filesystem;
  for (const auto* suffix : {"", "-wal", "-shm"}) {
    std::error_code error;
    fs::rename(path + suffix, to + suffix, error);
    if (error && error != std::errc::no_such_file_or_directory)
      return fail_os(error.value(), "rename", path + suffix);
  }
  return {};
}

struct waiting_append {
  msg::append_events what;
  caf::typed_response_promise<msg::events_committed> promise;
};

struct event_log_state {
  using self_pointer = event_log_actor::stateful_pointer<event_log_state>;

  static constexpr const char* name = "event_log";

  explicit event_log_state(self_pointer ptr) : self(ptr) {
  }

  caf::result<msg::events_committed> append(msg::append_events& x);
  void flush();
  outcome open();
  outcome write(const std::vector<const msg::append_events*>& events);
  [[nodiscard]] std::int64_t last_seq() const {
    return table ? table->last_seq() : 0;
  }
  outcome begin_anew(const failure& why);
  caf::result<msg::events> read(const msg::read_events& x);
  caf::result<msg::told> find(const msg::find_told& x);
  void subscribe(const msg::subscribe_events& x);
  void tell_subscribers();

  self_pointer self;
  std::string path;
  event_retention keep;
  std::unique_ptr<event_table> table; ///< Null: it cannot be opened yet.
  std::vector<waiting_append> waiting;
  std::size_t waiting_events = 0;
  std::vector<event_subscriber_actor> subscribers;
};

/// Everything that is in the mailbox already goes into the same transaction:
/// the message that triggers it queues up behind.
caf::result<msg::events_committed>
event_log_state::append(msg::append_events& x) {
  auto promise = self->make_response_promise<msg::events_committed>();
  if (waiting.empty())
    self->send(self, msg::deadline{});
  waiting_events += x.events.size();
  waiting.push_back({std::move(x), promise});
  if (waiting_events >= max_batch)
    flush();
  return promise;
}

void event_log_state::flush() {
  if (waiting.empty())
    return;
  auto batch = std::exchange(waiting, {});
  waiting_events = 0;
  std::vector<const msg::append_events*> events;
  events.reserve(batch.size());
  for (const auto& each : batch)
    events.push_back(&each.what);
  const auto before = last_seq();
  const auto written = write(events);
  for (auto& each : batch)
    if (written)
      each.promise.deliver(msg::events_committed{last_seq()});
    else
      each.promise.deliver(to_caf(failure{written.error()}.during("append")));
  if (last_seq() != before)
    tell_subscribers();
}

outcome
event_log_state::write(const std::vector<const msg::append_events*>& events) {
  const auto attempt = [&] {
    auto opened = open();
    return opened ? table->append(events) : opened;
  };
  auto written = attempt();
  if (!written && written.error().code == fault::invalid_config)
    if (begin_anew(written.error()))
      written = attempt();
  return written;
}

outcome event_log_state::open() {
  if (table)
    return {};
  TROUPE_TRY(auto opened, event_table::open(path, keep));
  table = std::make_unique<event_table>(std::move(opened));
  return {};
}

/// A database that is damaged under our hands goes the way of one that is found
/// so at the start; numbers go on. Whatever fails here is tried again with the
/// next append.
outcome event_log_state::begin_anew(const failure& why) {
  const auto aside = path + ".corrupt-" + rfc3339(now_ns());
  spdlog::error("event log: {}; moving it to {}", why.what, aside);
  TROUPE_CHECK(set_aside(path, aside));
  TROUPE_TRY(auto fresh, event_table::open(path, keep));
  fresh.go_on_after(last_seq());
  table = std::make_unique<event_table>(std::move(fresh));
  return {};
}

caf::result<msg::events> event_log_state::read(const msg::read_events& x) {
  auto opened = open();
  auto found = opened ? table->read(x) : fail(std::move(opened).error());
  if (!found)
    return to_caf(std::move(found).error().during("read events"));
  return *std::move(found);
}

caf::result<msg::told> event_log_state::find(const msg::find_told& x) {
  msg::told out;
  if (auto opened = open(); !opened)
    return to_caf(std::move(opened).error().during("find events"));
  for (const auto& each : x.once) {
    const auto found = table->has(each);
    if (!found)
      return to_caf(failure{found.error()}.during("find events"));
    if (*found)
      out.once.push_back(each);
  }
  return out;
}

void event_log_state::subscribe(const msg::subscribe_events& x) {
  self->monitor(x.subscriber);
  subscribers.push_back(x.subscriber);
  self->send(x.subscriber, msg::events_committed{last_seq()});
}

void event_log_state::tell_subscribers() {
  for (const auto& each : subscribers)
    self->send(each, msg::events_committed{last_seq()});
}

event_log_actor::behavior_type
event_log(event_log_state::self_pointer self, std::string path,
          event_retention keep, const std::shared_ptr<event_table>& table) {
  auto& state = self->state;
  guard(self);
  state.path = std::move(path);
  state.keep = keep;
  if (table)
    state.table = std::make_unique<event_table>(std::move(*table));
  self->set_down_handler([&state](const caf::down_msg& x) {
    std::erase_if(state.subscribers,
                  [&](const auto& each) { return each == x.source; });
  });
  // Whoever was told to append has a right to it.
  self->set_exit_handler([self](const caf::exit_msg& x) {
    self->state.flush();
    self->quit(x.reason);
  });
  return {
    [&state](msg::append_events& x) { return state.append(x); },
    [&state](const msg::read_events& x) { return state.read(x); },
    [&state](const msg::find_told& x) { return state.find(x); },
    [&state](const msg::subscribe_events& x) { state.subscribe(x); },
    [&state](const msg::deadline&) { state.flush(); },
  };
}

} // namespace

result<event_log_actor> spawn_event_log(caf::actor_system& system,
                                        const std::string& path,
                                        event_retention keep,
                                        std::string& warning) {
  auto table = event_table::open(path, keep);
  if (!table && table.error().code == fault::invalid_config) {
    const auto aside = path + ".corrupt-" + rfc3339(now_ns());
    warning = table.error().what + "; moved to " + aside;
    TROUPE_CHECK(set_aside(path, aside));
    table = event_table::open(path, keep);
  }
  if (!table && table.error().code != fault::exhausted)
    return fail(std::move(table).error());
  if (!table) // The disk is full: whoever has events keeps them.
    warning = table.error().what;
  return system.spawn<caf::detached>(
    event_log, path, keep,
    table ? std::make_shared<event_table>(*std::move(table)) : nullptr);
}

} // namespace troupe
