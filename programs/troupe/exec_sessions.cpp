#include "programs/troupe/attachment.hpp"
#include "programs/troupe/table.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <functional>
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

/// As for_each, for verbs that print something else than the id.
int show_each(const std::vector<std::string>& ids,
              const std::function<outcome(const std::string&)>& one) {
  auto code = 0;
  for (const auto& id : ids)
    if (const auto shown = one(id); !shown)
      code = complain(shown.error());
  return code;
}

std::string word(const json& of, const char* key) {
  const auto at = of.find(key);
  if (at == of.end() || at->is_null())
    return "-";
  return at->is_string() ? at->get<std::string>() : at->dump();
}

std::string command_of(const json& session) {
  std::string out;
  for (const auto& each : session.value("args", json::array()))
    out += (out.empty() ? "" : " ") + each.get<std::string>();
  return out;
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
          print(word(each, "id") + '\n');
        out.add({word(each, "id"), word(each, "status"), word(each, "pid"),
                 word(each, "exit_code"), command_of(each)});
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
  };
  auto x = std::make_shared<request>();
  auto* command = add_verb(app, "attach", "Put a session's streams on ours", x);
  command->add_option("SESSION", x->ids, "Id of the session")
    ->required()
    ->expected(1);
  command->add_flag("-i,--interactive", x->interactive, "Carry stdin too");
  add_detach_keys(*command, x->keys);
  command->callback([&with, x] {
    with.action = [&with, x] {
      const auto attach = [&]() -> result<stream_end> {
        TROUPE_TRY(auto keys, detach_keys::parse(x->keys));
        auto api = with.api();
        const auto path = session_path(x->container, x->ids.front());
        TROUPE_TRY(const auto now, api.get(path));
        const auto terminal = now.value("terminal", false);
        if (terminal)
          send_window(api, path);
        return carry(with, api,
                     {path, false, x->interactive, terminal, std::move(keys)});
      };
      const auto end = attach();
      return end ? end->exit_code : complain(end.error());
    };
  });
}

bool has_stopped(const result<json>& session) {
  return !session || session->value("status", "") == "stopped";
}

/// libpod's execStop: SIGTERM, and SIGKILL once the time is over.
outcome stop_session(api_client& api, const std::string& path, double seconds) {
  using clock = std::chrono::steady_clock;
  const auto kill = [&](int signo) {
    return api.post(path + "/kill?signal=" + std::to_string(signo));
  };
  const auto deadline = clock::now() + std::chrono::duration<double>{seconds};
  if (seconds > 0) {
    TROUPE_CHECK(kill(SIGTERM));
    while (clock::now() < deadline && !has_stopped(api.get(path)))
      std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
  if (has_stopped(api.get(path)))
    return {};
  if (const auto killed = kill(SIGKILL);
      !killed && !has_stopped(api.get(path))) // else it was faster
    return fail(killed.error());
  TROUPE_CHECK(api.get(path + "/wait"));
  return {};
}

void add_session_stop(CLI::App& app, context& with) {
  struct request : sessions {
    std::string timeout = "10";
  };
  auto x = std::make_shared<request>();
  auto* command = add_sessions_verb(app, "stop",
                                    "SIGTERM, then SIGKILL after a while", x);
  command->add_option("-t,--timeout", x->timeout, "Seconds; 0: SIGKILL at once")
    ->capture_default_str();
  command->callback([&with, x] {
    with.action = [&with, x] {
      const auto seconds = parse_seconds(x->timeout);
      if (!seconds)
        return complain(seconds.error());
      auto api = with.api();
      return for_each(x->ids, [&](const std::string& id) {
        return stop_session(api, session_path(x->container, id), *seconds);
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
