#include "runtime/cgroup/tree.hpp"

#include "runtime/linux/file.hpp"
#include "runtime/linux/pidfd.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <dirent.h>
#include <memory>
#include <unistd.h>

namespace troupe::cgroup {

namespace {

/// Pinned at once; a soft RLIMIT_NOFILE is often 1024.
constexpr auto batch_size = std::size_t{128};

/// Bounds the hunt for a fork bomb that is not frozen.
constexpr auto max_rounds = 1000;

/// More pids than pid_max's limit of 4 million fit in this.
constexpr auto max_procs_file = std::size_t{64} << 20;

struct close_dir {
  void operator()(DIR* dir) const noexcept {
    ::closedir(dir);
  }
};

void add_pids(std::vector<pid_t>& to, std::string_view text) {
  const auto* at = text.data();
  const auto* const end = at + text.size();
  for (auto pid = pid_t{0}; at < end; ++at) {
    const auto [next, error] = std::from_chars(at, end, pid);
    if (error == std::errc{} && pid > 0)
      to.push_back(pid);
    at = next;
  }
}

struct pinned {
  pid_t pid;
  sys::unique_fd fd;
};

std::vector<pinned> pin(const std::vector<pid_t>& pids,
                        const std::set<pid_t>& done) {
  auto out = std::vector<pinned>{};
  for (const auto pid : pids) {
    if (done.contains(pid))
      continue;
    if (auto fd = sys::open_pidfd(pid); fd)
      out.push_back({pid, *std::move(fd)});
    if (out.size() == batch_size)
      break;
  }
  return out;
}

/// One batch; the number of processes in it.
result<std::size_t> some_below(const std::string& top, std::set<pid_t>& done,
                               const process_action& act) {
  TROUPE_TRY(const auto listed, processes_below(top));
  const auto batch = pin(listed, done);
  if (batch.empty())
    return std::size_t{0};
  TROUPE_TRY(const auto still, processes_below(top));
  for (const auto& [pid, fd] : batch) {
    done.insert(pid);
    if (!std::ranges::binary_search(still, pid))
      continue;
    if (auto acted = act(pid, fd.get());
        !acted && acted.error().os_errno != ESRCH)
      return fail(std::move(acted).error());
  }
  return batch.size();
}

} // namespace

std::string directory_of(const plan::cgroup_dir& dir) {
  return dir.mount + dir.path;
}

bool is_v2(const plan::cgroup_dir& dir) noexcept {
  return dir.controller.empty();
}

result<std::vector<std::string>> entries(const std::string& of,
                                         unsigned char type) {
  TROUPE_TRY(auto fd, sys::open_file(AT_FDCWD, of, O_RDONLY | O_DIRECTORY));
  const auto dir = std::unique_ptr<DIR, close_dir>{::fdopendir(fd.get())};
  if (!dir)
    return fail_os(errno, "fdopendir", of);
  static_cast<void>(fd.release()); // now the stream's
  std::vector<std::string> out;
  errno = 0;
  while (const auto* entry = ::readdir(dir.get()))
    if (const auto name = std::string_view{entry->d_name};
        entry->d_type == type && name != "." && name != "..")
      out.emplace_back(name);
  if (errno != 0)
    return fail_os(errno, "readdir", of);
  return out;
}

result<std::vector<std::string>> subtree(const std::string& top) {
  auto out = std::vector<std::string>{top};
  for (auto i = std::size_t{0}; i < out.size(); ++i) {
    const auto parent = out[i];
    auto names = entries(parent, DT_DIR);
    if (!names && (i == 0 || names.error().code != fault::not_found))
      return fail(std::move(names).error());
    for (const auto& name : names.value_or(std::vector<std::string>{}))
      out.push_back(std::string{parent}.append("/").append(name));
  }
  return out;
}

result<std::vector<pid_t>> processes_below(const std::string& top) {
  TROUPE_TRY(const auto dirs, subtree(top));
  auto out = std::vector<pid_t>{};
  for (const auto& dir : dirs) {
    auto text = sys::read_file(AT_FDCWD, dir + "/cgroup.procs", max_procs_file);
    // Gone by now; or a threaded sub-cgroup, whose processes its domain lists.
    const auto passable = text
                          || (dir != top
                              && (text.error().code == fault::not_found
                                  || text.error().os_errno == ENODEV
                                  || text.error().os_errno == EOPNOTSUPP));
    if (!passable)
      return fail(std::move(text).error());
    if (text)
      add_pids(out, *text);
  }
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

outcome each_below(const std::string& top, std::set<pid_t>& done,
                   const process_action& act) {
  for (auto round = 0; round < max_rounds; ++round) {
    TROUPE_TRY(const auto count, some_below(top, done, act));
    if (count == 0)
      return {};
  }
  return fail_os(EAGAIN, "come to the end of the processes of", top);
}

outcome signal_below(const std::string& top, int signo, std::set<pid_t>& done) {
  return each_below(top, done, [signo](pid_t, int pidfd) {
    return sys::send_signal(pidfd, signo);
  });
}

int remove_tree(const std::string& top) {
  if (::rmdir(top.c_str()) == 0 || errno == ENOENT)
    return 0;
  if (errno != EBUSY)
    return errno;
  const auto dirs = subtree(top);
  if (!dirs)
    return dirs.error().os_errno == ENOENT ? 0 : dirs.error().os_errno;
  for (auto dir = dirs->rbegin(); dir != dirs->rend(); ++dir)
    if (::rmdir(dir->c_str()) != 0 && errno != ENOENT)
      return errno;
  return 0;
}

std::string_view field_of(std::string_view text,
                          std::string_view key) noexcept {
  while (!text.empty()) {
    const auto size = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, size);
    text.remove_prefix(std::min(size + 1, text.size()));
    if (line.size() > key.size() && line.starts_with(key)
        && line[key.size()] == ' ')
      return line.substr(key.size() + 1);
  }
  return {};
}

} // namespace troupe::cgroup
