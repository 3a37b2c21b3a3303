#include "runtime/store/store.hpp"

#include "config/base/bytes.hpp"
#include "config/base/container_id.hpp"
#include "config/base/fault_point.hpp"
#include "config/base/quote.hpp"
#include "config/json/cursor.hpp"
#include "runtime/linux/daemon.hpp"
#include "runtime/linux/file.hpp"
#include "runtime/store/state_file.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <span>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace troupe::store {

namespace {

constexpr auto config_file = "config.json";
constexpr auto plan_file = "plan.cbor";
constexpr auto limits_file = "limits.cbor";
constexpr auto state_file = "state.json";

/// Bounds what a damaged directory can make us read.
constexpr std::size_t max_file = 16U << 20U;

constexpr mode_t private_directory = 0700;

/// ROOT is a tmpfs: a power loss takes the containers with what is written.
outcome replace(const std::string& directory, const std::string& name,
                std::string_view content) {
  const fault_scope step{"store", name};
  TROUPE_CHECK(step.failure());
  return sys::replace_file(AT_FDCWD, directory + '/' + name, content);
}

using directory_stream = std::unique_ptr<DIR, int (*)(DIR*)>;

/// The names in a directory, without . and ..
result<std::vector<std::string>> names_in(sys::unique_fd directory,
                                          const std::string& path) {
  const directory_stream stream{::fdopendir(directory.get()), ::closedir};
  if (!stream)
    return fail_os(errno, "fdopendir", path);
  static_cast<void>(directory.release()); // The stream closes it.
  std::vector<std::string> out;
  for (;;) {
    errno = 0;
    const auto* entry = ::readdir(stream.get());
    if (!entry) {
      if (errno != 0)
        return fail_os(errno, "readdir", path);
      return out;
    }
    const auto name = std::string_view{entry->d_name};
    if (name != "." && name != "..")
      out.emplace_back(name);
  }
}

result<std::string> with_resources(const std::string& config,
                                   const std::string& resources) {
  TROUPE_TRY(auto out, json::parse(config));
  TROUPE_TRY(out["linux"]["resources"], json::parse(resources));
  return out.dump();
}

/// Calls `act` for each of many elements, on more than one processor.
template <class Act>
void for_each_at_once(std::vector<found>& all, Act act) {
  constexpr std::size_t worth_a_thread = 64;
  constexpr std::size_t most_threads = 4;
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = 0; (i = next++) < all.size();)
      act(all[i]);
  };
  const auto threads = std::min(
    {all.size() / worth_a_thread, most_threads,
     std::size_t{std::jthread::hardware_concurrency()}});
  std::vector<std::jthread> helpers;
  try {
    while (helpers.size() + 1 < threads)
      helpers.emplace_back(work);
  } catch (const std::system_error&) {
    // Out of threads: those that are there do it.
  }
  work();
}

/// Whether it is no more than the moment that keeps a file from being read.
bool may_pass(const failure& why) {
  switch (why.os_errno) {
  case EACCES:
  case EAGAIN:
  case EIO:
  case EMFILE:
  case ENFILE:
  case ENOMEM:
  case EPERM:
    return true;
  default:
    return false;
  }
}

outcome check_id(const std::string& found, const std::string& expected,
                 const std::string& path) {
  if (found == expected)
    return {};
  return fail(fault::invalid_config, path + ": it is of " + quote(found));
}

/// A container's directory holds files and no directories.
outcome remove_files(const std::string& path) {
  constexpr auto flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
  TROUPE_TRY(const auto in, sys::open_file(AT_FDCWD, path, flags));
  TROUPE_TRY(auto listed, sys::open_file(in.get(), ".", flags));
  TROUPE_TRY(const auto names, names_in(std::move(listed), path));
  for (const auto& name : names)
    if (::unlinkat(in.get(), name.c_str(), 0) != 0 && errno != ENOENT)
      return fail_os(errno, "unlink",
                     std::string{path}.append("/").append(name));
  return {};
}

} // namespace

outcome directory::prepare() const {
  TROUPE_CHECK(sys::make_private_directory(root_));
  return sys::make_private_directory(path());
}

outcome directory::make(const std::string& id) const {
  TROUPE_CHECK(checked_id(id));
  const fault_scope step{"store", "make"};
  TROUPE_CHECK(step.failure());
  if (::mkdir(path_of(id).c_str(), private_directory) != 0)
    return fail_os(errno, "mkdir", path_of(id));
  return {};
}

outcome directory::write_config(const std::string& id,
                                const std::string& text) const {
  TROUPE_CHECK(checked_id(id));
  return replace(path_of(id), config_file, text);
}

result<std::string> directory::read_config(const std::string& id) const {
  TROUPE_CHECK(checked_id(id));
  TROUPE_TRY(auto text, sys::read_file(
                          AT_FDCWD, path_of(id) + '/' + config_file, max_file));
  TROUPE_TRY(const auto limits, read_limits(id));
  return limits ? with_resources(text, limits->resources) : std::move(text);
}

