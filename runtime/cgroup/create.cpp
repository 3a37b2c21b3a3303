#include "runtime/cgroup/cgroup.hpp"
#include "runtime/cgroup/device_bpf.hpp"
#include "runtime/cgroup/tree.hpp"
#include "runtime/cgroup/write_list.hpp"
#include "runtime/cgroup/writes.hpp"
#include "runtime/linux/file.hpp"

#include <cerrno>
#include <charconv>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::cgroup {

namespace {

/// Someone else may remove an empty parent between our making it and our
/// making a directory in it. Each loss needs a removal at that very moment.
constexpr auto max_attempts = 1000;

tl::unexpected<step_failure> failed(plan::phase in, std::size_t index,
                                    int os_errno, std::string path) {
  return tl::unexpected<step_failure>{step_failure{
    in, static_cast<std::uint32_t>(index), os_errno, std::move(path)}};
}

/// "/m", "/m/a", "/m/a/b" for /a/b below /m.
std::vector<std::string> levels(const plan::cgroup_dir& dir) {
  auto out = std::vector<std::string>{dir.mount};
  for (auto end = dir.path.find('/', 1);; end = dir.path.find('/', end + 1)) {
    out.push_back(dir.mount + dir.path.substr(0, end));
    if (end == std::string::npos)
      return out;
  }
}

// -- directories --------------------------------------------------------------

/// What this call has made, in order, to be unmade if it fails.
class made_list {
public:
  /// mkdir(2): 0 or the errno.
  int make(const std::string& path) {
    if (::mkdir(path.c_str(), 0755) != 0)
      return errno;
    paths_.push_back(path);
    return 0;
  }

  void unmake() noexcept {
    for (auto path = paths_.rbegin(); path != paths_.rend(); ++path)
      ::rmdir(path->c_str()); // EBUSY: another container's parent by now
  }

private:
  std::vector<std::string> paths_;
};

/// The parent is not there, or is just being removed.
bool lost_parent(int error) {
  return error == ENOENT || error == ENODEV;
}

/// Makes what is missing above the own directory.
int make_parents(const std::vector<std::string>& path, made_list& made) {
  for (auto i = std::size_t{1}; i + 1 < path.size(); ++i)
    if (const auto error = made.make(path[i]); error != 0 && error != EEXIST)
      return error;
  return 0;
}

/// An empty cgroup is as good as a new one, if it is not frozen.
int take_over(const std::string& own, bool v2) {
  const auto inside = processes_below(own);
  if (!inside)
    return inside.error().os_errno;
  if (!inside->empty())
    return EBUSY;
  const auto file = own + (v2 ? "/cgroup.freeze" : "/freezer.state");
  const auto error = sys::write_file_raw(AT_FDCWD, file.c_str(),
                                         v2 ? "0" : "THAWED");
  return error == ENOENT ? 0 : error;
}

int make_own(const plan::cgroup_dir& dir, made_list& made) {
  const auto path = levels(dir);
  for (auto attempt = 0; attempt < max_attempts; ++attempt) {
    const auto error = made.make(path.back());
    if (error == EEXIST)
      return take_over(path.back(), is_v2(dir));
    if (!lost_parent(error))
      return error;
    const auto above = make_parents(path, made);
    if (above != 0 && !lost_parent(above))
      return above;
  }
  return ENOENT;
}

bool is_blank(const std::string& text) {
  return text.find_first_not_of(" \n") == std::string::npos;
}

/// A v1 cpuset starts empty, and nothing can run in an empty one: give each
/// level what the one above has. cpuset(7).
outcome inherit_cpuset(const plan::cgroup_dir& dir) {
  const auto path = levels(dir);
  for (const auto* name : {"/cpuset.cpus", "/cpuset.mems"}) {
    TROUPE_TRY(auto above, sys::read_file(AT_FDCWD, path.front() + name));
    for (auto i = std::size_t{1}; i < path.size(); ++i) {
      TROUPE_TRY(auto own, sys::read_file(AT_FDCWD, path[i] + name));
      if (is_blank(own)) {
        TROUPE_CHECK(sys::write_file(AT_FDCWD, path[i] + name, above));
        own = above;
      }
      above = std::move(own);
    }
  }
  return {};
}

/// True if every "+NAME" of `wanted` is in `enabled`, a line of names.
bool all_enabled(std::string_view wanted, std::string enabled) {
  if (enabled.ends_with('\n'))
    enabled.pop_back();
  while (!wanted.empty()) {
    const auto size = std::min(wanted.find(' '), wanted.size());
    if (!has_item(enabled, ' ', wanted.substr(1, size - 1)))
      return false;
    wanted.remove_prefix(std::min(size + 1, wanted.size()));
  }
  return true;
}

/// From the root down to the parent: a child has what its parent hands on.
/// The own directory exists by now, so no level can vanish meanwhile.
outcome enable_controllers(const plan::cgroup_dir& dir,
                           const std::string& wanted) {
  auto path = levels(dir);
  path.pop_back();
  for (const auto& level : path) {
    const auto file = level + "/cgroup.subtree_control";
    TROUPE_TRY(auto enabled, sys::read_file(AT_FDCWD, file));
    if (!all_enabled(wanted, std::move(enabled)))
      TROUPE_CHECK(sys::write_file(AT_FDCWD, file, wanted));
  }
  return {};
}

outcome prepare(const plan::cgroup_dir& dir, const plan::cgroup& in) {
  if (is_v2(dir))
    return in.subtree_control.empty()
             ? outcome{}
             : enable_controllers(dir, in.subtree_control);
  if (has_item(dir.controller, ',', "cpuset"))
    return inherit_cpuset(dir);
  return {};
}

tl::expected<void, step_failure> make_dirs(const plan::cgroup& in,
                                           made_list& made) {
  constexpr auto phase = plan::phase::cgroup_create;
  for (auto i = std::size_t{0}; i < in.dirs.size(); ++i) {
    const auto& dir = in.dirs[i];
    if (const auto error = make_own(dir, made); error != 0)
      return failed(phase, i, error, directory_of(dir));
    if (const auto ready = prepare(dir, in); !ready)
      return failed(phase, i, ready.error().os_errno, ready.error().what);
  }
  return {};
}

// -- limits -------------------------------------------------------------------

/// The n-th of "a|b"; of a single text, that one.
std::string_view alternative(std::string_view text, std::size_t n) {
  for (; n > 0 && text.find('|') != std::string_view::npos; --n)
    text.remove_prefix(text.find('|') + 1);
  return text.substr(0, text.find('|'));
}

int attach_devices(const std::string& directory, const std::string& rules) {
  const auto lines = from_text(rules);
  if (!lines)
    return EINVAL;
  const auto done = attach_device_program(directory, device_program(*lines));
  return done ? 0 : done.error().os_errno;
}

int check_usage(const std::string& file, const std::string& bound) {
  const auto text = sys::read_file(AT_FDCWD, file);
  if (!text)
    return text.error().os_errno;
  auto used = std::uint64_t{0};
  auto allowed = std::uint64_t{0};
  std::from_chars(text->data(), text->data() + text->size(), used);
  std::from_chars(bound.data(), bound.data() + bound.size(), allowed);
  return used > allowed ? EBUSY : 0;
}

int write_limit(const plan::cgroup& in, const plan::cgroup_write& what) {
  const auto directory = directory_of(in.dirs[what.dir]);
  if (what.file == device_program_file)
    return attach_devices(directory, what.value);
  if (what.file == usage_check_file)
    return check_usage(directory + "/" + what.file, what.value);
  const auto is_choice = what.file.find('|') != std::string::npos;
  auto error = ENOENT;
  for (auto n = std::size_t{0}; error == ENOENT && n < (is_choice ? 2 : 1);
       ++n) {
    const auto file = directory + "/" + std::string{alternative(what.file, n)};
    const auto value = is_choice ? alternative(what.value, n)
                                 : std::string_view{what.value};
    error = sys::write_file_raw(AT_FDCWD, file.c_str(), value);
  }
  return error;
}

/// v1 keeps memory below memory+swap at any moment, so that raising both needs
/// the second first; lowering, and a fresh cgroup, the first.
int write_in_order(const plan::cgroup& in, std::size_t i) {
  const auto& what = in.writes[i];
  const auto error = write_limit(in, what);
  if (error != EINVAL || what.file != "memory.limit_in_bytes"
      || i + 1 == in.writes.size()
      || in.writes[i + 1].file != "memory.memsw.limit_in_bytes")
    return error;
  const auto other = write_limit(in, in.writes[i + 1]);
  return other != 0 ? error : write_limit(in, what);
}

} // namespace

