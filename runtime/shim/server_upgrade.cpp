#include "runtime/shim/server.hpp"

#include <utility>

/// One program of the shim makes place for the next (`upgrade`). What is handed
/// over begins with handover version, protocol and program version, for ever.
namespace troupe::shim {

outcome server::obey(const upgrade& x, const asker& who, sys::packet& with) {
  if (successor_)
    return fail(fault::wrong_state, "upgrade: another is under way");
  if (quitting_)
    return fail(fault::wrong_state, "upgrade: the shim is about to quit");
  if (with.fds.size() != 1)
    return fail(fault::invalid_config, "upgrade: came without its program");
  upgrader_ = who;
  TROUPE_TRY(successor_, successor::rehearse(
                           surroundings_, std::move(with.fds.front()),
                           {path_, spares_.wanted(), x.protocol}, everything(),
                           [this](const outcome& how) { give_way(how); }));
  return {};
}

// What the rehearsal has read is not what there is now. It comes back from
// `take_over` as whoever was refused: nothing has changed.
void server::give_way(const outcome& rehearsed) {
  auto how = rehearsed;
  if (how)
    how = successor_->take_over(everything());
  reply(upgrader_, {std::move(how), {}});
  loop_.later([this] { successor_.reset(); });
}

saver server::everything() {
  saver out;
  auto handover = handover_version;
  auto protocol = protocol_version;
  std::string version{TROUPE_VERSION};
  out(handover, protocol, version);
  out(surroundings_.self);
  hand_over(out);
  return out;
}

outcome server::take_over(loader& from, bool same_protocol) {
  hand_over(from);
  if (!from.at_end())
    return fail(fault::invalid_config,
                "take over: what is handed over cannot be read");
  patient_ = false;
  return resume(same_protocol);
}

// -- both ways ----------------------------------------------------------------

template <class Way>
void server::hand_over(Way& with) {
  auto has_supervisor = supervisor_ != nullptr && !supervisor_->lost();
  with(listener_, last_connection_, quitting_, upgrader_, has_supervisor);
  if (has_supervisor) {
    if constexpr (Way::saving)
      supervisor_->hand_over(with);
    else
      supervisor_ = supervisor::taken_over(loop_, with,
                                           listener_for_supervisor());
  }
  hand_over_processes(with);
  hand_over_jobs(with);
  hand_over_draining(with);
}

template <class Way>
void server::hand_over_processes(Way& with) {
  auto count = processes_.size();
  with(count);
  if constexpr (Way::saving)
    for (const auto& each : processes_)
      each.second->hand_over(with);
  else
    for (; count > 0 && with.ok(); --count) {
      auto next = std::make_unique<process>(surroundings_, *this, with);
      auto key = next->state().key;
      processes_.emplace(std::move(key), std::move(next));
    }
}

template <class Way>
void server::hand_over_jobs(Way& with) {
  std::erase_if(jobs_, [](const auto& each) { return each->done(); });
  auto count = jobs_.size();
  with(count);
  if constexpr (Way::saving)
    for (const auto& each : jobs_)
      each->hand_over(with);
  else
    for (; count > 0 && with.ok(); --count)
      jobs_.push_back(std::make_unique<job>(surroundings_, *this, with));
}

template <class Way>
void server::hand_over_draining(Way& with) {
  auto count = draining_.size();
  with(count);
  if constexpr (Way::saving)
    for (const auto& each : draining_)
      each->hand_over(with);
  else
    for (; count > 0 && with.ok(); --count)
      draining_.push_back(
        stdio::taken_over(loop_, with, {[] {}, [this] { tidy_later(); }}));
}

// Nothing is done here that anybody else could notice: this may be a rehearsal.
outcome server::resume(bool same_protocol) {
  std::vector<process_key> keys;
  for (const auto& [key, each] : processes_) {
    TROUPE_CHECK(each->resume());
    keys.push_back(key);
  }
  for (const auto& each : jobs_)
    TROUPE_CHECK(each->resume());
  for (const auto& each : draining_)
    TROUPE_CHECK(each->resume([] {}));
  if (supervisor_)
    TROUPE_CHECK(supervisor_->resume(same_protocol, keys));
  TROUPE_CHECK(watch_listener());
  TROUPE_CHECK(watch_children());
  reply(upgrader_, {});
  spares_.refill_later();
  sweep_soon();
  tidy_later();
  return {};
}

} // namespace troupe::shim
