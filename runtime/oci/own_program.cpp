#include "runtime/oci/own_program.hpp"

#include "runtime/linux/file.hpp"
#include "runtime/linux/memfd.hpp"
#include "runtime/linux/mount.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace troupe::oci_runtime {

namespace {

namespace fs = std::filesystem;

constexpr auto own_file = "/proc/self/exe";

/// Says to the program that is executed which mount it runs from. Not a secret:
/// who could forge it starts troupe-oci, and with what file they like.
constexpr auto mount_variable = "TROUPE_OCI_MOUNT";

/// And where its file is.
constexpr auto directory_variable = "TROUPE_OCI_DIRECTORY";

std::string found_directory; ///< As the variable had it.

struct identity {
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::uint64_t mount = 0;
};

result<identity> identity_of(int fd) {
  struct statx info {};
  constexpr auto wanted = STATX_INO | STATX_SIZE | STATX_MNT_ID;
  if (::statx(fd, "", AT_EMPTY_PATH, wanted, &info) != 0)
    return fail_os(errno, "statx", own_file);
  return identity{info.stx_ino, info.stx_size, info.stx_mnt_id};
}

bool is_sealed_memfd(int own) {
  const auto seals = ::fcntl(own, F_GET_SEALS);
  return seals >= 0 && (seals & F_SEAL_WRITE) != 0;
}

/// Whether this is the mount that `read_only_view` made for us.
bool is_read_only_view(int own) {
  const auto* const named = std::getenv(mount_variable);
  if (named == nullptr)
    return false;
  struct statfs about {};
  const auto who = identity_of(own);
  const auto is = who && named == std::to_string(who->mount)
                  && ::fstatfs(own, &about) == 0
                  && about.f_type == OVERLAYFS_SUPER_MAGIC
                  && (about.f_flags & ST_RDONLY) != 0;
  ::unsetenv(mount_variable); // ours alone: not for hooks
  return is;
}

/// The program through a detached overlay of its directory. One without an
/// upper layer can be written by nobody and made writable by nobody, and it
/// shows the pages that every other start has used: a copy into a memfd costs
/// more than the rest of a start's own work. Overlayfs wants two layers; the
/// second only has to be there.
result<sys::unique_fd> read_only_view(const identity& own) {
  std::error_code why;
  const auto path = fs::read_symlink(own_file, why);
  const auto directory = path.parent_path().string();
  if (why || directory.find_first_of(":\\") != std::string::npos)
    return fail_os(EINVAL, "overlay", directory);
  const std::array layers{"lowerdir=" + directory + ":/sys"};
  TROUPE_TRY(const auto view,
             sys::make_filesystem("overlay", "troupe-oci", layers,
                                  MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID
                                    | MOUNT_ATTR_NODEV));
  TROUPE_TRY(auto file,
             sys::open_file(view.get(), path.filename(), O_PATH | O_NOFOLLOW));
  TROUPE_TRY(const auto found, identity_of(file.get()));
  // It may have been replaced meanwhile.
  if (found.inode != own.inode || found.size != own.size)
    return fail_os(ESTALE, "overlay", path.string());
  ::setenv(mount_variable, std::to_string(found.mount).c_str(), 1);
  return file;
}

} // namespace

std::string own_directory() {
  if (!found_directory.empty())
    return found_directory;
  std::error_code why;
  return fs::read_symlink(own_file, why).parent_path().string();
}

outcome run_from_sealed_copy(char** argv) {
  if (const auto* const told = std::getenv(directory_variable)) {
    found_directory = told;
    ::unsetenv(directory_variable); // ours alone: not for hooks
  }
  TROUPE_TRY(const auto own, sys::open_file(AT_FDCWD, own_file, O_RDONLY));
  if (is_sealed_memfd(own.get()) || is_read_only_view(own.get()))
    return {};
  TROUPE_TRY(const auto who, identity_of(own.get()));
  ::setenv(directory_variable, own_directory().c_str(), 1);
  if (const auto view = read_only_view(who))
    ::fexecve(view->get(), argv, environ);
  ::unsetenv(mount_variable);
  // An ordinary user may not mount, and a kernel may lack overlayfs.
  TROUPE_TRY(const auto copy, sys::sealed_copy("troupe-oci", own_file));
  ::fexecve(copy.get(), argv, environ);
  return fail_os(errno, "execute", "the sealed copy of troupe-oci");
}

} // namespace troupe::oci_runtime
