#pragma once

#include "actors/container.hpp"
#include "actors/deadlines.hpp"
#include "actors/orphan.hpp"
#include "actors/supervisor.hpp"

#include <caf/result.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace troupe {

/// What the supervisor's own deadlines are about.
enum class supervisor_due : std::uint8_t {
  removals_over, ///< At the end: containers that remove themselves.
  rebuild_again, ///< What a crashed actor has left could not be read.
  count,
};

/// The SUPERVISOR. supervisor.cpp answers, supervisor_adopt.cpp rebuilds after
/// a restart or a crash, supervisor_end.cpp ends.
struct supervisor_state {
  using pointer = supervisor_actor::stateful_pointer<supervisor_state>;
  template <class Reply>
  using promise = caf::typed_response_promise<Reply>;

  static constexpr const char* name = "supervisor";

  explicit supervisor_state(pointer me);

  void begin(shared_services services);

  // -- requests; those that come before the adoption is over wait for it ------

  template <class Request>
  [[nodiscard]] bool can_answer(const Request&) const {
    return ready;
  }

  /// One that is back does not wait for the others.
  [[nodiscard]] bool can_answer(const msg::find_container& x) const {
    const auto found = containers.find(x.id);
    return ready
           || (found != containers.end() && found->second.actor
               && !found->second.adopting);
  }

  template <class Reply, class Request>
  caf::result<Reply> serve(const Request& x) {
    auto reply = self->make_response_promise<Reply>();
    if (can_answer(x))
      answer(x, reply);
    else
      waiting.push_back([this, x, reply] { answer(x, reply); });
    return reply;
  }

  void answer(msg::create_container x, promise<msg::snapshot> reply);
  void answer(const msg::find_container& x,
              promise<msg::container_found> reply);
  void answer(const msg::list_containers& x, promise<msg::snapshots> reply);
  void answer(const msg::describe_host& x, promise<msg::host_info> reply);
  void answer(const msg::upgrade_shim& x, promise<msg::host_info> reply);
  void upgrade(const msg::program& to, const std::string& path,
               promise<msg::host_info> reply);
  void answer(const msg::shut_down& x, const promise<msg::done>& reply);

  // -- facts ------------------------------------------------------------------

  void changed(const msg::shared_snapshot& x);
  void synced(const msg::shim_synced& x);
  void fell_due(const msg::deadline& x);
  void peer_down(const caf::down_msg& x);

  // -- adoption ---------------------------------------------------------------

  using records = std::map<std::string, std::vector<shim::record>>;

  void read_all(records by_container);
  void adopt_all(std::vector<store::found>& all, const records& by_container,
                 const std::set<std::string>& told);
  void adopt(store::found& x, const records& by_container, bool told_started);
  void discard(store::found& x, const records& by_container);
  void bury(remains of);
  void rebuild_crashed(const records& by_container);
  void crashed(const std::string& id, const caf::error& why);
  void adopted_one();

  // -- the end ----------------------------------------------------------------

  void stop_all(caf::timespan grace);
  void await_removals();
  void end_shim();
  /// Ends every container's actor, and then this one.
  void leave(caf::error why);
  void leave_if_alone();

  // -- shared -----------------------------------------------------------------

  struct entry {
    container_actor actor; ///< Null while it is rebuilt, or given up.
    msg::shared_snapshot now;
    bool adopting = false; ///< It has not said yet where it is.
    int crashes = 0;
    time_ns last_crash = 0; ///< Since boot.
  };
  using table = std::map<std::string, entry, std::less<>>;

  result<table::iterator> find(const std::string& id);
  container_actor spawn(container_origin origin);

  pointer self;
  shared_services with;
  deadlines<pointer, supervisor_due> due;
  table containers;
  std::map<std::string, process_owner_actor> orphans;
  time_ns started = 0;
  std::string kernel;
  std::int32_t shim_pid = 0;
  std::string shim_version;
  std::uint32_t spare_launchers = 0;
  std::int64_t last_seq = 0;

  bool asked = false; ///< The first shim_synced has come.
  bool ready = false;
  std::size_t adopting = 0;
  std::vector<std::function<void()>> waiting;

  /// They wait for what the new shim tells of itself.
  std::vector<promise<msg::host_info>> upgraders;

  bool closing = false; ///< A shut_down is under way.
  bool leaving = false;
  bool removals_awaited = false;
  caf::error leaving_because;
  std::vector<promise<msg::done>> enders;
};

} // namespace troupe