tl::expected<void, step_failure> apply(const plan::cgroup& in) {
  constexpr auto phase = plan::phase::cgroup_write;
  for (auto i = std::size_t{0}; i < in.writes.size(); ++i) {
    const auto& what = in.writes[i];
    if (what.dir >= in.dirs.size())
      return failed(phase, i, EINVAL, what.file);
    if (const auto error = write_in_order(in, i); error != 0)
      return failed(phase, i, error,
                    directory_of(in.dirs[what.dir]) + "/" + what.file);
  }
  return {};
}

tl::expected<void, step_failure> enable(const plan::cgroup& in) {
  if (!in.scope.unit.empty()) // Delegate=yes: they all are
    return {};
  for (auto i = std::size_t{0}; i < in.dirs.size(); ++i)
    if (is_v2(in.dirs[i]))
      if (const auto done = enable_controllers(in.dirs[i], in.subtree_control);
          !done)
        return failed(plan::phase::cgroup_create, i, done.error().os_errno,
                      done.error().what);
  return {};
}

tl::expected<void, step_failure> create(const plan::cgroup& in) {
  auto made = made_list{};
  auto done = tl::expected<void, step_failure>{};
  if (in.scope.unit.empty()) // else systemd has made it
    done = make_dirs(in, made);
  if (done)
    done = apply(in);
  if (!done)
    made.unmake();
  return done;
}

tl::expected<entrance, step_failure> open_entrance(const plan::cgroup& in) {
  auto out = entrance{};
  for (auto i = std::size_t{0}; i < in.dirs.size(); ++i) {
    const auto& dir = in.dirs[i];
    const auto path = directory_of(dir) + (is_v2(dir) ? "" : "/tasks");
    auto fd = sys::open_file(AT_FDCWD, path,
                             is_v2(dir) ? O_RDONLY | O_DIRECTORY : O_WRONLY);
    if (!fd)
      return failed(plan::phase::cgroup_place, i, fd.error().os_errno, path);
    if (is_v2(dir))
      out.v2_dir = *std::move(fd);
    else
      out.v1_tasks.push_back(*std::move(fd));
  }
  return out;
}

tl::expected<void, step_failure> enter_v1(const entrance& through) noexcept {
  for (auto i = std::size_t{0}; i < through.v1_tasks.size(); ++i)
    if (::write(through.v1_tasks[i].get(), "0", 1) != 1)
      return failed(plan::phase::cgroup_place, i, errno, {});
  return {};
}

} // namespace troupe::cgroup
