#include "bench/harness/floor.hpp"

#include "bench/harness/clock.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace troupe::bench {

namespace {

result<std::string> read_line(int fd) {
  std::string out;
  std::array<char, 1U << 16U> chunk{};
  while (!out.ends_with('\n')) {
    const auto got = ::read(fd, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return fail(fault::unavailable, "troupe-floor has ended");
    out.append(chunk.data(), static_cast<std::size_t>(got));
  }
  return out;
}

} // namespace

result<floor_process> floor_process::start(const std::string& program,
                                           const std::string& plan) {
  std::array<int, 2> orders{-1, -1};
  std::array<int, 2> answers{-1, -1};
  if (::pipe2(orders.data(), O_CLOEXEC) != 0
      || ::pipe2(answers.data(), O_CLOEXEC) != 0)
    return fail_os(errno, "pipe2", "");
  const sys::unique_fd their_orders{orders[0]};
  const sys::unique_fd their_answers{answers[1]};
  floor_process out;
  out.orders_.reset(orders[1]);
  out.answers_.reset(answers[0]);
  TROUPE_TRY(out.process_, spawn({{program, plan},
                                  {},
                                  their_orders.get(),
                                  their_answers.get(),
                                  STDERR_FILENO}));
  return out;
}

result<std::vector<floor_process::times>> floor_process::order(int count,
                                                               int starters) {
  const auto line = std::to_string(count) + ' ' + std::to_string(starters)
                    + '\n';
  if (::write(orders_.get(), line.data(), line.size())
      != static_cast<ssize_t>(line.size()))
    return fail_os(errno, "write", "to troupe-floor");
  TROUPE_TRY(const auto said, read_line(answers_.get()));
  const auto document = nlohmann::json::parse(said, nullptr, false);
  if (!document.is_object())
    return fail(fault::os, "troupe-floor said " + said);
  std::vector<times> out;
  for (auto i = std::size_t{0}; i < document.at("began").size(); ++i) {
    if (document.at("exit_code")[i] != 0)
      return fail(fault::os, "a container of troupe-floor ended badly");
    const auto began = document.at("began")[i].get<std::int64_t>();
    out.push_back({ms_between(began, document.at("started")[i]),
                   ms_between(began, document.at("removed")[i])});
  }
  return out;
}

} // namespace troupe::bench
