#include "actors/cluster/endpoint.hpp"

#include "actors/cluster/switchboard.hpp"
#include "runtime/tls/listen.hpp"

#include <boost/asio/post.hpp>

#include <pthread.h>
#include <utility>

namespace troupe::cluster {

namespace {

/// Does it in the endpoint's thread.
template <class Does>
void in_thread(const std::shared_ptr<switchboard>& board, Does does) {
  net::post(board->thread(), [to = board.get(),
                              does = std::move(does)]() mutable { does(*to); });
}

} // namespace

endpoint::endpoint(std::shared_ptr<switchboard> board)
  : board_(std::move(board)) {
}

result<std::unique_ptr<endpoint>>
endpoint::start(const host_port& at, tls::context how, endpoint_user& user) {
  TROUPE_TRY(auto listener, tls::listen(at.host, at.port));
  return std::unique_ptr<endpoint>{new endpoint{
    std::make_shared<switchboard>(std::make_unique<net::io_context>(1),
                                  std::move(listener), std::move(how), user)}};
}

void endpoint::begin() {
  in_thread(board_, [](switchboard& to) { to.accept(); });
  thread_ = std::thread{[to = board_] { to->thread().run(); }};
  pthread_setname_np(thread_.native_handle(), "troupe.cluster");
}

endpoint::~endpoint() {
  if (!thread_.joinable())
    return;
  in_thread(board_, [](switchboard& to) { to.close(); });
  thread_.join();
}

link_id endpoint::dial(host_port address, std::string name, greeting mine) {
  const auto as = board_->next_link();
  in_thread(board_, [as, address = std::move(address), name = std::move(name),
                     mine = std::move(mine)](switchboard& to) mutable {
    to.dial(as, std::move(address), std::move(name), std::move(mine));
  });
  return as;
}

void endpoint::answer(link_id which, greeting mine) {
  in_thread(board_, [which, mine = std::move(mine)](switchboard& to) mutable {
    to.answer(which, std::move(mine));
  });
}

void endpoint::drop(link_id which) {
  in_thread(board_, [which](switchboard& to) { to.drop(which); });
}

void endpoint::replace(tls::context how) {
  // A std::function must be copyable.
  const auto next = std::make_shared<tls::context>(std::move(how));
  in_thread(board_, [next](switchboard& to) { to.replace(std::move(*next)); });
}

} // namespace troupe::cluster
