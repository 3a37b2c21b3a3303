#include "runtime/oci/lines.hpp"

#include "runtime/linux/file.hpp"

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace troupe::oci_runtime {

namespace {

constexpr auto first_extra = 3;
constexpr mode_t pid_file_mode = 0644;

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos)
    return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

} // namespace

result<sys::unique_fd> connect_console(const std::string& path) {
  if (path.empty())
    return sys::unique_fd{};
  // By its directory's descriptor: sun_path has room for 107 bytes only.
  TROUPE_TRY(const auto directory, sys::open_file(AT_FDCWD, directory_of(path),
                                                  O_PATH | O_DIRECTORY));
  const auto near = "/proc/self/fd/" + std::to_string(directory.get()) + "/"
                    + path.substr(path.rfind('/') + 1);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (near.size() >= sizeof address.sun_path)
    return fail_os(ENAMETOOLONG, "console socket", path);
  std::memcpy(address.sun_path, near.c_str(), near.size() + 1);
  sys::unique_fd out{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!out)
    return fail_os(errno, "socket", path);
  if (::connect(out.get(), reinterpret_cast<const sockaddr*>(&address),
                sizeof address)
      != 0)
    return fail_os(errno, "connect to console socket", path);
  return out;
}

int pass_listen_fds(plan::process& to) {
  const auto* text = ::getenv("LISTEN_FDS"); // NOLINT: one thread
  auto count = 0;
  if (text == nullptr
      || std::from_chars(text, text + std::strlen(text), count).ec
           != std::errc{}
      || count <= 0)
    return 0;
  to.env.push_back("LISTEN_FDS=" + std::to_string(count));
  to.env.emplace_back("LISTEN_PID=1");
  return count;
}

outcome check_preserved(int count) {
  for (auto fd = first_extra; fd < first_extra + count; ++fd)
    if (::fcntl(fd, F_GETFD) < 0)
      return fail_os(errno, "--preserve-fds",
                     "descriptor " + std::to_string(fd));
  return {};
}

outcome write_pid_file(const std::string& path, pid_t pid) {
  const auto fresh = directory_of(path) + "/."
                     + path.substr(path.rfind('/') + 1) + "."
                     + std::to_string(::getpid());
  {
    const sys::unique_fd file{::open(
      fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, pid_file_mode)};
    const auto text = std::to_string(pid);
    if (!file || ::write(file.get(), text.data(), text.size()) < 0)
      return fail_os(errno, "write pid file", path);
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0)
    return fail_os(errno, "rename pid file", path);
  return {};
}

} // namespace troupe::oci_runtime
