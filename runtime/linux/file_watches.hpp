#pragma once

#include "config/base/result.hpp"
#include "runtime/linux/poller.hpp"
#include "runtime/linux/watched_fd.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace troupe::sys {

/// Changes of any number of files, through one inotify(7) descriptor of a
/// poller, which must outlive it. Kernfs files that notify (cgroup v2's
/// memory.events) are files to it.
class file_watches {
public:
  /// On the poller's thread. Must not end a watch.
  using callback = std::function<void()>;

  [[nodiscard]] static result<std::unique_ptr<file_watches>> start(poller& by);

  /// Ends with this handle, which the file_watches must outlive.
  class watch {
  public:
    watch() noexcept = default;
    watch(watch&& other) noexcept;
    watch& operator=(watch&& other) noexcept;
    ~watch();

    explicit operator bool() const noexcept {
      return of_ != nullptr;
    }

  private:
    friend file_watches;
    watch(file_watches* of, int descriptor, std::uint64_t token) noexcept
      : of_(of), descriptor_(descriptor), token_(token) {
    }
    file_watches* of_ = nullptr;
    int descriptor_ = -1;
    std::uint64_t token_ = 0;
  };

  /// Calls `changed` each time that the file at `path` has changed, perhaps
  /// once for several changes. Any thread.
  [[nodiscard]] result<watch> add(const std::string& path, callback changed);

private:
  file_watches() = default;
  void serve();
  void call_back(int descriptor);
  void forget(int descriptor, std::uint64_t token) noexcept;

  watched_fd inotify_;
  std::mutex guard_;
  std::uint64_t last_ = 0;
  /// By inotify's descriptor, of which each file has one; and by token.
  std::map<int, std::map<std::uint64_t, callback>> watches_;
};

} // namespace troupe::sys
