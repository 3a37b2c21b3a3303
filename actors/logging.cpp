#include "actors/logging.hpp"

#include "config/base/clock.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/async.h>
#include <spdlog/formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <memory>
#include <string>

namespace troupe {

namespace {

/// Lines, each a few hundred bytes.
constexpr std::size_t queue_length = 8192;

class json_formatter : public spdlog::formatter {
public:
  void format(const spdlog::details::log_msg& x,
              spdlog::memory_buf_t& out) override {
    const auto level = spdlog::level::to_string_view(x.level);
    const auto at = std::chrono::duration_cast<std::chrono::nanoseconds>(
      x.time.time_since_epoch());
    const nlohmann::json line{
      {"time", rfc3339(at.count())},
      {"level", std::string{level.data(), level.size()}},
      {"message", std::string{x.payload.data(), x.payload.size()}},
    };
    const auto text = line.dump(-1, ' ', false,
                                nlohmann::json::error_handler_t::replace)
                      + '\n';
    out.append(text.data(), text.data() + text.size());
  }

  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<json_formatter>();
  }
};

} // namespace

void start_logging(const settings& from) {
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  auto logger = std::make_shared<spdlog::logger>("trouped", std::move(sink));
  if (from.log_format == "json")
    logger->set_formatter(std::make_unique<json_formatter>());
  else
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v",
                        spdlog::pattern_time_type::utc);
  logger->set_level(spdlog::level::from_str(from.log_level));
  // Logs are read when something went wrong: lines must not wait in a buffer.
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
}

log_thread::log_thread()
  : plain_(spdlog::default_logger()),
    thread_(std::make_shared<spdlog::details::thread_pool>(queue_length, 1)) {
  auto queued = std::make_shared<spdlog::async_logger>(
    plain_->name(), plain_->sinks().begin(), plain_->sinks().end(), thread_,
    spdlog::async_overflow_policy::overrun_oldest);
  queued->set_level(plain_->level());
  queued->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(queued));
}

log_thread::~log_thread() {
  spdlog::set_default_logger(plain_);
  thread_.reset();
}

} // namespace troupe
