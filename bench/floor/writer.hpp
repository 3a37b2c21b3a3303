#pragma once

#include "bench/floor/recipe.hpp"

namespace troupe::floor {

/// Appends calls to a recipe and owns their strings there.
class writer {
public:
  writer(const plan::launch_plan& plan, const std::string& suffix, recipe& out)
    : plan_(plan), suffix_(suffix), out_(out) {
  }

  [[nodiscard]] outcome cgroups();     ///< before, after, and entering
  void namespaces();                   ///< their own properties
  [[nodiscard]] outcome file_system(); ///< mounts, devices, pivot, masks
  [[nodiscard]] outcome process();     ///< from the keyring to execve

private:
  const char* keep(std::string text) {
    return out_.texts.emplace_back(std::move(text)).c_str();
  }
  void inside(call x) {
    out_.inside.push_back(x);
  }
  static void write(std::vector<call>& to, const char* file, const char* text);

  [[nodiscard]] std::string own(const plan::cgroup_dir& dir) const {
    return dir.mount + dir.path + suffix_;
  }
  [[nodiscard]] outcome limits();
  [[nodiscard]] outcome place(const plan::mount& mount);
  void place_cgroups(const plan::mount& mount, unsigned long flags);
  void make_target(const std::string& path);
  void mask(const std::string& path);
  void make_readonly(const std::string& path);
  void bounding();
  void identity();

  const plan::launch_plan& plan_;
  std::string suffix_;
  recipe& out_;
  std::vector<std::string> fresh_; ///< Targets of tmpfs: nothing is in them.
  const char* covered_ = nullptr;  ///< The first masked directory.
};

/// "/proc/sys" as seen from the container's root, where the calls are made.
[[nodiscard]] inline std::string below_root(const std::string& path) {
  return path.size() > 1 ? path.substr(1) : ".";
}

/// MOUNT_ATTR_* as MS_*.
[[nodiscard]] unsigned long mount_flags(std::uint64_t attributes) noexcept;

} // namespace troupe::floor
