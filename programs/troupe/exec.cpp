#include "programs/troupe/attachment.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <memory>
#include <unistd.h>
#include <utility>

namespace troupe::client {

namespace {

struct exec_request {
  std::string id;
  std::vector<std::string> env;
  std::string cwd;
  std::string user;
  std::vector<std::string> cap_add;
  bool detach = false;
  bool interactive = false;
  bool tty = false;
  std::string keys;
  std::string timeout;
  std::uint32_t preserve_fds = 0;
  bool ignore_paused = false;
};

/// Of a command that its time has ended, as timeout(1) has it.
constexpr int exit_timed_out = 124;

nlohmann::json document_of(const exec_request& x,
                           const std::vector<std::string>& args,
                           bool open_stdin, double timeout) {
  const auto size = own_window().value_or(window{});
  return {{"args", args},
          {"env", x.env},
          {"cwd", x.cwd},
          {"user", x.user},
          {"tty", x.tty},
          {"rows", size.rows},
          {"cols", size.cols},
          {"cap_add", x.cap_add},
          {"open_stdin", open_stdin},
          {"timeout", timeout},
          {"ignore_paused", x.ignore_paused},
          {"preserve_fds", x.preserve_fds},
          {"files", x.detach}};
}

/// The exit code of a session that has ended, which is forgotten now.
int finish(api_client& api, const std::string& path, const exec_request& x,
           int exit_code) {
  // The code came from the shim; the supervisor knows whose fault it was.
  const auto last = x.timeout.empty() ? result<nlohmann::json>{}
                                      : api.get(path + "/wait");
  // Not by force, which would end what it has left behind on purpose. The
  // supervisor may not have heard of the end yet.
  if (!api.del(path)) {
    static_cast<void>(api.get(path + "/wait"));
    static_cast<void>(api.del(path));
  }
  if (!last || !last->is_object() || !last->value("timed_out", false))
    return exit_code;
  std::fprintf(stderr, "troupe: killed: it has run for %s\n",
               x.timeout.c_str());
  return exit_timed_out;
}

result<int> exec(const context& with, const exec_request& x,
                 const std::vector<std::string>& args) {
  if (args.empty())
    return fail(fault::invalid_config, "a CMD to run is needed");
  // A terminal is only read when asked for: `while read; do troupe exec` in a
  // script feeds a pipe, and a person's typing must not vanish into it.
  const auto open_stdin
    = !x.detach && (x.interactive || (!x.tty && !::isatty(STDIN_FILENO)));
  TROUPE_CHECK(check_terminal(x.tty, x.interactive));
  TROUPE_TRY(auto keys, detach_keys::parse(x.keys));
  auto timeout = 0.0;
  if (!x.timeout.empty()) {
    TROUPE_TRY(timeout, parse_seconds(x.timeout));
  }
  // Before a connection of ours takes the numbers that are free.
  for (auto fd = 3; fd < 3 + static_cast<int>(x.preserve_fds); ++fd)
    if (::fcntl(fd, F_GETFD) < 0)
      return fail_os(EBADF, "--preserve-fds",
                     "descriptor " + std::to_string(fd));
  auto api = with.api();
  TROUPE_TRY(const auto session,
             api.post(container_path(x.id, "/exec"),
                      document_of(x, args, open_stdin, timeout)));
  const auto path = container_path(
    x.id, "/exec/" + session.value("id", std::string{}));
  if (x.detach) {
    TROUPE_CHECK(api.post(path + "/start"));
    print(session.value("id", std::string{}) + '\n');
    return 0;
  }
  const auto end = carry(with, api,
                         {path, true, open_stdin, x.tty, std::move(keys)});
  if (end && end->detached)
    return end->exit_code;
  if (end)
    return finish(api, path, x, end->exit_code);
  static_cast<void>(api.del(path + "?force=1"));
  return fail(end.error());
}

} // namespace

void add_exec_command(CLI::App& app, context& with) {
  auto* command = app.add_subcommand(
    "exec", "Run a further command in a running container");
  auto request = std::make_shared<exec_request>();
  command->add_option("CONTAINER", request->id, "Id")->required();
  command->add_option("-e,--env", request->env, "KEY=VALUE, added to its own")
    ->allow_extra_args(false);
  command->add_option("-w,--workdir", request->cwd, "Working directory");
  command->add_option("-u,--user", request->user, "UID[:GID] or NAME[:GROUP]");
  command->add_option("--cap-add", request->cap_add, "Add a capability")
    ->allow_extra_args(false);
  command->add_flag("-d,--detach", request->detach,
                    "Print the session's id and leave it running");
  command->add_flag("-i,--interactive", request->interactive,
                    "Carry stdin even from a terminal");
  command->add_flag("-t,--tty", request->tty, "Give it a terminal");
  command->add_option("--timeout", request->timeout,
                      "Kill it and all that it has started after so long: 30s, "
                      "2m (exit code 124)");
  command
    ->add_option("--preserve-fds", request->preserve_fds,
                 "Give it our descriptors 3 to 2 + N too")
    ->check(CLI::Range(0, 60));
  command->add_flag("--ignore-paused", request->ignore_paused,
                    "In a paused container: wait for its end");
  add_detach_keys(*command, request->keys);
  command->footer("troupe exec [OPTIONS] CONTAINER CMD...\n\nEverything after "
                  "CMD belongs to CMD. stdin is carried "
                  "unless it is a terminal (then: -i).\n\n"
                  "Sessions that are there: troupe exec "
                  "ls|inspect|attach|stop|wait|rm CONTAINER SESSION\n(a "
                  "container of such a name needs an option before it).\n\n"
                  "  troupe exec web-1 ps\n"
                  "  troupe exec -it web-1 sh\n"
                  "  echo hello | troupe exec web-1 cat");
  command->prefix_command();
  command->callback([&with, request, command] {
    with.action = [&with, request, command] {
      const auto words = words_of(with, *command, 0);
      if (!words)
        return complain(words.error());
      const auto code = exec(with, *request, *words);
      return code ? *code : complain(code.error());
    };
  });
}

} // namespace troupe::client
