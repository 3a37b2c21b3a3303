#include "actors/sampler.hpp"

#include "actors/deadlines.hpp"
#include "actors/errors.hpp"
#include "actors/guard.hpp"
#include "runtime/cgroup/usage.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>
#include <spdlog/spdlog.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace troupe {

namespace {

/// Between two looks for subscribers.
constexpr auto interval = std::chrono::seconds{1};
/// Between two looks from whose difference somebody wants a rate at once.
constexpr auto first_interval = std::chrono::milliseconds{200};
/// How long files stay open for who may ask again.
constexpr auto idle_time = std::chrono::seconds{5};
/// Every so many looks for subscribers, all that a container has is read:
/// memory is taken from one that does not run, and packets come to it.
constexpr auto whole_looks = 10U;
constexpr auto lookup_patience = std::chrono::seconds{10};

enum class sampler_due : std::uint8_t {
  look,      ///< For subscribers.
  rate_look, ///< For who has asked for rates.
  idle_over,
  count,
};

/// A container that is looked at.
struct watched {
  cgroup::usage_reader reader;
  time_ns created = 0; ///< Of which container of that id.
  cgroup::usage used;
  time_ns read = 0; ///< 0: not yet.
};

struct sampler_state {
  using pointer = sampler_actor::stateful_pointer<sampler_state>;
  using answer = caf::typed_response_promise<msg::usage_sampled>;

  static constexpr const char* name = "sampler";

  explicit sampler_state(pointer me) : self(me), due(me) {
  }

  caf::result<msg::usage_sampled> sample(const msg::sample_usage& x);
  void subscribe(const msg::subscribe_usage& x);
  /// Of a handle or an address.
  template <class Who>
  void unsubscribe(const Who& x) {
    std::erase_if(subscribers, [&](const auto& each) { return x == each; });
  }
  void fell_due(const msg::deadline& x);

  void look();
  void take(const msg::snapshots& all);
  void look_failed(const failure& why);
  void add_row(msg::usage_table& to, const msg::snapshot& of);
  /// Whether this look at the container is a whole one.
  [[nodiscard]] bool is_whole(const watched& x, const std::string& id) const;
  watched* find(const msg::snapshot& of);
  void hand_out(const msg::usage_sampled& what);