outcome directory::write_plan(const plan::launch_plan& plan) const {
  TROUPE_CHECK(checked_id(plan.id));
  const auto bytes = plan::encode(plan);
  return replace(path_of(plan.id), plan_file, text_of(bytes));
}

outcome directory::write_state(const state& x) const {
  TROUPE_CHECK(checked_id(x.id));
  return replace(path_of(x.id), state_file, to_text(x));
}

result<state> directory::read_state(const std::string& id) const {
  TROUPE_CHECK(checked_id(id));
  const auto path = path_of(id) + '/' + state_file;
  TROUPE_TRY(const auto text, sys::read_file(AT_FDCWD, path, max_file));
  auto parsed = parse_state(text);
  if (!parsed)
    return fail(std::move(parsed).error().during(path));
  TROUPE_CHECK(check_id(parsed->id, id, path));
  return parsed;
}

result<plan::launch_plan>
directory::read_first_plan(const std::string& id) const {
  TROUPE_CHECK(checked_id(id));
  const auto path = path_of(id) + '/' + plan_file;
  TROUPE_TRY(const auto cbor, sys::read_file(AT_FDCWD, path, max_file));
  auto decoded = plan::decode_launch_plan(bytes_of(cbor));
  if (!decoded)
    return fail(std::move(decoded).error().during(path));
  TROUPE_CHECK(check_id(decoded->id, id, path));
  return decoded;
}

outcome directory::write_exit(const std::string& id,
                              std::int32_t exit_code) const {
  TROUPE_CHECK(checked_id(id));
  return sys::replace_file(AT_FDCWD, files_of(id) + "exit",
                           std::to_string(exit_code));
}

outcome directory::put_limits(plan::launch_plan& into) const {
  TROUPE_TRY(auto limits, read_limits(into.id));
  if (limits)
    into.cgroup = std::move(limits->cgroup);
  return {};
}

result<plan::launch_plan> directory::read_plan(const std::string& id) const {
  TROUPE_TRY(auto plan, read_first_plan(id));
  TROUPE_CHECK(put_limits(plan));
  return plan;
}

outcome directory::write_limits(const std::string& id,
                                const plan::kept_limits& x) const {
  TROUPE_CHECK(checked_id(id));
  const auto bytes = plan::encode(x);
  return replace(path_of(id), limits_file, text_of(bytes));
}

result<std::optional<plan::kept_limits>>
directory::read_limits(const std::string& id) const {
  TROUPE_CHECK(checked_id(id));
  const auto path = path_of(id) + '/' + limits_file;
  const auto cbor = sys::read_file(AT_FDCWD, path, max_file);
  if (!cbor && cbor.error().os_errno == ENOENT)
    return std::nullopt;
  if (!cbor)
    return fail(cbor.error());
  auto decoded = plan::decode_kept_limits(bytes_of(*cbor));
  if (!decoded)
    return fail(std::move(decoded).error().during(path));
  return *std::move(decoded);
}

std::optional<directory::ended>
directory::read_exit(const std::string& id) const {
  const auto path = files_of(id) + "exit";
  const auto text = sys::read_file(AT_FDCWD, path, max_file);
  struct stat info {};
  if (!text || ::stat(path.c_str(), &info) != 0)
    return std::nullopt;
  ended out;
  const auto* end = text->data() + text->size();
  if (std::from_chars(text->data(), end, out.exit_code).ptr != end)
    return std::nullopt;
  out.finished = info.st_mtim.tv_sec * time_ns{1'000'000'000}
                 + info.st_mtim.tv_nsec;
  return out;
}

outcome directory::fill(found& into) const {
  TROUPE_TRY(into.plan, read_first_plan(into.id));
  into.has_plan = true;
  TROUPE_CHECK(put_limits(into.plan));
  TROUPE_TRY(into.state, read_state(into.id));
  return {};
}

result<std::vector<found>> directory::load() const {
  const auto containers = path();
  TROUPE_TRY(auto listed,
             sys::open_file(AT_FDCWD, containers, O_RDONLY | O_DIRECTORY));
  TROUPE_TRY(const auto names, names_in(std::move(listed), containers));
  std::vector<found> out;
  for (const auto& name : names)
    if (checked_id(name)) // Else nothing that we made.
      out.emplace_back().id = name;
  for_each_at_once(out, [this](found& each) {
    const auto filled = fill(each);
    each.usable = filled.has_value();
    if (!filled)
      each.problem = filled.error();
  });
  for (const auto& each : out)
    if (!each.usable && may_pass(each.problem))
      return fail(each.problem);
  return out;
}

outcome directory::remove(const std::string& id) const {
  TROUPE_CHECK(checked_id(id));
  const auto path = path_of(id);
  const fault_scope step{"store", "remove"};
  TROUPE_CHECK(step.failure());
  if (auto emptied = remove_files(path); !emptied)
    return emptied.error().os_errno == ENOENT ? outcome{} : emptied;
  if (::rmdir(path.c_str()) != 0 && errno != ENOENT)
    return fail_os(errno, "rmdir", path);
  return {};
}

} // namespace troupe::store
