#include "programs/troupe/command.hpp"
#include "programs/troupe/table.hpp"

#include <filesystem>
#include <memory>

namespace troupe::client {

namespace {

using nlohmann::json;

void add_info(CLI::App& app, context& with) {
  auto format = std::make_shared<std::string>();
  auto* command = app.add_subcommand("info",
                                     "Show facts about supervisor and host");
  add_format(*command, *format);
  command->callback([&with, format] {
    with.action = [&with, format] {
      auto api = with.api();
      const auto info = api.get("/v1/info");
      if (!info)
        return complain(info.error());
      if (*format == "json") {
        print(*info);
        return 0;
      }
      table out{{"PROPERTY", "VALUE"}};
      for (const auto& [key, value] : info->items())
        out.add(
          {key, value.is_string() ? value.get<std::string>() : value.dump()});
      print(out.str());
      return 0;
    };
  });
}

/// The client's version is known even where no supervisor answers.
void add_version(CLI::App& app, context& with) {
  auto format = std::make_shared<std::string>();
  auto* command = app.add_subcommand("version",
                                     "Show the versions of both sides");
  add_format(*command, *format);
  command->callback([&with, format] {
    with.action = [&with, format] {
      auto api = with.api();
      const auto server = api.get("/v1/version");
      const auto theirs = server ? server->value("version", std::string{"?"})
                                 : "not running";
      if (*format == "json")
        print(json{{"client", TROUPE_VERSION},
                   {"server", server ? json(theirs) : json(nullptr)}});
      else
        print("client " TROUPE_VERSION "\nserver " + theirs + '\n');
      return 0;
    };
  });
}

void add_shim(CLI::App& app, context& with) {
  auto* shim = app.add_subcommand("shim", "Manage the shim");
  shim->require_subcommand(1);
  auto program = std::make_shared<std::string>();
  auto* command = shim->add_subcommand(
    "upgrade", "Put another program in the running shim's place");
  command
    ->add_option("--program", *program,
                 "The new troupe-shim [the one that trouped would start]")
    ->type_name("PATH");
  command->footer(
    "Containers, sessions, logs and attached clients go on. The program first "
    "rehearses\nit with all that the shim holds; if it cannot take over, the "
    "running one goes on.");
  command->callback([&with, program] {
    with.action = [&with, program] {
      const auto path = program->empty()
                          ? *program
                          : std::filesystem::absolute(*program).string();
      auto api = with.api();
      const auto did = api.post("/v1/shim/upgrade?program="
                                + url_encoded(path));
      if (!did)
        return complain(did.error());
      print("troupe-shim " + member_text(*did, "shim_version") + " (pid "
            + member_text(*did, "shim_pid") + ")\n");
      return 0;
    };
  });
}

void add_shutdown(CLI::App& app, context& with) {
  struct request {
    bool stop_containers = false;
    std::string timeout = "10";
  };
  auto x = std::make_shared<request>();
  auto* command = app.add_subcommand(
    "shutdown", "End the supervisor; containers go on unless told otherwise");
  command->add_flag("--stop-containers", x->stop_containers,
                    "Stop every container, and the shim, first");
  command
    ->add_option("-t,--time,--timeout", x->timeout,
                 "Seconds from SIGTERM to SIGKILL")
    ->capture_default_str();
  command->callback([&with, x] {
    with.action = [&with, x] {
      const auto seconds = parse_seconds(x->timeout);
      if (!seconds)
        return complain(seconds.error());
      auto api = with.api();
      const auto did = api.post(
        "/v1/shutdown?timeout=" + std::to_string(*seconds)
        + (x->stop_containers ? "&stop_containers=1" : ""));
      return did ? 0 : complain(did.error());
    };
  });
}

} // namespace

void add_host_commands(CLI::App& app, context& with) {
  add_info(app, with);
  add_version(app, with);
  add_shim(app, with);
  add_shutdown(app, with);
}

} // namespace troupe::client
