#include "runtime/linux/rootfs.hpp"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace troupe::sys {

namespace {

/// openat2(2) gives EAGAIN when a rename or mount elsewhere raced with `..`.
constexpr int openat2_attempts = 32;

/// As many dangling symlinks in one path as the kernel follows living ones.
constexpr int max_dangling = 40;

struct split_path {
  std::string directory;
  std::string name;
};

split_path split(const std::string& clean) {
  const auto slash = clean.rfind('/');
  return {slash == 0 ? "/" : clean.substr(0, slash), clean.substr(slash + 1)};
}

result<std::string> link_text(int directory, const std::string& name) {
  char text[PATH_MAX];
  const auto n = ::readlinkat(directory, name.c_str(), text, sizeof(text));
  if (n < 0)
    return fail_os(errno, "readlinkat", name);
  return std::string{text, static_cast<std::size_t>(n)};
}

/// Where a symlink at `path` leads.
std::string beside(const std::string& path, const std::string& link) {
  return lexically_clean(
    link.starts_with('/') ? link : split(path).directory + "/" + link);
}

result<unique_fd> make_directory(int root, const std::string& path,
                                 symlinks links, int dangling) {
  constexpr auto how = O_PATH | O_DIRECTORY;
  auto there = open_in_root(root, path, how, links);
  if (there || there.error().os_errno != ENOENT || path == "/")
    return there;
  const auto [directory, name] = split(path);
  TROUPE_TRY(const auto parent,
             make_directory(root, directory, links, dangling));
  if (::mkdirat(parent.get(), name.c_str(), 0755) != 0 && errno != EEXIST)
    return fail_os(errno, "mkdir", path);
  auto made = open_in_root(root, path, how, links);
  if (made || made.error().os_errno != ENOENT)
    return made;
  if (dangling == max_dangling)
    return fail_os(ELOOP, "mkdir", path);
  TROUPE_TRY(const auto link, link_text(parent.get(), name));
  return make_directory(root, beside(path, link), links, dangling + 1);
}

result<unique_fd> make_file(int root, const std::string& path, int dangling) {
  auto there = open_in_root(root, path, O_PATH);
  if (there || there.error().os_errno != ENOENT)
    return there;
  TROUPE_TRY(const auto where, make_parent(root, path));
  const unique_fd made{::openat(
    where.directory.get(), where.name.c_str(),
    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC, 0644)};
  if (made)
    // Not the path once more: somebody may have put a link there meanwhile.
    return open_in_root(where.directory.get(), where.name, O_PATH,
                        symlinks::refuse);
  if (errno != EEXIST)
    return fail_os(errno, "create", path);
  if (dangling == max_dangling)
    return fail_os(ELOOP, "create", path);
  auto link = link_text(where.directory.get(), where.name);
  if (!link) // it has come into being meanwhile
    return open_in_root(root, path, O_PATH);
  return make_file(root, beside(path, *link), dangling + 1);
}

} // namespace

std::string lexically_clean(const std::string& path) {
  const auto is_clean = path.starts_with('/') && !path.ends_with('/')
                        && path.find("//") == std::string::npos
                        && path.find("/.") == std::string::npos;
  if (is_clean)
    return path;
  auto out = std::filesystem::path{"/" + path}.lexically_normal().string();
  while (out.starts_with("//"))
    out.erase(0, 1);
  while (out.size() > 1 && out.ends_with('/'))
    out.pop_back();
  return out;
}

result<unique_fd> open_in_root(int root, const std::string& path, int flags,
                               symlinks links) {
  auto how = open_how{};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  if (links == symlinks::refuse)
    how.resolve |= RESOLVE_NO_SYMLINKS;
  for (auto attempt = 1;; ++attempt) {
    const auto fd = ::syscall(SYS_openat2, root, path.c_str(), &how,
                              sizeof(how));
    if (fd >= 0)
      return unique_fd{static_cast<int>(fd)};
    if (errno != EINTR && (errno != EAGAIN || attempt == openat2_attempts))
      return fail_os(errno, "openat2", path);
  }
}

result<unique_fd> make_directory(int root, const std::string& path,
                                 symlinks links) {
  return make_directory(root, lexically_clean(path), links, 0);
}

result<place> make_parent(int root, const std::string& path) {
  auto [directory, name] = split(lexically_clean(path));
  TROUPE_TRY(auto parent, make_directory(root, directory));
  return place{std::move(parent), std::move(name)};
}

result<unique_fd> make_file(int root, const std::string& path) {
  return make_file(root, lexically_clean(path), 0);
}

} // namespace troupe::sys
