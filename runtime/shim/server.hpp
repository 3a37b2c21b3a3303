#pragma once

#include "runtime/shim/job.hpp"
#include "runtime/shim/process.hpp"
#include "runtime/shim/spares.hpp"
#include "runtime/shim/successor.hpp"
#include "runtime/shim/supervisor.hpp"
#include "runtime/shim/table.hpp"

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace troupe::shim {

/// The whole shim: its socket, its supervisor and its table of processes. It
/// lives until nobody needs it: no supervisor is connected and it holds no
/// record, no job and no client.
class server final : public table {
public:
  /// How long a fresh shim waits for its first supervisor.
  static constexpr std::chrono::seconds first_connection{10};

  server(shim::loop& in, own_process& self, std::string path,
         std::size_t spare_launchers);
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  /// Listens at the path, mode 0600.
  [[nodiscard]] outcome open();

  /// Goes on where another program was, in the place of `open`: see
  /// handover.hpp. `same_protocol`: as the supervisor's until now.
  [[nodiscard]] outcome take_over(loader& from, bool same_protocol);

  /// Until it is not needed any more; the socket is gone then.
  [[nodiscard]] outcome run();

private:
  outcome watch_children();
  void accept();
  [[nodiscard]] sys::unique_fd next_connection();
  void connect(sys::unique_fd socket);
  [[nodiscard]] supervisor::listener listener_for_supervisor();

  void handle(const request& what, sys::packet came_in);
  outcome obey(const upgrade& x, const asker& who, sys::packet& with);
  outcome obey(const launch& x, const asker& who, sys::packet& with);
  outcome obey(const start& x, const asker& who, sys::packet& with);
  outcome obey(const signal& x, const asker& who, sys::packet& with);
  outcome obey(const attach& x, const asker& who, sys::packet& with);
  outcome obey(const resize& x, const asker& who, sys::packet& with);
  outcome obey(const reopen_log& x, const asker& who, sys::packet& with);
  outcome obey(const teardown& x, const asker& who, sys::packet& with);
  outcome obey(const poststart& x, const asker& who, sys::packet& with);
  outcome obey(const forget& x, const asker& who, sys::packet& with);
  outcome obey(const quit& x, const asker& who, sys::packet& with);

  [[nodiscard]] saver everything();
  template <class Way>
  void hand_over(Way& with);
  template <class Way>
  void hand_over_processes(Way& with);
  template <class Way>
  void hand_over_jobs(Way& with);
  template <class Way>
  void hand_over_draining(Way& with);
  outcome resume(bool same_protocol);
  void give_way(const outcome& rehearsed);
  outcome watch_listener();

  [[nodiscard]] result<process*> find(const process_key& key);
  [[nodiscard]] job* job_of(job::kind what, const process_key& key);
  outcome run_job(job::kind what, const process_key& key, const asker& who,
                  const std::function<int(int)>& body);

  void changed(const process_key& key) override;
  void counted(const process_key& key) override;
  void tell_counted();
  void reply(const asker& to, answer what) override;
  void warn(warning what) override;
  void drain(std::unique_ptr<stdio> from) override;
  void sweep_soon() override;
  void tidy_later() override;
  void tidy();
  void bury_children();
  void sweep();
  void read_report_lines();
  [[nodiscard]] bool needed() const noexcept;

  shim::loop& loop_;
  std::string path_;
  child_table children_;
  spares spares_;
  surroundings surroundings_;
  sys::unique_fd listener_;
  watch accepting_;
  sys::unique_fd
    reserve_; ///< Given up for a supervisor when there are no more.
  sys::unique_fd child_signals_;
  watch child_died_;
  std::unordered_map<process_key, std::unique_ptr<process>> processes_;
  std::unordered_set<process_key> counted_; ///< To be told soon.
  std::vector<std::unique_ptr<job>> jobs_;
  std::vector<std::unique_ptr<stdio>> draining_;
  std::unique_ptr<supervisor> supervisor_;
  std::uint64_t last_connection_ = 0;
  std::unique_ptr<successor> successor_;
  asker upgrader_;      ///< Waits for it.
  bool patient_ = true; ///< The first supervisor may still come.
  bool quitting_ = false;
  bool tidying_ = false;
  bool sweeping_ = false; ///< A sweep is due.
};

} // namespace troupe::shim
