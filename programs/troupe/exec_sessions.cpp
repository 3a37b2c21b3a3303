#include "programs/troupe/attachment.hpp"
#include "programs/troupe/table.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <memory>
#include <thread>
#include <utility>

/// `troupe exec ls`, `inspect`, `attach`, `stop`, `wait` and `rm`: sessions
/// that are there already. To CLI11 they are commands of their own ("exec-ls"),
/// because what follows `exec CONTAINER` is somebody else's command line.
namespace troupe::client {

namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 6> verbs{"ls",   "inspect", "attach",
                                                "stop", "wait",    "rm"};

std::string session_path(const std::string& container,
                         const std::string& session,
                         const std::string& rest = {}) {
  return container_path(container, "/exec/" + session + rest);
}

/// What every verb names.
struct sessions {
  std::string container;
  std::vector<std::string> ids;
};

CLI::App* add_verb(CLI::App& app, const char* verb, const char* what,
                   const std::shared_ptr<sessions>& of) {
  auto* command = app.add_subcommand(std::string{"exec-"} + verb, what);
  command->group(""); // `troupe exec --help` tells of it
  command->add_option("CONTAINER", of->container, "Id")->required();
  return command;
}

CLI::App* add_sessions_verb(CLI::App& app, const char* verb, const char* what,
                            const std::shared_ptr<sessions>& of) {
  auto* command = add_verb(app, verb, what, of);
  command->add_option("SESSION", of->ids, "Ids of sessions")->required();
  return command;
}

result<json> all_sessions(const context& with, const std::string& container) {
  auto api = with.api();
  TROUPE_TRY(const auto now, api.get(container_path(container)));
  auto out = json::array();
  for (const auto& id : now.value("execs", json::array()))
    // One that has been forgotten meanwhile is not there any more.
    if (auto each = api.get(session_path(container, id.get<std::string>())))
      out.push_back(*std::move(each));
  return out;
}

void add_session_ls(CLI::App& app, context& with) {
  struct request : sessions {
    bool quiet = false;
    std::string format;
  };
  auto x = std::make_shared<request>();
  auto* command = add_verb(app, "ls", "List a container's exec sessions", x);
  command->add_flag("-q,--quiet", x->quiet, "Ids only");
  add_format(*command, x->format);
  command->callback([&with, x] {
    with.action = [&with, x] {
      const auto all = all_sessions(with, x->container);
      if (!all)
        return complain(all.error());
      table out{{"SESSION", "STATUS", "PID", "EXIT", "COMMAND"}};
      for (const auto& each : *all) {
        if (x->quiet)
          print(member_text(each, "id") + '\n');
        out.add({member_text(each, "id"), member_text(each, "status"),
                 member_text(each, "pid"), member_text(each, "exit_code"),
                 command_line(each)});
      }
      if (x->format == "json")
        print(*all);
      else if (!x->quiet)
        print(out.str());
      return 0;
    };
  });
}

void add_session_inspect(CLI::App& app, context& with) {
  auto x = std::make_shared<sessions>();
  add_sessions_verb(app, "inspect", "Show exec sessions as JSON", x)
    ->callback([&with, x] {
      with.action = [&with, x] {
        auto api = with.api();
        return show_each(x->ids, [&](const std::string& id) -> outcome {
          TROUPE_TRY(const auto found, api.get(session_path(x->container, id)));
          print(found);
          return {};
        });
      };
    });
}

void add_session_attach(CLI::App& app, context& with) {
  struct request : sessions {
    bool interactive = false;
    std::string keys;
    attach_options options;
  };
  auto x = std::make_shared<request>();
  auto* command = add_verb(app, "attach", "Put a session's streams on ours", x);
  command->add_option("SESSION", x->ids, "Id of the session")
    ->required()
    ->expected(1);
  command->add_flag("-i,--interactive", x->interactive, "Carry stdin too");
  x->options.add_to(*command);
  add_detach_keys(*command, x->keys);
  command->callback([&with, x] {
    with.action = [&with, x] {
      const auto attach = [&]() -> result<stream_end> {
        TROUPE_TRY(auto keys, detach_keys::parse(x->keys));
        TROUPE_TRY(auto options, x->options.text());
        auto api = with.api();
        const auto path = session_path(x->container, x->ids.front());
        TROUPE_TRY(const auto now, api.get(path));
        const auto terminal = now.value("terminal", false);
        if (terminal)
          send_window(api, path);
        return carry(with, api,
                     {path, false, x->interactive, terminal, std::move(keys),
                      std::move(options)});
      };
      const auto end = attach();
      return end ? end->exit_code : complain(end.error());
    };
  });
}

void add_session_stop(CLI::App& app, context& with) {
  struct request : sessions {
    std::string timeout = "10";
  };
  auto x = std::make_shared<request>();
  auto* command = add_sessions_verb(
    app, "stop",
    "SIGTERM; after a while, or once it has ended, "
    "SIGKILL to all that it has started",
    x);
  command->add_option("-t,--timeout", x->timeout, "Seconds; 0: SIGKILL at once")
    ->capture_default_str();
  command->callback([&with, x] {
    with.action = [&with, x] {
      const auto seconds = parse_seconds(x->timeout);
      if (!seconds)
        return complain(seconds.error());
      auto api = with.api();
      return for_each(x->ids, [&](const std::string& id) -> outcome {
        TROUPE_CHECK(api.post(session_path(
          x->container, id, "/stop?timeout=" + std::to_string(*seconds))));
        return {};
      });
    };
  });
}

void add_session_wait(CLI::App& app, context& with) {
  auto x = std::make_shared<sessions>();
  add_sessions_verb(app, "wait",
                    "Wait for exec sessions and print their exit codes", x)
    ->callback([&with, x] {
      with.action = [&with, x] {
        auto api = with.api();
        return show_each(x->ids, [&](const std::string& id) -> outcome {
          TROUPE_TRY(const auto ended,
                     api.get(session_path(x->container, id, "/wait")));
          print(std::to_string(ended.value("exit_code", 0)) + '\n');
          return {};
        });
      };
    });
}

void add_session_rm(CLI::App& app, context& with) {
  struct request : sessions {
    bool force = false;
  };
  auto x = std::make_shared<request>();
  auto* command = add_sessions_verb(app, "rm", "Forget exec sessions", x);
  command->add_flag("-f,--force", x->force, "Kill them first");
  command->callback([&with, x] {
    with.action = [&with, x] {
      auto api = with.api();
      return for_each(x->ids, [&](const std::string& id) -> outcome {
        TROUPE_CHECK(
          api.del(session_path(x->container, id, x->force ? "?force=1" : "")));
        return {};
      });
    };
  });
}

} // namespace

void join_session_verb(std::vector<std::string>& words) {
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i] == "--socket") {
      ++i;
      continue;
    }
    if (words[i].starts_with('-'))
      continue;
    if (words[i] == "exec"
        && std::ranges::find(verbs, words[i + 1]) != verbs.end()) {
      words[i] += '-' + words[i + 1];
      words.erase(words.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    }
    return;
  }
}

void add_exec_session_commands(CLI::App& app, context& with) {
  add_session_ls(app, with);
  add_session_inspect(app, with);
  add_session_attach(app, with);
  add_session_stop(app, with);
  add_session_wait(app, with);
  add_session_rm(app, with);
}

} // namespace troupe::client
