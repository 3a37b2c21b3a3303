#include "runtime/shim/job.hpp"

#include "runtime/linux/pidfd.hpp"
#include "runtime/shim/endings.hpp"

#include <sys/epoll.h>
#include <utility>

namespace troupe::shim {

job::job(const surroundings& in, table& tell, kind what, process_key key)
  : in_(in), table_(tell), kind_(what), key_(std::move(key)) {
}

job::job(const surroundings& in, table& tell, loader& from)
  : in_(in), table_(tell) {
  hand_over(from);
}

job::~job() {
  in_.children.remove(child_.pid);
}

result<std::unique_ptr<job>> job::run(const surroundings& in, table& tell,
                                      kind what, process_key key,
                                      const std::function<int(int)>& body) {
  std::unique_ptr<job> out{new job{in, tell, what, std::move(key)}};
  TROUPE_CHECK(out->open(body));
  return out;
}

outcome job::open(const std::function<int(int)>& body) {
  TROUPE_TRY(child_, fork_child(in_.self, body));
  return resume();
}

outcome job::resume() {
  in_.children.add(child_.pid, *this);
  TROUPE_TRY(line_ready_, in_.loop.add(child_.line.get(), EPOLLIN,
                                       [this](std::uint32_t) { read_line(); }));
  TROUPE_TRY(exited_, in_.loop.add(child_.pidfd.get(), EPOLLIN,
                                   [this](std::uint32_t) { look(); }));
  return {};
}

void job::read_line() {
  for (;;) {
    const auto event = next_report(child_.line.get());
    if (event.what == line_event::kind::closed)
      return line_ready_.pause();
    if (event.what == line_event::kind::empty)
      return;
    on_report(event.report);
  }
}

void job::on_report(const launcher::report& what) {
  if (what.kind != launcher::report_kind::hook_warning) {
    last_ = what;
    return;
  }
  table_.warn(
    {key_, launcher::to_failure(what, nullptr).what, true, step_of(what)});
}

void job::look() {
  if (done_)
    return;
  read_line();
  const auto ended = sys::reap(child_.pidfd.get());
  if (ended && !*ended)
    return;
  line_ready_.reset();
  exited_.reset();
  in_.children.remove(child_.pid);
  finish(ended ? describe(**ended) : ended.error().what);
}

void job::finish(const std::string& how_it_ended) {
  done_ = true;
  if (!last_)
    last_ = prepare_failure({fault::os, 0, "child died: " + how_it_ended});
  const auto ok = last_->kind == launcher::report_kind::done;
  for (const auto& who : askers_)
    table_.reply(who, ok ? answer{} : failed_answer(*last_));
  table_.tidy_later();
}

} // namespace troupe::shim
