#pragma once

#include "config/base/result.hpp"

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace troupe::bench {

/// Follows the supervisor's event log on a connection and thread of its own,
/// and notes when each container's exit, and its want of memory, is told.
class event_listener {
public:
  /// Follows from now on.
  [[nodiscard]] static result<std::unique_ptr<event_listener>>
  start(const std::string& socket, const std::string& bundle);
  event_listener(const event_listener&) = delete;
  event_listener& operator=(const event_listener&) = delete;
  ~event_listener(); ///< Makes one event more, to wake its reader up.

  /// The moment at which the first event of `type` about `id` was told; waits
  /// for it.
  [[nodiscard]] result<std::int64_t> wait_for(const std::string& id,
                                              const std::string& type);

private:
  event_listener(std::string socket, std::string bundle)
    : socket_(std::move(socket)), bundle_(std::move(bundle)) {
  }
  void follow(const std::string& target);
  [[nodiscard]] bool take(std::string_view piece);

  std::string socket_;
  std::string bundle_;
  std::mutex guard_;
  std::condition_variable changed_;
  std::map<std::string, std::int64_t> told_; ///< By "TYPE ID".
  std::string pending_;
  bool ended_ = false;
  std::thread reader_;
};

} // namespace troupe::bench
