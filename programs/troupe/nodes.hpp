#pragma once

#include "programs/troupe/command.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace troupe::client {

/// For whoever asks many: how long one may take to begin its answer.
inline constexpr auto node_timeout = "node_timeout=3";

/// Of `run --node auto`.
struct placement_wish {
  std::vector<std::string> constraints; ///< `LABEL=VALUE`
  std::string strategy = "spread";
  std::int64_t memory = 0; ///< Bytes.
};

/// Puts a node in the place of `auto`, and says why it is that one; nothing if
/// it was not `auto`.
[[nodiscard]] result<std::string> choose_node(context& with,
                                              const placement_wish& x);

/// What one node has answered.
struct node_answer {
  std::string node;
  result<nlohmann::json> answer;
};

/// Asks every node of the cluster at once, this one too; a node that does not
/// begin to answer within seconds has failed. By the nodes' names.
[[nodiscard]] result<std::vector<node_answer>>
ask_all_nodes(const context& with, const std::string& target);

/// `take` for each answer; complains about the nodes that have none. The exit
/// code.
int each_answer(std::vector<node_answer> all,
                const std::function<void(const std::string& node,
                                         nlohmann::json& answer)>& take);

/// Lists of all nodes as one, each element with its `node`; complains about the
/// nodes that are missing, and makes `code` say so.
[[nodiscard]] result<nlohmann::json>
merged_lists(const context& with, const std::string& target, int& code);

} // namespace troupe::client
