#pragma once

#include "actors/cluster/messages.hpp"
#include "config/cluster_settings.hpp"

#include <caf/actor_clock.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace troupe::cluster {

using moment = caf::actor_clock::time_point;

/// When to try again: later each time, and not all at once.
class back_off {
public:
  [[nodiscard]] bool is_due(moment now) const noexcept {
    return now >= next_;
  }
  void failed(moment now, std::minstd_rand& chance);
  void succeeded() noexcept {
    *this = {};
  }

private:
  moment next_{};
  caf::timespan pause_{0};
};

/// Another node, as this one sees it.
struct peer {
  msg::member is;
  msg::node_state state = msg::node_state::suspect;
  moment since{};           ///< Of `state`.
  moment heard{};           ///< The last that came from it.
  moment left{};            ///< When it has, if `is.left`.
  link_id dialing = 0;      ///< 0: no dial of ours is under way.
  link_id link = 0;         ///< 0: none.
  bool dialed = false;      ///< `link` is one of ours.
  std::uint64_t linked = 0; ///< The incarnation that `link` leads to.
  node_actor node;          ///< Null until it has joined.
  std::uint64_t digest = 0; ///< Of what it knows.
  int differs = 0;          ///< Heartbeats since that was what we know.
  msg::node_load has;
  back_off again;
  std::string problem;
};

/// All that a node knows of the others: records that they give of themselves
/// and pass on, and what it sees of each itself. No actor, and no clock.
class roster {
public:
  using table = std::map<std::string, peer, std::less<>>;

  roster(msg::member me, const cluster_settings& from)
    : me_(std::move(me)), from_(from) {
  }

  [[nodiscard]] const msg::member& me() const noexcept {
    return me_;
  }
  [[nodiscard]] table& peers() noexcept {
    return peers_;
  }
  [[nodiscard]] const table& peers() const noexcept {
    return peers_;
  }
  [[nodiscard]] peer* find(std::string_view name);
  [[nodiscard]] const peer* find(std::string_view name) const;
  [[nodiscard]] peer* find_link(link_id which);

  /// Takes over what is newer than what it has. True: something was.
  bool merge(const msg::member& x, moment now);

  /// Somebody else's node is gone for good. Returns what to tell the others.
  msg::member remove(peer& x, moment now);

  /// Everybody forgets who has left after the same time, so that nobody brings
  /// a name back.
  void forget_who_left(moment now);

  /// Everybody, this node too.
  [[nodiscard]] msg::members all(moment now) const;

  /// Of `all`, whatever the order.
  [[nodiscard]] std::uint64_t digest() const;

  /// Why a node may not have a link now; nothing: it may.
  [[nodiscard]] std::optional<std::string> objection(const greeting& by,
                                                     moment now) const;

  /// Whether a second link to `to` is the one to keep: both sides agree, by
  /// name.
  [[nodiscard]] bool prefers(const peer& to, bool dialed) const noexcept {
    return dialed == (me_.name < to.is.name);
  }

  /// Whether nothing was heard over its link for too long.
  [[nodiscard]] bool is_silent(const peer& x, moment now) const;

  /// Others know of a later node of this name, so this one's clock was set
  /// back. Of a later incarnation than that from now on. False: they do not.
  bool outdo(const msg::member& x);

  /// Others were told that this node is gone. It says later that it is not.
  /// False: they were not.
  bool contradict(const msg::member& x);

  /// What silence makes of a peer.
  [[nodiscard]] msg::node_state state_of(const peer& x, moment now) const;

  /// The time of all silences moves on: it was this node that did not listen.
  void excuse(caf::timespan absence, moment now);

  /// Change this node's own record.
  const msg::member& leave();
  const msg::member& drain(bool begins);

private:
  msg::member me_;
  cluster_settings from_;
  table peers_;
};

} // namespace troupe::cluster
