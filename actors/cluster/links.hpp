#pragma once

#include "actors/cluster/messages.hpp"

#include <string>

namespace troupe::cluster {

/// The NODE's way to other nodes: an endpoint and BASP, or a simulation. Every
/// call returns at once; what comes of it is told by link_* messages.
class links {
public:
  links() = default;
  links(const links&) = delete;
  links& operator=(const links&) = delete;
  virtual ~links() = default;

  /// Connects to the node at `address`, HOST:PORT, called `name` unless that is
  /// empty: link_made or link_failed.
  virtual link_id dial(const std::string& address, const std::string& name,
                       greeting mine)
    = 0;

  /// Answers link_asked: link_made, or nothing if `mine` refuses.
  virtual void answer(link_id which, greeting mine) = 0;

  /// Finds the NODE at the other end of a link of ours: link_speaks. At the end
  /// of one that is theirs, lets theirs find ours.
  virtual void speak(const msg::link_made& over, node_actor as) = 0;

  /// Closes. Nothing is told of it.
  virtual void drop(link_id which) = 0;
};

} // namespace troupe::cluster
