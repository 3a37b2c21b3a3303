#include "runtime/shim/spares.hpp"

#include "runtime/launch/spare.hpp"
#include "runtime/linux/descriptors.hpp"
#include "runtime/linux/pidfd.hpp"
#include "runtime/linux/seqpacket.hpp"
#include "runtime/shim/child_work.hpp"

#include <array>
#include <cstdint>
#include <sys/epoll.h>
#include <utility>

namespace troupe::shim {

namespace {

/// What an order comes with: the plan, and these of `lines`, those that are
/// not -1. Its one byte says which.
constexpr std::array order_lines{
  &launcher::lines::start, &launcher::lines::stdin_fd,
  &launcher::lines::stdout_fd, &launcher::lines::stderr_fd,
  &launcher::lines::console};

outcome send_order(int line, int plan, const launcher::lines& with) {
  std::array<std::uint8_t, 1> given{0};
  std::vector<int> fds{plan};
  for (std::size_t i = 0; i < order_lines.size(); ++i)
    if (const auto fd = with.*order_lines[i]; fd >= 0) {
      given[0] |= static_cast<std::uint8_t>(1U << i);
      fds.push_back(fd);
    }
  return sys::send_packet(line, given, fds);
}

/// The lines of an order, whose descriptors stay open: the launch's.
std::optional<launcher::lines> lines_of(sys::packet& order) {
  launcher::lines out;
  auto next = std::size_t{1};
  for (std::size_t i = 0; i < order_lines.size(); ++i)
    if ((order.bytes[0] & 1U << i) != 0) {
      if (next == order.fds.size())
        return std::nullopt;
      out.*order_lines[i] = order.fds[next++].release();
    }
  return out;
}

constexpr std::array<std::uint8_t, 1> spare_is_ready{'r'};

/// The life of a spare. Its launch reports what goes wrong from here on, but
/// for an order whose descriptors were lost (EMFILE): then it just ends.
int wait_for_order(int line, launcher::spare_ground ground) {
  if (!sys::close_all_but({line, ground.empty_mounts.get(),
                           ground.host_mounts.get(), ground.host_root.get()}))
    return 1;
  auto own = launcher::make_spare(std::move(ground));
  if (!own || !sys::send_packet(line, spare_is_ready))
    return 1;
  auto order = sys::receive_packet(line);
  if (!order || order->closed)
    return 0;
  if (order->bytes.size() != 1 || order->fds.empty())
    return 1;
  auto with = lines_of(*order);
  if (!with)
    return 1;
  with->report = line;
  return create_work(order->fds.front().get(), *with, *own);
}

} // namespace

spares::spares(shim::loop& in, const own_process& self, std::size_t count)
  : loop_(in), self_(self), wanted_(count) {
}

spares::~spares() {
  if (forker_) {
    forker_->finish();
    receive();
  }
  for (auto& each : all_) {
    each.line.reset(); // its end of file ends it
    (void)sys::wait_for_exit(each.pidfd.get());
  }
}

std::optional<child> spares::launch(int memfd, const launcher::lines& with) {
  refill_later();
  while (!all_.empty()) {
    auto& first = all_.front();
    const auto said = sys::receive_packet(first.line.get());
    if (!said && said.error().code == fault::exhausted)
      return std::nullopt; // not ready, nor are those behind it
    auto one = std::move(first);
    all_.pop_front();
    if (said && !said->closed && send_order(one.line.get(), memfd, with))
      return one;
  }
  return std::nullopt;
}

void spares::refill_later() {
  if (!std::exchange(refilling_, true))
    loop_.later([this] { refill(); });
}

// What cannot be had, out of processes or descriptors, is tried again at the
// next launch.
void spares::refill() {
  refilling_ = false;
  if (wanted_ == 0 || (!forker_ && !start_forker()))
    return;
  for (; all_.size() + ordered_ < wanted_; ++ordered_)
    if (!forker_->order())
      return drop_forker();
}

outcome spares::start_forker() {
  TROUPE_TRY(forker_, forker::start(self_, wait_for_order));
  auto watching = loop_.add(forker_->line(), EPOLLIN,
                            [this](std::uint32_t) { receive(); });
  if (!watching) {
    drop_forker();
    return fail(watching.error());
  }
  delivered_ = *std::move(watching);
  return {};
}

void spares::receive() {
  for (;;) {
    auto got = forker_->receive();
    if (!got && got.error().code == fault::exhausted)
      return;
    if (!got)
      return drop_forker();
    --ordered_;
    if (*got)
      all_.push_back(**std::move(got));
  }
}

// A forker ends with its line, and its end is nobody's to wait for.
void spares::drop_forker() {
  delivered_.reset();
  forker_.reset();
  ordered_ = 0;
}

} // namespace troupe::shim
