#include "programs/troupe/command.hpp"
#include "programs/troupe/line_reader.hpp"
#include "programs/troupe/nodes.hpp"
#include "programs/troupe/table.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <thread>
#include <unistd.h>

namespace troupe::client {

namespace {

using nlohmann::json;

constexpr auto stats_footer
  = "MEM USAGE leaves out what is in the page cache and was not used lately, "
    "as docker does.\n--full prints every counter of the containers once: "
    "memory.stat, block devices, network\ninterfaces, pressure.\n\n"
    "  troupe stats\n"
    "  troupe stats --no-stream --format json web db";

struct stats_request {
  std::vector<std::string> ids;
  bool no_stream = false;
  bool all_nodes = false;
  bool full = false;
  std::string format;
};

std::int64_t number(const json& of, const char* key) {
  const auto at = of.find(key);
  return at == of.end() || !at->is_number() ? -1 : at->get<std::int64_t>();
}

std::string percent(double x) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2f%%", x);
  return text.data();
}

std::string cpu_text(const json& x) {
  const auto& share = x.at("cpu_percent");
  return share.is_number() ? percent(share.get<double>()) : "-";
}

std::string count_text(std::int64_t x) {
  return x < 0 ? "-" : std::to_string(x);
}

std::string memory_percent(std::int64_t used, std::int64_t limit) {
  if (used < 0 || limit <= 0)
    return "-";
  return percent(100.0 * static_cast<double>(used)
                 / static_cast<double>(limit));
}

std::string both(const json& x, const char* first, const char* second) {
  return size_text(number(x, first)) + " / " + size_text(number(x, second));
}

std::string stats_table(const json& rows) {
  table out{{"CONTAINER", "CPU %", "MEM USAGE / LIMIT", "MEM %", "NET I/O",
             "BLOCK I/O", "PIDS", "OOM KILLS"}};
  for (const auto& x : rows)
    out.add({x.value("id", std::string{}), cpu_text(x),
             both(x, "memory_working_set", "memory_limit"),
             memory_percent(number(x, "memory_working_set"),
                            number(x, "memory_limit")),
             both(x, "network_rx_bytes", "network_tx_bytes"),
             both(x, "block_read_bytes", "block_write_bytes"),
             count_text(number(x, "pids_current")),
             count_text(number(x, "oom_kills"))});
  return out.str();
}

/// Whole ids of containers that run.
result<std::vector<std::string>>
running_ids(api_client& api, const std::vector<std::string>& asked) {
  std::vector<std::string> out;
  for (const auto& id : asked) {
    TROUPE_TRY(const auto found, api.get(container_path(id)));
    const auto status = found.value("status", std::string{});
    if (status != "running" && status != "paused" && status != "pausing")
      return fail(failure{fault::wrong_state, 0, "it is " + status}.during(
        "read counters of container " + id));
    out.push_back(found.value("id", std::string{}));
  }
  return out;
}

/// The rows of a look that are asked for: all, if none are.
json rows_of(const json& look, const std::vector<std::string>& ids) {
  auto out = json::array();
  for (const auto& row : look.at("containers"))
    if (ids.empty()
        || std::ranges::find(ids, row.value("id", std::string{})) != ids.end())
      out.push_back(row);
  return out;
}

void show(const json& rows, const stats_request& x) {
  const auto redraws = !x.no_stream && ::isatty(STDOUT_FILENO) != 0;
  if (x.format == "json")
    for (const auto& each : rows)
      print(each.dump() + '\n');
  else
    print((redraws ? "\033[H\033[2J" : "") + stats_table(rows));
}

outcome show_full(api_client& api, const std::vector<std::string>& ids) {
  for (const auto& id : ids) {
    TROUPE_TRY(const auto all, api.get(container_path(id, "/stats")));
    print(all);
  }
  return {};
}

/// Until the reader of ours, or every container that was asked for, is gone.
outcome follow(api_client& api, const std::vector<std::string>& ids,
               const stats_request& x) {
  line_reader lines;
  auto first = true;
  return api.stream("/v1/stats?stream=1", [&](std::string_view bytes) {
    auto more = true;
    lines.feed(bytes, [&](const std::string& line) {
      const auto look = json::parse(line, nullptr, false);
      if (!look.is_object() || !more)
        return;
      const auto rows = rows_of(look, ids);
      more = ids.empty() || !rows.empty();
      // Shares are known from the second look on.
      if (!std::exchange(first, false))
        show(rows, x);
    });
    return std::fflush(stdout) == 0 && more;
  });
}

/// Of every node of the cluster, again and again; rows are named NODE/ID.
outcome follow_all_nodes(const context& with, const stats_request& x) {
  for (;; std::this_thread::sleep_for(std::chrono::seconds{1})) {
    TROUPE_TRY(auto looks, ask_all_nodes(with, "/v1/stats"));
    auto rows = json::array();
    const auto code = each_answer(
      std::move(looks), [&](const auto& node, json& look) {
        for (auto& row : look.at("containers")) {
          row["id"] = node + '/' + row.value("id", std::string{});
          rows.push_back(std::move(row));
        }
      });
    show(rows_of({{"containers", std::move(rows)}}, x.ids), x);
    if (x.no_stream)
      return code == 0 ? outcome{}
                       : fail(fault::node_unreachable, "not all nodes answer");
    if (std::fflush(stdout) != 0)
      return {};
  }
}

bool names_a_node(const std::vector<std::string>& ids) {
  return std::ranges::any_of(
    ids, [](const auto& id) { return id.find('/') != id.npos; });
}

outcome stats(const context& with, const stats_request& x) {
  if (x.all_nodes || (!x.full && names_a_node(x.ids)))
    return follow_all_nodes(with, x);
  auto api = with.api();
  TROUPE_TRY(const auto ids, running_ids(api, x.ids));
  if (x.full)
    return show_full(api, ids);
  if (!x.no_stream)
    return follow(api, ids, x);
  TROUPE_TRY(const auto look, api.get("/v1/stats"));
  show(rows_of(look, ids), x);
  return {};
}

} // namespace

void add_stats_command(CLI::App& app, context& with) {
  auto request = std::make_shared<stats_request>();
  auto* command = app.add_subcommand(
    "stats", "Show what containers use, again every second");
  command->add_option("CONTAINER", request->ids, "Ids (default: all that run)");
  command->add_flag("--no-stream", request->no_stream, "Once");
  command->add_flag("--all-nodes", request->all_nodes,
                    "Of every node of the cluster, as NODE/CONTAINER");
  auto* full = command->add_flag("--full", request->full,
                                 "Every counter there is, once, as JSON");
  add_format(*command, request->format);
  command->footer(stats_footer);
  command->callback([&with, request, full] {
    if (full->count() > 0 && request->ids.empty())
      throw CLI::ValidationError("--full", "expected CONTAINER");
    with.action = [&with, request] {
      const auto did = stats(with, *request);
      return did ? 0 : complain(did.error());
    };
  });
}

} // namespace troupe::client
