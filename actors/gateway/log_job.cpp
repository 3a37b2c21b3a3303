#include "actors/gateway/jobs.hpp"
#include "actors/reactor.hpp"
#include "runtime/linux/inotify.hpp"
#include "runtime/linux/watched_fd.hpp"
#include "runtime/log/cri.hpp"

#include <algorithm>
#include <string_view>
#include <sys/epoll.h>
#include <utility>

namespace troupe::gateway {

namespace {

/// The text of CRI `lines`, as the process wrote it.
std::string text_of(std::string_view lines) {
  std::string out;
  while (!lines.empty()) {
    const auto line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
    const auto entry = log::parse(line);
    if (!entry)
      continue;
    out.append(entry->text);
    if (!entry->partial)
      out += '\n';
  }
  return out;
}

/// Reads the log at the client's pace. At its end it waits for the directory to
/// change, which covers growth, rotation and a log that is not there yet.
class log_job : public job {
public:
  log_job(session& in, log::reader from, const log_request& what)
    : in_(in),
      from_(std::move(from)),
      follow_(what.follow),
      raw_(what.raw),
      until_(what.from.until) {
  }

  /// Without a watch (hosts allow 128 inotify instances per user unless told
  /// otherwise, inotify(7)) the log is looked at once a second.
  void follow(const std::string& directory) {
    auto made = watch(directory);
    if (made)
      watch_ = *std::move(made);
    if (!watch_ || until_ > 0)
      in_.tick();
  }

  void pulled() override {
    client_ready_ = true;
    proceed();
  }

  void readable() override {
    sys::drain_inotify(watch_.get());
    proceed();
  }

  void second_passed() override {
    in_.tick();
    proceed();
  }

  /// Everything is in the log before this is said (shim::process_state).
  void container_ended(const msg::snapshot&) override {
    ended_ = true;
    proceed();
  }

  void target_gone() override {
    ended_ = true;
    proceed();
  }

  void interrupted() override {
    in_.finish_stream();
  }

private:
  result<sys::watched_fd> watch(const std::string& directory) {
    auto* reactor = in_.with().reactor;
    if (!reactor)
      return fail(fault::unsupported, "no reactor");
    TROUPE_TRY(auto fd, sys::watch_directory(directory));
    return sys::watched_fd::watch(*reactor, std::move(fd), EPOLLIN,
                                  notify(fd_owner_actor{in_.self()}));
  }

  void proceed() {
    while (client_ready_) {
      auto lines = from_.next();
      if (!lines) {
        in_.cut_stream();
        return;
      }
      if (lines->empty())
        break;
      auto chunk = raw_ ? text_of(*lines) : *std::move(lines);
      if (chunk.empty())
        continue;
      client_ready_ = false;
      in_.send(std::move(chunk));
    }
    if (!client_ready_)
      return;
    if (!follow_ || ended_ || from_.finished()
        || (until_ > 0 && now_ns() > until_))
      in_.finish_stream();
    else if (watch_)
      static_cast<void>(watch_.arm(EPOLLIN));
  }

  session& in_;
  log::reader from_;
  sys::watched_fd watch_;
  bool follow_;
  bool raw_;
  time_ns until_; ///< 0: for ever.
  bool client_ready_ = false;
  bool ended_ = false;
};

} // namespace

outcome stream_log(session& in, const msg::container_found& target,
                   const log_request& what) {
  const msg::snapshot& now = target.now;
  if (now.log_driver == "journald")
    return fail(fault::unsupported,
                "log of " + now.id
                  + ": it is in the journal: journalctl CONTAINER_ID_FULL="
                  + now.id);
  if (now.log_path.empty())
    return fail(fault::not_found, "log of " + now.id
                                    + ": it has none, by its log driver "
                                    + now.log_driver);
  auto how = what.from;
  how.format = now.log_driver == "json-file" ? log::file_format::json
                                             : log::file_format::cri;
  TROUPE_TRY(auto from, log::reader::open(now.log_path, how));
  auto fresh = std::make_unique<log_job>(in, std::move(from), what);
  if (what.follow) {
    fresh->follow(now.log_path.substr(0, now.log_path.rfind('/')));
    in.watch(target.container);
    in.tell(target.container, msg::await_exit{in.self()});
  }
  in.begin_stream(what.raw ? "application/octet-stream"
                           : "text/plain; charset=utf-8",
                  std::move(fresh));
  return {};
}

} // namespace troupe::gateway
