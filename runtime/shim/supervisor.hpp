#pragma once

#include "runtime/linux/seqpacket.hpp"
#include "runtime/shim/handover.hpp"
#include "runtime/shim/loop.hpp"
#include "runtime/shim/protocol/messages.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <unordered_set>
#include <vector>

namespace troupe::shim {

/// The connection to one supervisor. What is to be said is kept as keys, not as
/// records: however slow the supervisor reads, it costs one key a process, and
/// what it reads then is the newest state.
class supervisor {
public:
  /// Replies and warnings that wait for a supervisor that does not read; one
  /// with more is disconnected and gets all that counts, the records, again.
  static constexpr std::size_t max_waiting = 4096;

  struct listener {
    hello greeting; ///< What the supervisor is told first.
    /// Its record as it is now; null: forgotten meanwhile.
    std::function<const record*(const process_key&)> record_of;
    std::function<void(const request&, sys::packet)> requested;
    /// Everything is said.
    std::function<void()> flushed;
    /// The connection is over; called from within its own callback.
    std::function<void()> lost;
  };

  supervisor(const supervisor&) = delete;
  supervisor& operator=(const supervisor&) = delete;

  /// Greets, and sends the records of `keys`.
  [[nodiscard]] static result<std::unique_ptr<supervisor>>
  open(loop& in, std::uint64_t id, sys::unique_fd socket,
       const std::vector<process_key>& keys, listener tell);

  /// One that takes over from another, and greets once more.
  [[nodiscard]] static std::unique_ptr<supervisor>
  taken_over(loop& in, loader& from, listener tell);

  template <class Way>
  void hand_over(Way& with) {
    with(id_, socket_, synced_, dirty_, waiting_);
  }

  /// Goes on where the other was, and sends the records of `keys` again. What
  /// was to be said in another protocol is not said.
  [[nodiscard]] outcome resume(bool same_protocol,
                               const std::vector<process_key>& keys);

  [[nodiscard]] std::uint64_t id() const noexcept {
    return id_;
  }

  /// The record of `key` is to be sent (again).
  void changed(const process_key& key);

  /// Queues a reply or a warning, behind every changed record.
  void say(const notice& what);

  /// Everything has been handed to the kernel.
  [[nodiscard]] bool idle() const noexcept {
    return dirty_.empty() && waiting_.empty();
  }

  [[nodiscard]] bool lost() const noexcept {
    return lost_;
  }

private:
  enum class sent : std::uint8_t { yes, full, no };

  supervisor(loop& in, std::uint64_t id, sys::unique_fd socket, listener tell);
  outcome watch_socket();
  void ready(std::uint32_t events);
  bool receive();
  void flush_later();
  void flush();
  sent flush_all();
  sent flush_records();
  sent flush_waiting();
  sent send(const std::vector<std::uint8_t>& packet);
  void lose();

  loop& loop_;
  std::uint64_t id_;
  sys::unique_fd socket_;
  watch watch_;
  listener tell_;
  bool greeted_ = false;
  bool synced_ = false;
  bool flushing_ = false; ///< `flush` is due after this round.
  bool lost_ = false;
  std::deque<process_key> dirty_;
  std::unordered_set<process_key> in_dirty_;
  std::deque<std::vector<std::uint8_t>> waiting_;
  /// Work queued in the loop must not outlive this object.
  std::shared_ptr<supervisor*> self_;
};

} // namespace troupe::shim
