#include "config/json/fields.hpp"
#include "config/run_options.hpp"
#include "programs/troupe/attachment.hpp"
#include "programs/troupe/log_flags.hpp"
#include "programs/troupe/nodes.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

namespace troupe::client {

namespace {

/// What `run` and `create` share.
struct run_request {
  run_options options;
  std::optional<std::string> name;
  std::string rootfs;
  std::string memory;
  bool detach = false;
  bool interactive = false;
  bool auto_remove = false;
  std::string keys;
  log_flags log;
  std::vector<std::string> annotations; ///< `KEY=VALUE`
  placement_wish wish;
};

constexpr auto run_footer
  = "troupe run [OPTIONS] BUNDLE [CMD...]\n"
    "troupe run [OPTIONS] --rootfs DIR -- CMD...\n\n"
    "Either BUNDLE, a directory with an OCI config.json, whose process.args "
    "CMD replaces if given;\nor --rootfs DIR -- CMD, with docker's defaults "
    "and no config.json at all.\n\n"
    "  troupe run ./bundle\n"
    "  troupe run --rm --memory 64m --rootfs /srv/alpine -- /bin/sh -c 'echo "
    "hello'";

void add_options(CLI::App& to, run_request& x) {
  auto& set = x.options;
  to.add_option("--name", x.name,
                "Id of the container (default: a random one)");
  to.add_option("--rootfs", x.rootfs,
                "Run CMD in this directory, without a config.json");
  to.add_option("-e,--env", set.env, "KEY=VALUE, or KEY to take it from here")
    ->allow_extra_args(false);
  to.add_option("-w,--workdir", set.cwd, "Working directory in the container");
  to.add_option("-u,--user", set.user, "UID[:GID] or NAME[:GROUP]");
  to.add_option("-v,--volume", set.volumes, "SRC:DST[:ro]: bind-mount SRC")
    ->allow_extra_args(false);
  to.add_option("--hostname", set.hostname, "Host name in the container");
  to.add_option("-m,--memory", x.memory, "Memory limit, such as 64m or 1g");
  to.add_option("--cpus", set.cpus, "CPU limit in cores, such as 1.5");
  to.add_option("--pids-limit", set.pids_limit, "Processes at most");
  to.add_option("--cap-add", set.cap_add, "Add a capability, or ALL")
    ->allow_extra_args(false);
  to.add_option("--cap-drop", set.cap_drop, "Drop a capability, or ALL")
    ->allow_extra_args(false);
  to.add_flag("--read-only", set.read_only, "Make the root read-only");
  to.add_option("--network", set.network, "none, or host's own")
    ->check(CLI::IsMember({"none", "host"}));
  to.add_option("--notify-pressure", set.notify_pressure,
                "An event when it stalls so long for cpu, memory or io, such "
                "as memory=some:150ms/1s")
    ->allow_extra_args(false);
  to.add_option("--annotation", x.annotations,
                "KEY=VALUE, as in config.json; troupe inspect shows it")
    ->allow_extra_args(false);
  to.add_option("--constraint", x.wish.constraints,
                "With --node auto: LABEL=VALUE that the node must have")
    ->allow_extra_args(false);
  to.add_option("--strategy", x.wish.strategy,
                "With --node auto: spread (where the least runs) or binpack")
    ->check(CLI::IsMember({"spread", "binpack"}))
    ->capture_default_str();
  x.log.add_to(to);
  to.add_flag("-i,--interactive", x.interactive, "Keep stdin open");
  to.add_flag("-t,--tty", set.tty, "Give it a terminal");
  to.footer(run_footer);
  to.prefix_command();
}

/// Splits the words of the command line into bundle and command.
outcome take_words(run_request& x, std::string& bundle,
                   std::vector<std::string> words) {
  if (x.rootfs.empty()) {
    if (words.empty())
      return fail(fault::invalid_config,
                  "a BUNDLE directory is needed, or --rootfs DIR -- CMD");
    bundle = words.front();
    words.erase(words.begin());
  } else if (words.empty()) {
    return fail(fault::invalid_config, "--rootfs DIR needs a CMD to run");
  }
  x.options.args = std::move(words);
  return {};
}

/// `-e KEY` without a value takes it from our own environment, as docker does.
void fill_environment(std::vector<std::string>& env) {
  std::vector<std::string> out;
  for (auto& entry : env) {
    if (entry.find('=') != std::string::npos)
      out.push_back(std::move(entry));
    else if (const auto* value = std::getenv(entry.c_str()))
      out.push_back(entry + '=' + value);
  }
  env = std::move(out);
}

std::string absolute(const std::string& path) {
  return std::filesystem::absolute(path).lexically_normal().string();
}

result<nlohmann::json> document_of(const context& with, run_request& x,
                                   const CLI::App& command) {
  std::string bundle;
  TROUPE_TRY(auto words, words_of(with, command, x.rootfs.empty() ? 1 : 0));
  TROUPE_CHECK(take_words(x, bundle, std::move(words)));
  if (!x.memory.empty()) {
    TROUPE_TRY(x.options.memory, parse_size(x.memory));
  }
  for (const auto& each : x.annotations) {
    const auto equals = each.find('=');
    if (equals == each.npos || equals == 0)
      return fail(fault::invalid_config,
                  "--annotation " + each + ": expected KEY=VALUE");
    x.options.annotations[each.substr(0, equals)] = each.substr(equals + 1);
  }
  fill_environment(x.options.env);
  if (const auto size = own_window(); size && x.options.tty) {
    x.options.rows = size->rows;
    x.options.cols = size->cols;
  }
  for (auto& volume : x.options.volumes)
    if (!volume.starts_with("/"))
      volume = absolute(volume.substr(0, volume.find(':')))
               + (volume.find(':') == std::string::npos
                    ? ""
                    : volume.substr(volume.find(':')));
  nlohmann::json out{{"options", x.options},
                     {"open_stdin", x.interactive},
                     {"auto_remove", x.auto_remove}};
  TROUPE_TRY(auto log, x.log.choice());
  out["log"] = troupe::json::to_value(log);
  if (x.name)
    out["id"] = *x.name;
  if (bundle.empty())
    out["rootfs"] = absolute(x.rootfs);
  else
    out["bundle"] = absolute(bundle);
  return out;
}

/// A container that has been made.
struct created {
  std::string id;
  bool terminal = false; ///< By -t, or by its config.json.
};

/// Finds the node that `--node auto` means; inspect shows why it is that one.
outcome settle_node(context& with, run_request& x) {
  if (!x.memory.empty()) {
    TROUPE_TRY(x.wish.memory, parse_size(x.memory));
  }
  TROUPE_TRY(const auto why, choose_node(with, x.wish));
  if (!why.empty())
    x.options.annotations["troupe.placement"] = why;
  return {};
}

/// As other commands take it.
std::string named(const context& with, const std::string& id,
                  const run_request& x) {
  const auto is_placed = x.options.annotations.contains("troupe.placement");
  return is_placed ? with.node + '/' + id : id;
}

result<created> create(const context& with, api_client& api, run_request& x,
                       const CLI::App& command) {
  TROUPE_TRY(const auto document, document_of(with, x, command));
  TROUPE_TRY(const auto made, api.post("/v1/containers", document));
  return created{made.value("id", std::string{}),
                 made.value("terminal", false)};
}

/// Carries the streams of a container, created or running.
result<stream_end> carry_container(const context& with, api_client& api,
                                   const attachment& what) {
  TROUPE_TRY(const auto end, carry(with, api, what));
  if (end.detached)
    return end;
  // The exit code came from the shim; whoever looks next asks the supervisor,
  // which must have heard of it too. One that is down hears of it later.
  auto observer = with.api();
  static_cast<void>(observer.get(what.path + "/wait"));
  return end;
}

/// The same for one that is there, whose terminal gets our size first.
result<stream_end> carry_existing(const context& with, const std::string& id,
                                  bool start, bool interactive,
                                  const std::string& keys,
                                  std::string options = {}) {
  TROUPE_TRY(auto parsed, detach_keys::parse(keys));
  auto api = with.api();
  attachment what{container_path(id), start,
                  interactive,        false,
                  std::move(parsed),  std::move(options)};
  TROUPE_TRY(const auto now, api.get(what.path));
  what.terminal = now.value("terminal", false);
  if (what.terminal)
    send_window(api, what.path);
  return carry_container(with, api, std::move(what));
}

/// Takes a container away again that could not be started or has ended.
void clear_away(api_client& api, const std::string& id) {
  static_cast<void>(api.del(container_path(id, "?force=1")));
}

int run(context with, run_request& x, const CLI::App& command) {
  auto keys = detach_keys::parse(x.keys);
  if (!keys)
    return complain(keys.error());
  if (const auto fits = check_terminal(x.options.tty,
                                       x.interactive && !x.detach);
      !fits)
    return complain(fits.error());
  if (const auto settled = settle_node(with, x); !settled)
    return complain(settled.error());
  auto api = with.api();
  const auto made = create(with, api, x, command);
  if (!made)
    return complain(made.error());
  const auto path = container_path(made->id);
  if (x.detach) {
    if (const auto started = api.post(path + "/start"); !started) {
      if (x.auto_remove)
        clear_away(api, made->id);
      return complain(started.error());
    }
    print(named(with, made->id, x) + '\n');
    return 0;
  }
  if (made->terminal && !x.options.tty) // else it has been made in our size
    send_window(api, path);
  const auto end = carry_container(
    with, api,
    {path, true, x.interactive && x.log.driver != "passthrough", made->terminal,
     *std::move(keys)});
  // The supervisor removes it by itself; asking joins that, so that the name
  // is free again when this command ends.
  if (x.auto_remove && !(end && end->detached))
    clear_away(api, made->id);
  return end ? end->exit_code : complain(end.error());
}

int start(const context& with, const std::vector<std::string>& ids,
          bool attached, bool interactive, const std::string& keys) {
  auto api = with.api();
  if (!attached)
    return for_each(ids, [&](const std::string& id) -> outcome {
      TROUPE_CHECK(api.post(container_path(id, "/start")));
      return {};
    });
  if (ids.size() != 1)
    return complain({fault::invalid_config, 0,
                     "start --attach takes one container at a time"});
  const auto end = carry_existing(with, ids.front(), true, interactive, keys);
  return end ? end->exit_code : complain(end.error());
}

/// stdin goes where somebody has meant it to: `-i` when it was created.
result<stream_end> attach(const context& with, const std::string& id,
                          bool no_stdin, const std::string& keys,
                          const attach_options& options) {
  auto api = with.api();
  TROUPE_TRY(auto text, options.text());
  TROUPE_TRY(const auto now, api.get(container_path(id)));
  return carry_existing(with, id, false,
                        !no_stdin && now.value("stdin_open", false), keys,
                        std::move(text));
}

void add_run(CLI::App& app, context& with) {
  auto* run_command = app.add_subcommand(
    "run", "Create and start a container; its exit code becomes ours");
  auto request = std::make_shared<run_request>();
  add_options(*run_command, *request);
  run_command->add_flag("-d,--detach", request->detach,
                        "Print the id and leave it running");
  run_command->add_flag("--rm", request->auto_remove,
                        "Remove it when it has ended");
  add_detach_keys(*run_command, request->keys);
  run_command->callback([&with, request, run_command] {
    with.action = [&with, request, run_command] {
      return run(with, *request, *run_command);
    };
  });
}

void add_create(CLI::App& app, context& with) {
  auto* create_command = app.add_subcommand(
    "create", "Create a container whose program waits for start");
  auto plain = std::make_shared<run_request>();
  add_options(*create_command, *plain);
  create_command->add_flag("--rm", plain->auto_remove,
                           "Remove it when it has ended");
  create_command->callback([&with, plain, create_command] {
    with.action = [&with, plain, create_command] {
      auto there = with;
      if (const auto settled = settle_node(there, *plain); !settled)
        return complain(settled.error());
      auto api = there.api();
      const auto made = create(there, api, *plain, *create_command);
      if (!made)
        return complain(made.error());
      print(named(there, made->id, *plain) + '\n');
      return 0;
    };
  });
}

void add_start(CLI::App& app, context& with) {
  struct start_request {
    std::vector<std::string> ids;
    bool attached = false;
    bool interactive = false;
    std::string keys;
  };
  auto* start_command = app.add_subcommand("start", "Start created containers");
  auto starting = std::make_shared<start_request>();
  start_command->add_option("CONTAINER", starting->ids, "Ids")->required();
  start_command->add_flag("-a,--attach", starting->attached,
                          "Carry its output, wait, and return its exit code");
  start_command->add_flag("-i,--interactive", starting->interactive,
                          "With --attach: carry stdin too");
  add_detach_keys(*start_command, starting->keys);
  start_command->callback([&with, starting] {
    with.action = [&with, starting] {
      return start(with, starting->ids, starting->attached,
                   starting->interactive, starting->keys);
    };
  });
}

void add_attach(CLI::App& app, context& with) {
  struct attach_request {
    std::string id;
    bool no_stdin = false;
    std::string keys;
    attach_options options;
  };
  auto* attach_command = app.add_subcommand(
    "attach", "Put a running container's streams on ours");
  auto attaching = std::make_shared<attach_request>();
  attach_command->add_option("CONTAINER", attaching->id, "Id")->required();
  attach_command->add_flag("--no-stdin", attaching->no_stdin, "Only look");
  attaching->options.add_to(*attach_command);
  add_detach_keys(*attach_command, attaching->keys);
  attach_command->footer(
    "Carries output from now on, and stdin where the container was made with "
    "-i. Its exit code\nbecomes ours; the detach keys leave its terminal, and "
    "it runs on.\n\n  troupe attach web-1\n  troupe attach --no-stdin --replay "
    "64k --overflow drop web-1");
  attach_command->callback([&with, attaching] {
    with.action = [&with, attaching] {
      const auto end = attach(with, attaching->id, attaching->no_stdin,
                              attaching->keys, attaching->options);
      return end ? end->exit_code : complain(end.error());
    };
  });
}

} // namespace

void add_run_commands(CLI::App& app, context& with) {
  add_run(app, with);
  add_create(app, with);
  add_start(app, with);
  add_attach(app, with);
}

} // namespace troupe::client
