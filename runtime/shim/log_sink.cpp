#include "runtime/shim/log_sink.hpp"

#include "runtime/shim/captured.hpp"
#include "runtime/shim/file_log.hpp"
#include "runtime/shim/journal_log.hpp"

#include <algorithm>

namespace troupe::shim {

result<std::unique_ptr<log_sink>>
log_sink::open(const log_options& how, const process_key& of,
               std::vector<sys::unique_fd> files) {
  switch (how.driver) {
  case log_driver::none:
  case log_driver::passthrough:
    break;
  case log_driver::k8s_file:
  case log_driver::json_file:
    return file_log::open(how);
  case log_driver::journald:
    return journal_log::open(how, of);
  case log_driver::capture:
    return captured::open(how, std::move(files));
  }
  return std::unique_ptr<log_sink>{};
}

std::unique_ptr<log_sink> log_sink::empty(log_driver which) {
  switch (which) {
  case log_driver::none:
  case log_driver::passthrough:
    break;
  case log_driver::k8s_file:
  case log_driver::json_file:
    return std::make_unique<file_log>();
  case log_driver::journald:
    return std::make_unique<journal_log>();
  case log_driver::capture:
    return std::make_unique<captured>();
  }
  return nullptr;
}

void log_sink::count_dropped(int why, std::size_t bytes) {
  const auto n = static_cast<std::int64_t>(bytes);
  counters_.bytes_dropped += n;
  counters_.last_errno = why;
  auto& drops = counters_.drops;
  const auto known = std::ranges::find(drops, why, &log_drop::os_errno);
  if (known == drops.end())
    drops.push_back({why, n});
  else
    known->bytes += n;
}

} // namespace troupe::shim
