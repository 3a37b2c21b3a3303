#pragma once

#include "actors/cluster/admission.hpp"
#include "actors/cluster/passage.hpp"

#include <boost/asio/executor_work_guard.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

namespace troupe::cluster {

/// Every connection of an endpoint, in its thread.
class switchboard : public std::enable_shared_from_this<switchboard> {
public:
  switchboard(std::unique_ptr<net::io_context> thread, sys::unique_fd listener,
              tls::context how, endpoint_user& user);

  [[nodiscard]] net::io_context& thread() noexcept {
    return *thread_;
  }

  void accept();
  void dial(link_id as, host_port address, std::string name, greeting mine);
  void answer(link_id which, greeting mine);
  void drop(link_id which);
  void replace(tls::context how);
  void close();

  [[nodiscard]] link_id next_link() noexcept;

private:
  void take_all();
  void take(sys::unique_fd socket, const std::string& address);
  void turn_away(const std::string& address);
  void log_refusal(const std::string& who, const std::string& why);
  void rest();
  passage::reports reports_of(link_id which);
  void ended(link_id which, const passage& of, failure why);
  void admitted(link_id which);
  std::shared_ptr<passage> find(link_id which) const;

  std::unique_ptr<net::io_context> thread_;
  net::executor_work_guard<net::io_context::executor_type> keep_running_;
  net::ip::tcp::acceptor acceptor_;
  net::steady_timer pause_;
  passage::shared_context how_;
  endpoint_user& user_;
  admission admission_;
  /// Addresses of those that have not proved who they are.
  std::unordered_map<link_id, std::string> strangers_;
  std::unordered_map<link_id, std::shared_ptr<passage>> passages_;
  std::atomic<link_id> last_link_ = 0;
  std::uint64_t unlogged_ = 0; ///< Refused since the last line.
  std::chrono::steady_clock::time_point logged_{};
};

} // namespace troupe::cluster
