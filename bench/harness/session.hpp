#pragma once

#include "bench/harness/world.hpp"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace troupe::bench {

/// What one round of one participant has shown.
using readings = std::vector<std::pair<metric, double>>;

struct participant {
  std::string name;
  std::function<result<readings>()> once;
};

/// One scenario's run: where its samples go.
class session {
public:
  session(world& w, std::string scenario)
    : in(w), scenario_(std::move(scenario)) {
  }

  world& in;

  /// Rounds in a full and in a quick run.
  [[nodiscard]] int rounds(int full, int quick) const {
    return in.with.quick ? quick : full;
  }

  void add(const std::string& condition, const metric& what,
           const std::string& who, double value);
  /// `who` cannot take part; of ours, that is a failure of the run.
  void absent(const std::string& who, const std::string& reason);
  /// Tells a person how far it is.
  void progress(const std::string& text) const;

  /// Warms everyone up, then takes one reading of each per round, in an order
  /// that changes from round to round: slow changes of the machine meet all
  /// alike, and nobody always follows the same one. Who fails is absent from
  /// then on. Fails only when interrupted.
  [[nodiscard]] outcome interleave(const std::string& condition,
                                   std::vector<participant> who, int rounds);

private:
  [[nodiscard]] outcome take_round(const std::string& condition,
                                   std::vector<participant>& who, bool record);

  std::string scenario_;
};

/// A participant whose one reading is the time of a command.
[[nodiscard]] participant timed(session& in, std::string name, metric what,
                                std::function<command()> make);

} // namespace troupe::bench
