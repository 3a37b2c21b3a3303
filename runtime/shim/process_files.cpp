#include "runtime/shim/process_files.hpp"

#include "runtime/linux/file.hpp"
#include "runtime/linux/seqpacket.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace troupe::shim {

process_files::process_files(const std::string& prefix)
  : directory_(prefix.substr(0, prefix.rfind('/') + 1)),
    name_(prefix.substr(directory_.size())) {
}

result<sys::unique_fd> process_files::listen() const {
  TROUPE_TRY(const auto directory,
             sys::open_file(AT_FDCWD, directory_, O_PATH | O_DIRECTORY));
  return sys::seqpacket_listen("/proc/self/fd/"
                               + std::to_string(directory.get()) + "/" + name_
                               + "attach");
}

outcome process_files::write_pid(pid_t pid) const {
  return write("pid", std::to_string(pid));
}

outcome process_files::write_exit(std::int32_t code) const {
  return write("exit", std::to_string(code));
}

outcome process_files::write(const char* name, const std::string& text) const {
  return sys::replace_file(AT_FDCWD, path_of(name), text);
}

void process_files::remove_socket() const noexcept {
  if (*this)
    ::unlink(path_of("attach").c_str());
}

void process_files::remove_all() const noexcept {
  if (!*this)
    return;
  for (const auto* name : {"attach", "pid", "exit"})
    ::unlink(path_of(name).c_str());
}

} // namespace troupe::shim
