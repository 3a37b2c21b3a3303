#include "runtime/cgroup/scope_helper.hpp"

#include "runtime/cgroup/scope.hpp"
#include "runtime/linux/pidfd.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <iterator>
#include <spawn.h>
#include <string>
#include <unistd.h>

namespace troupe::cgroup {

namespace {

struct helper {
  sys::unique_fd process; ///< A pidfd.
  sys::unique_fd to;      ///< Its stdin.
  sys::unique_fd from;    ///< Its stdout.
};

result<std::array<sys::unique_fd, 2>> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return fail_os(errno, "pipe2", "");
  return std::array{sys::unique_fd{ends[0]}, sys::unique_fd{ends[1]}};
}

class spawn_actions {
public:
  spawn_actions() {
    ::posix_spawn_file_actions_init(&actions_);
  }
  spawn_actions(const spawn_actions&) = delete;
  spawn_actions& operator=(const spawn_actions&) = delete;
  ~spawn_actions() {
    ::posix_spawn_file_actions_destroy(&actions_);
  }
  void put(int fd, int as) {
    ::posix_spawn_file_actions_adddup2(&actions_, fd, as);
  }
  [[nodiscard]] const posix_spawn_file_actions_t* get() const {
    return &actions_;
  }

private:
  posix_spawn_file_actions_t actions_{};
};

result<helper> start(const std::string& program,
                     std::vector<std::string> words) {
  TROUPE_TRY(auto in, make_pipe());
  TROUPE_TRY(auto out, make_pipe());
  spawn_actions actions;
  actions.put(in[0].get(), STDIN_FILENO);
  actions.put(out[1].get(), STDOUT_FILENO);
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (auto& word : words)
    arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::array<char*, 1> environment{nullptr};
  helper made;
  pid_t pid = -1;
  const auto error = ::posix_spawn(&pid, program.c_str(), actions.get(),
                                   nullptr, arguments.data(),
                                   environment.data());
  if (error != 0)
    return fail_os(error, "exec", program);
  TROUPE_TRY(made.process, sys::open_pidfd(pid)); // ours, and not reaped yet
  made.to = std::move(in[1]);
  made.from = std::move(out[0]);
  return made;
}

std::vector<std::string>
words_for(const char* verb, const plan::systemd_scope& x,
          const std::vector<plan::unit_property>& properties) {
  std::vector<std::string> out{"troupe-scope", verb, x.unit};
  for (const auto& each : properties)
    out.insert(out.end(), {each.name, each.type, each.value});
  return out;
}

std::string read_line(int fd) {
  std::string out;
  for (;;) {
    std::array<char, 512> piece;
    const auto got = TEMP_FAILURE_RETRY(::read(fd, piece.data(), piece.size()));
    if (got <= 0)
      return out;
    out.append(piece.data(), static_cast<std::size_t>(got));
    if (out.ends_with('\n')) {
      out.pop_back();
      return out;
    }
  }
}

constexpr auto all_well = "ok";

tl::unexpected<failure> refused(const plan::systemd_scope& x,
                                const std::string& said) {
  return fail(fault::os, "systemd scope " + x.unit + ": "
                           + (said.empty() ? x.helper + " has failed" : said));
}

} // namespace

scope_holder::~scope_holder() {
  if (!process_)
    return;
  line_.reset(); // what it waits for
  (void)sys::wait_for_exit(process_.get());
}

result<scope_holder> start_scope(const plan::cgroup& in) {
  const auto& x = in.scope;
  if (x.unit.empty())
    return scope_holder{};
  auto properties = x.properties;
  properties.push_back({"Slice", "s", x.slice});
  properties.push_back({"Description", "s", x.description});
  std::ranges::move(properties_of(in.writes), std::back_inserter(properties));
  TROUPE_TRY(auto made, start(x.helper, words_for("start", x, properties)));
  scope_holder out{std::move(made.process), std::move(made.to)};
  const auto said = read_line(made.from.get());
  if (said != all_well)
    return refused(x, said);
  return out;
}

outcome update_scope(const plan::cgroup& in) {
  const auto& x = in.scope;
  const auto properties = properties_of(in.writes);
  if (x.unit.empty() || properties.empty())
    return {};
  TROUPE_TRY(auto made, start(x.helper, words_for("set", x, properties)));
  const auto said = read_line(made.from.get());
  made.to.reset();
  (void)sys::wait_for_exit(made.process.get());
  return said == all_well ? outcome{} : refused(x, said);
}

} // namespace troupe::cgroup