  pointer self;
  plan::host_facts host;
  supervisor_actor supervisor;
  deadlines<pointer, sampler_due> due;
  std::map<std::string, watched> known;
  std::vector<usage_subscriber_actor> subscribers;
  std::vector<answer> waiting;          ///< For the look that is under way.
  std::vector<answer> waiting_for_rate; ///< For the one after it.
  bool looking = false;
  std::size_t looks = 0;
};

bool is_looked_at(const msg::snapshot& x) {
  return !x.cgroup.empty() && lifecycle::is_running(x.status);
}

caf::result<msg::usage_sampled>
sampler_state::sample(const msg::sample_usage& x) {
  auto reply = self->make_response_promise<msg::usage_sampled>();
  if (x.rates && subscribers.empty()) {
    waiting_for_rate.push_back(reply);
    due.arm(sampler_due::rate_look, first_interval);
  } else {
    waiting.push_back(reply);
  }
  look();
  return reply;
}

void sampler_state::subscribe(const msg::subscribe_usage& x) {
  self->monitor(x.subscriber);
  subscribers.push_back(x.subscriber);
  look();
  if (subscribers.size() == 1) {
    due.disarm(sampler_due::look); // of those who have had enough
    due.arm(sampler_due::look, interval);
  }
}

void sampler_state::fell_due(const msg::deadline& x) {
  if (!due.reached(x))
    return;
  switch (static_cast<sampler_due>(x.of)) {
  case sampler_due::look:
    if (subscribers.empty())
      return;
    look();
    due.arm(sampler_due::look, interval);
    return;
  case sampler_due::rate_look:
    for (auto& each : std::exchange(waiting_for_rate, {}))
      waiting.push_back(std::move(each));
    look();
    return;
  case sampler_due::idle_over:
    if (subscribers.empty() && !looking)
      known.clear();
    return;
  case sampler_due::count:
    return;
  }
}

void sampler_state::look() {
  if (std::exchange(looking, true))
    return;
  self->request(supervisor, lookup_patience, msg::list_containers{})
    .then([this](const msg::snapshots& all) { take(all); },
          [this](const caf::error& why) { look_failed(from_caf(why)); });
}

void sampler_state::take(const msg::snapshots& all) {
  looking = false;
  ++looks;
  auto table = std::make_shared<msg::usage_table>();
  const auto began = boot_ns();
  table->read = now_ns();
  table->host = sys::read_host_cpu();
  for (const auto& each : all.all)
    if (is_looked_at(each))
      add_row(*table, each);
  table->took = boot_ns() - began;
  if (known.size() > table->rows.size())
    std::erase_if(known, [&](const auto& each) {
      return each.second.read < began; // not among them
    });
  hand_out({std::move(table)});
}

void sampler_state::add_row(msg::usage_table& to, const msg::snapshot& of) {
  auto* source = find(of);
  if (!source)
    return;
  const auto used = is_whole(*source, of.id)
                      ? source->reader.read()
                      : source->reader.read_after(source->used);
  if (!used) // ended since it was listed
    return;
  msg::usage_row row{of.id, of.status, *used, -1};
  const auto now = boot_ns();
  if (source->read != 0 && now > source->read)
    row.cpu_percent = 100.0
                      * static_cast<double>(used->cpu_ns - source->used.cpu_ns)
                      / static_cast<double>(now - source->read);
  source->used = *used;
  source->read = now;
  to.rows.push_back(std::move(row));
}

/// Not of all containers in the same second.
bool sampler_state::is_whole(const watched& x, const std::string& id) const {
  return x.read == 0 || !waiting.empty()
         || (std::hash<std::string>{}(id) + looks) % whole_looks == 0;
}

watched* sampler_state::find(const msg::snapshot& of) {
  auto found = known.find(of.id);
  if (found != known.end() && found->second.created == of.created)
    return &found->second;
  auto reader = cgroup::usage_reader::open(host, of.cgroup,
                                           of.own_network ? of.pid : 0);
  if (!reader)
    return nullptr;
  return &known
            .insert_or_assign(of.id,
                              watched{*std::move(reader), of.created, {}, 0})
            .first->second;
}

void sampler_state::hand_out(const msg::usage_sampled& what) {
  for (auto& each : std::exchange(waiting, {}))
    each.deliver(what);
  for (const auto& each : subscribers)
    self->send(each, what);
  due.disarm(sampler_due::idle_over);
  if (subscribers.empty())
    due.arm(sampler_due::idle_over, idle_time);
}

void sampler_state::look_failed(const failure& why) {
  looking = false;
  spdlog::warn("sampler: {}", why.what);
  for (auto& each : std::exchange(waiting, {}))
    each.deliver(to_caf(why));
}

sampler_actor::behavior_type sampler(sampler_state::pointer self,
                                     plan::host_facts host,
                                     const supervisor_actor& supervisor) {
  guard(self);
  auto& state = self->state;
  state.host = std::move(host);
  state.supervisor = supervisor;
  self->set_down_handler(
    [&state](const caf::down_msg& x) { state.unsubscribe(x.source); });
  return {
    [&state](const msg::sample_usage& x) { return state.sample(x); },
    [&state](const msg::subscribe_usage& x) { state.subscribe(x); },
    [self, &state](const msg::unsubscribe_usage& x) {
      self->demonitor(x.subscriber->address());
      state.unsubscribe(x.subscriber);
    },
    [&state](const msg::deadline& x) { state.fell_due(x); },
  };
}

} // namespace

sampler_actor spawn_sampler(caf::actor_system& system, plan::host_facts host,
                            supervisor_actor supervisor) {
  return system.spawn<caf::detached>(sampler, std::move(host),
                                     std::move(supervisor));
}

} // namespace troupe
