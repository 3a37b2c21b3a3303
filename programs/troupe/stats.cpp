#include "programs/troupe/command.hpp"
#include "programs/troupe/table.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <thread>
#include <unistd.h>

namespace troupe::client {

namespace {

using nlohmann::json;

/// Between two looks, from whose difference the CPU share is reckoned.
constexpr auto interval = std::chrono::seconds{1};
constexpr auto first_interval = std::chrono::milliseconds{200};

struct stats_request {
  std::vector<std::string> ids;
  bool no_stream = false;
  std::string format;
};

std::int64_t number(const json& of, const char* key) {
  const auto at = of.find(key);
  return at == of.end() || !at->is_number() ? -1 : at->get<std::int64_t>();
}

struct sample {
  std::int64_t cpu_ns = 0;
  std::chrono::steady_clock::time_point at;
};

/// Knows the last look at each container.
class observer {
public:
  explicit observer(api_client& api) : api_(api) {
  }

  /// Looks at all of `ids` (all running ones if empty); those that are gone
  /// meanwhile are left out.
  result<json> look(const std::vector<std::string>& ids) {
    TROUPE_TRY(const auto names, running(ids));
    auto out = json::array();
    for (const auto& id : names) {
      auto now = api_.get(container_path(id, "/stats"));
      if (!now && !ids.empty())
        return fail(now.error());
      if (!now)
        continue;
      (*now)["cpu_percent"] = cpu_percent(id, number(*now, "cpu_usage_ns"));
      out.push_back(*std::move(now));
    }
    return out;
  }

private:
  result<std::vector<std::string>>
  running(const std::vector<std::string>& ids) {
    if (!ids.empty())
      return ids;
    TROUPE_TRY(const auto all, api_.get("/v1/containers"));
    std::vector<std::string> out;
    for (const auto& x : all)
      out.push_back(x.value("id", std::string{}));
    return out;
  }

  double cpu_percent(const std::string& id, std::int64_t cpu_ns) {
    const auto now = std::chrono::steady_clock::now();
    const auto known = last_.contains(id);
    const auto before = std::exchange(last_[id], sample{cpu_ns, now});
    const auto wall
      = std::chrono::duration<double, std::nano>(now - before.at).count();
    return known && wall > 0
             ? 100.0 * static_cast<double>(cpu_ns - before.cpu_ns) / wall
             : 0.0;
  }

  api_client& api_;
  std::map<std::string, sample> last_;
};

std::string percent(double x) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2f%%", x);
  return text.data();
}

std::string stats_table(const json& all) {
  table out{{"CONTAINER", "CPU %", "MEM USAGE / LIMIT", "PIDS", "OOM KILLS"}};
  for (const auto& x : all) {
    const auto pids = number(x, "pids_current");
    const auto kills = number(x, "oom_kills");
    out.add({x.value("id", std::string{}), percent(x.value("cpu_percent", 0.0)),
             size_text(number(x, "memory_usage")) + " / "
               + size_text(number(x, "memory_limit")),
             pids < 0 ? "-" : std::to_string(pids),
             kills < 0 ? "-" : std::to_string(kills)});
  }
  return out.str();
}

int stats(const context& with, const stats_request& x) {
  auto api = with.api();
  observer eyes{api};
  const auto tty = ::isatty(STDOUT_FILENO) != 0;
  auto first = eyes.look(x.ids);
  if (!first)
    return complain(first.error());
  std::this_thread::sleep_for(first_interval);
  for (;;) {
    const auto all = eyes.look(x.ids);
    if (!all)
      return complain(all.error());
    if (x.format == "json")
      for (const auto& each : *all)
        print(each.dump() + '\n');
    else
      print((tty && !x.no_stream ? "\033[H\033[2J" : "") + stats_table(*all));
    if (std::fflush(stdout) != 0 || x.no_stream)
      return 0;
    std::this_thread::sleep_for(interval);
  }
}

} // namespace

void add_stats_command(CLI::App& app, context& with) {
  auto request = std::make_shared<stats_request>();
  auto* command = app.add_subcommand(
    "stats", "Show what containers use, again every second");
  command->add_option("CONTAINER", request->ids, "Ids (default: all that run)");
  command->add_flag("--no-stream", request->no_stream, "Once");
  add_format(*command, request->format);
  command->callback([&with, request] {
    with.action = [&with, request] { return stats(with, *request); };
  });
}

} // namespace troupe::client
