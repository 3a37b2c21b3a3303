#pragma once

#include "config/base/result.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <cstdint>
#include <string>
#include <sys/types.h>

namespace troupe::shim {

/// A process's files for tools that know conmon's: `attach`, a SOCK_SEQPACKET
/// socket (`packets` in frames.hpp); `pid`, its pid; `exit`, its exit code,
/// which is there whole or not at all.
class process_files {
public:
  /// No files.
  process_files() = default;

  /// `prefix`: a directory and what each name begins with.
  explicit process_files(const std::string& prefix);

  template <class Way>
  void hand_over(Way& with) {
    with(directory_, name_);
  }

  explicit operator bool() const noexcept {
    return !directory_.empty();
  }

  /// The `attach` socket, mode 0600. Its path may be longer than a socket's
  /// address can be: the directory is opened for it.
  [[nodiscard]] result<sys::unique_fd> listen() const;

  [[nodiscard]] outcome write_pid(pid_t pid) const;
  [[nodiscard]] outcome write_exit(std::int32_t code) const;

  /// Nobody can attach any more.
  void remove_socket() const noexcept;

  void remove_all() const noexcept;

private:
  [[nodiscard]] std::string path_of(const char* name) const {
    return directory_ + name_ + name;
  }
  [[nodiscard]] outcome write(const char* name, const std::string& text) const;

  std::string directory_; ///< With its final slash.
  std::string name_;
};

} // namespace troupe::shim
