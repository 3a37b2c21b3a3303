#include "actors/updating.hpp"

#include "config/base/quote.hpp"
#include "config/json/cursor.hpp"
#include "config/oci/parse.hpp"
#include "runtime/cgroup/update.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

namespace {

using json_value = nlohmann::json;

constexpr std::string_view resources_pointer = "/linux/resources";

/// The spec has unknown members ignored; in an update, a word that is misspelt
/// would be a limit that is not set.
outcome check_known(const json_value& asked, const json_value& understood) {
  const auto flat = asked.flatten();
  for (const auto& [pointer, value] : flat.items())
    if (!value.is_null() && !value.empty()
        && !understood.contains(json_value::json_pointer{pointer}))
      return fail(fault::invalid_config, pointer + ": found "
                                           + quote(value.dump())
                                           + ": no such member of resources");
  return {};
}

struct asked_limits { // NOLINT(bugprone-exception-escape): json asserts
  json_value document;
  oci::resources limits;
};

result<asked_limits> read_request(const std::string& text) {
  asked_limits out;
  TROUPE_TRY(out.document, json::parse(text));
  TROUPE_TRY(out.limits, oci::parse_resources(out.document, ""));
  TROUPE_CHECK(oci::validate(out.limits, ""));
  TROUPE_CHECK(check_known(out.document, oci::to_json(out.limits)));
  if (out.limits == oci::resources{})
    return fail(fault::invalid_config, "/: found no limit: nothing to change");
  return out;
}

/// The limits that are in force, as the config.json or the last update has
/// them.
result<json_value> resources_of(const update_job& job) {
  TROUPE_TRY(const auto limits, job.store.read_limits(job.now->id));
  if (limits)
    return json::parse(limits->resources);
  TROUPE_TRY(const auto text, job.store.read_config(job.now->id));
  TROUPE_TRY(const auto config, json::parse(text));
  return config.value(json_value::json_pointer{std::string{resources_pointer}},
                      json_value::object());
}

bool is_device_rule(const plan::cgroup_write& x) {
  return x.origin.starts_with("/linux/resources/devices");
}

/// What `all` writes that `now` has not written already. Device rules are a
/// list, of which all or nothing is said.
std::vector<plan::cgroup_write>
changes(const std::vector<plan::cgroup_write>& all,
        const std::vector<plan::cgroup_write>& now, bool devices_asked) {
  std::vector<plan::cgroup_write> out;
  for (const auto& each : all)
    if (is_device_rule(each) ? devices_asked
                             : std::ranges::find(now, each) == now.end())
      out.push_back(each);
  return out;
}

/// In the words of the request, whose document is resources alone.
failure told(failure why) {
  auto at = why.what.find(resources_pointer);
  if (at != std::string::npos)
    why.what.erase(at, resources_pointer.size());
  return why;
}

result<msg::shared_plan> carry_out(const update_job& job,
                                   const asked_limits& asked) {
  TROUPE_TRY(auto resources, resources_of(job));
  const auto as_they_were = resources.dump();
  resources.merge_patch(asked.document);
  TROUPE_TRY(const auto all,
             oci::parse_resources(resources, resources_pointer));
  TROUPE_CHECK(oci::validate(all, resources_pointer));
  const auto& now = job.now->cgroup;
  TROUPE_TRY(auto to, cgroup::plan_update(now, all, job.host));
  auto made = std::make_shared<plan::launch_plan>(*job.now);
  made->cgroup = to;
  to.writes = changes(to.writes, now.writes, !asked.limits.devices.empty());
  const auto& id = job.now->id;
  if (to.dirs.size() > now.dirs.size()) {
    // First the directories, without their limits: whoever removes the
    // container finds them then.
    auto grown = now;
    grown.dirs = to.dirs;
    TROUPE_CHECK(
      job.store.write_limits(id, {.resources = as_they_were, .cgroup = grown}));
  }
  TROUPE_CHECK(cgroup::update(now, to));
  TROUPE_CHECK(job.store.write_limits(
    id, {.resources = resources.dump(), .cgroup = made->cgroup}));
  return made;
}

} // namespace

result<msg::shared_plan> update_limits(const update_job& job) {
  TROUPE_TRY(const auto asked, read_request(job.resources));
  auto done = carry_out(job, asked);
  if (!done)
    return fail(told(std::move(done).error()));
  return done;
}

} // namespace troupe
