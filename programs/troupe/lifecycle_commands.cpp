#include "config/base/signal_number.hpp"
#include "programs/troupe/command.hpp"

#include <memory>
#include <utility>

namespace troupe::client {

namespace {

using ids_ptr = std::shared_ptr<std::vector<std::string>>;

CLI::App* add_ids_command(CLI::App& app, const char* name, const char* what,
                          const ids_ptr& ids) {
  auto* command = app.add_subcommand(name, what);
  command->add_option("CONTAINER", *ids, "Ids, or their unambiguous beginnings")
    ->required();
  return command;
}

/// A command that is one POST for each container.
void add_post_command(CLI::App& app, context& with, const char* name,
                      const char* what) {
  auto ids = std::make_shared<std::vector<std::string>>();
  add_ids_command(app, name, what, ids)
    ->callback([&with, ids, verb = std::string{name}] {
      with.action = [&with, ids, verb] {
        auto api = with.api();
        return for_each(*ids, [&](const std::string& id) -> outcome {
          TROUPE_CHECK(api.post(container_path(id, '/' + verb)));
          return {};
        });
      };
    });
}

void add_kill(CLI::App& app, context& with) {
  auto ids = std::make_shared<std::vector<std::string>>();
  auto signal = std::make_shared<std::string>("KILL");
  auto all = std::make_shared<bool>(false);
  auto* command = add_ids_command(app, "kill", "Signal containers", ids);
  command->add_option("-s,--signal", *signal, "Name or number")
    ->capture_default_str();
  command->add_flag("-a,--all", *all, "Every process, not the first alone");
  command->callback([&with, ids, signal, all] {
    with.action = [&with, ids, signal, all] {
      const auto signo = signal_number(*signal);
      if (!signo)
        return complain(signo.error());
      auto api = with.api();
      return for_each(*ids, [&](const std::string& id) -> outcome {
        TROUPE_CHECK(
          api.post(container_path(id, "/kill?signal=" + std::to_string(*signo)
                                        + (*all ? "&all=1" : ""))));
        return {};
      });
    };
  });
}

void add_stop(CLI::App& app, context& with) {
  auto ids = std::make_shared<std::vector<std::string>>();
  auto timeout = std::make_shared<std::string>("10");
  auto signal = std::make_shared<std::string>("TERM");
  auto* command = add_ids_command(
    app, "stop", "Terminate containers, and kill what does not obey", ids);
  command
    ->add_option("-t,--time,--timeout", *timeout,
                 "Seconds from SIGTERM to SIGKILL; 500ms, 1m")
    ->capture_default_str();
  command->add_option("-s,--signal", *signal, "Instead of SIGTERM")
    ->capture_default_str();
  command->callback([&with, ids, timeout, signal] {
    with.action = [&with, ids, timeout, signal] {
      const auto seconds = parse_seconds(*timeout);
      if (!seconds)
        return complain(seconds.error());
      const auto signo = signal_number(*signal);
      if (!signo)
        return complain(signo.error());
      auto api = with.api();
      return for_each(*ids, [&](const std::string& id) -> outcome {
        TROUPE_CHECK(api.post(
          container_path(id, "/stop?timeout=" + std::to_string(*seconds)
                               + "&signal=" + std::to_string(*signo))));
        return {};
      });
    };
  });
}

void add_wait(CLI::App& app, context& with) {
  auto ids = std::make_shared<std::vector<std::string>>();
  add_ids_command(app, "wait", "Wait for containers and print their exit codes",
                  ids)
    ->callback([&with, ids] {
      with.action = [&with, ids] {
        auto api = with.api();
        return show_each(*ids, [&](const std::string& id) -> outcome {
          TROUPE_TRY(const auto ended, api.get(container_path(id, "/wait")));
          print(std::to_string(ended.value("exit_code", 0)) + '\n');
          return {};
        });
      };
    });
}

void add_rm(CLI::App& app, context& with) {
  auto ids = std::make_shared<std::vector<std::string>>();
  auto force = std::make_shared<bool>(false);
  auto* command = add_ids_command(app, "rm", "Remove containers", ids);
  command->add_flag("-f,--force", *force,
                    "Kill them first; unknown ones are no "
                    "error");
  command->callback([&with, ids, force] {
    with.action = [&with, ids, force] {
      auto api = with.api();
      return for_each(*ids, [&](const std::string& id) -> outcome {
        const auto removed = api.del(
          container_path(id, *force ? "?force=1" : ""));
        if (!removed
            && !(*force
                 && (removed.error().code == fault::not_found
                     || removed.error().code == fault::destroyed)))
          return fail(removed.error());
        return {};
      });
    };
  });
}

} // namespace

void add_lifecycle_commands(CLI::App& app, context& with) {
  add_kill(app, with);
  add_stop(app, with);
  add_post_command(app, with, "pause", "Freeze every process of containers");
  add_post_command(app, with, "unpause", "Thaw paused containers");
  add_wait(app, with);
  add_rm(app, with);
}

} // namespace troupe::client
