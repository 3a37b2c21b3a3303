#include "runtime/shim/job.hpp"

#include "runtime/shim/endings.hpp"

#include <utility>

namespace troupe::shim {

job::job(const surroundings& in, table& tell, kind what, process_key key)
  : table_(tell),
    kind_(what),
    key_(std::move(key)),
    child_(in, listener_for_child()) {
}

job::job(const surroundings& in, table& tell, loader& from)
  : table_(tell), child_(in, listener_for_child()) {
  hand_over(from);
}

result<std::unique_ptr<job>> job::run(const surroundings& in, table& tell,
                                      kind what, process_key key,
                                      const std::function<int(int)>& body) {
  std::unique_ptr<job> out{new job{in, tell, what, std::move(key)}};
  TROUPE_CHECK(out->child_.run(body));
  return out;
}

followed_child::listener job::listener_for_child() {
  return {[this](int line) { return read(line); },
          [this](const std::string& how) { finish(how); }};
}

bool job::read(int line) {
  for (;;) {
    const auto event = next_report(line);
    if (event.what == line_event::kind::report)
      on_report(event.report);
    else
      return event.what == line_event::kind::empty;
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
