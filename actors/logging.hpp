#pragma once

#include "config/settings.hpp"

#include <spdlog/fwd.h>

#include <memory>

namespace spdlog::details {
class thread_pool;
} // namespace spdlog::details

namespace troupe {

/// Makes spdlog write to stderr, at the level and in the format of `from`: text
/// lines, or one JSON object a line.
void start_logging(const settings& from);

/// While it lives, nobody waits for stderr: lines go through a bounded queue to
/// a thread, and the oldest are dropped when whoever reads them does not keep
/// up. Its end writes out what is queued.
class log_thread {
public:
  log_thread();
  log_thread(const log_thread&) = delete;
  log_thread& operator=(const log_thread&) = delete;
  ~log_thread();

private:
  std::shared_ptr<spdlog::logger> plain_;
  std::shared_ptr<spdlog::details::thread_pool> thread_;
};

} // namespace troupe
