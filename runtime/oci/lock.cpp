#include "runtime/oci/lock.hpp"

#include "config/base/container_id.hpp"
#include "runtime/linux/file.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

namespace troupe::oci_runtime {

namespace {

constexpr mode_t private_file = 0600;

outcome wait_for(int fd, int how, const std::string& path) {
  if (TEMP_FAILURE_RETRY(::flock(fd, how)) != 0)
    return fail_os(errno, "flock", path);
  return {};
}

/// Locks ROOT/containers for as long as the result lives.
result<sys::unique_fd> lock_all(const store::directory& in, int how) {
  TROUPE_TRY(auto directory,
             sys::open_file(AT_FDCWD, in.path(), O_RDONLY | O_DIRECTORY));
  TROUPE_CHECK(wait_for(directory.get(), how, in.path()));
  return directory;
}

std::string lock_path(const store::directory& in, const std::string& id) {
  return in.path_of(id) + "/lock";
}

result<sys::unique_fd> open_lock(const store::directory& in,
                                 const std::string& id) {
  const auto path = lock_path(in, id);
  sys::unique_fd file{::open(
    path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, private_file)};
  if (!file)
    return fail_os(errno, "open", path);
  return file;
}

tl::unexpected<failure> absent() {
  return fail(fault::not_found, "container does not exist");
}

} // namespace

result<sys::unique_fd> make_locked(const store::directory& in,
                                   const std::string& id) {
  TROUPE_TRY(const auto all, lock_all(in, LOCK_EX));
  if (const auto made = in.make(id); !made)
    return made.error().code == fault::already_exists
             ? fail(fault::already_exists,
                    "container with given ID already exists: " + id)
             : fail(made.error());
  TROUPE_TRY(auto own, open_lock(in, id));
  // Nobody else can have opened it yet: this does not wait.
  TROUPE_CHECK(wait_for(own.get(), LOCK_EX, lock_path(in, id)));
  return own;
}

result<sys::unique_fd> lock(const store::directory& in, const std::string& id,
                            sharing how) {
  TROUPE_CHECK(checked_id(id));
  auto all = lock_all(in, LOCK_SH);
  if (!all)
    return all.error().code == fault::not_found ? absent() : fail(all.error());
  auto own = open_lock(in, id);
  all->reset();
  if (!own)
    return own.error().code == fault::not_found ? absent() : fail(own.error());
  TROUPE_CHECK(wait_for(own->get(), how == sharing::shared ? LOCK_SH : LOCK_EX,
                        lock_path(in, id)));
  // Whoever had it may have removed the container.
  struct stat now {};
  if (::fstat(own->get(), &now) != 0 || now.st_nlink == 0)
    return absent();
  return own;
}

bool is_locked(const store::directory& in, const std::string& id) {
  const auto path = lock_path(in, id);
  const auto file = sys::open_file(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW);
  return file && ::flock(file->get(), LOCK_SH | LOCK_NB) != 0
         && errno == EWOULDBLOCK;
}

outcome remove_locked(const store::directory& in, const std::string& id) {
  TROUPE_TRY(const auto all, lock_all(in, LOCK_EX));
  return in.remove(id);
}

} // namespace troupe::oci_runtime
