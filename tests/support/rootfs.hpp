#pragma once

#include "runtime/plan/launch_plan.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <linux/magic.h>
#include <sched.h>
#include <string>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace troupe::test {

/// A bundle in a temporary directory whose root file system holds a static
/// busybox and a link for each of its commands; removed with the object.
class busybox_rootfs {
public:
  busybox_rootfs() {
    char name[] = "/tmp/troupe-test-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    bundle_ = name;
    // User namespaces map their root to an unprivileged user, which has to
    // reach its own root.
    REQUIRE(::chmod(name, 0755) == 0);
    for (const auto* directory :
         {"bin", "etc", "tmp", "proc", "sys", "dev", "root", "data"})
      std::filesystem::create_directories(root() / directory);
    std::filesystem::copy_file("/bin/busybox", root() / "bin/busybox");
    for (const auto* command :
         {"sh",    "cat",      "ls",    "echo",     "true", "false", "id",
          "pwd",   "hostname", "mount", "sleep",    "stat", "test",  "touch",
          "env",   "readlink", "wc",    "ifconfig", "ip",   "grep",  "chmod",
          "mkdir", "printenv", "kill",  "ps"})
      std::filesystem::create_symlink("busybox", root() / "bin" / command);
    write("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
  }

  busybox_rootfs(const busybox_rootfs&) = delete;
  busybox_rootfs& operator=(const busybox_rootfs&) = delete;

  ~busybox_rootfs() {
    auto ignored = std::error_code{};
    std::filesystem::remove_all(bundle_, ignored);
  }

  [[nodiscard]] std::string bundle() const {
    return bundle_.string();
  }

  [[nodiscard]] std::string path() const {
    return root().string();
  }

  [[nodiscard]] std::filesystem::path root() const {
    return bundle_ / "rootfs";
  }

  /// Writes a file below the root; `path` is relative.
  void write(const std::string& path, const std::string& content) const {
    std::ofstream{root() / path} << content;
  }

private:
  std::filesystem::path bundle_;
};

inline plan::mount filesystem(const std::string& type,
                              const std::string& target,
                              std::uint64_t attributes,
                              std::vector<std::string> data = {}) {
  auto out = plan::mount{};
  out.type = type;
  out.source = type;
  out.target = target;
  out.attr_set = attributes;
  out.data = std::move(data);
  return out;
}

inline plan::mount bind(const std::string& source, const std::string& target,
                        std::uint64_t attributes = 0) {
  auto out = plan::mount{};
  out.kind = plan::mount_kind::bind;
  out.type = "bind";
  out.source = source;
  out.target = target;
  out.recursive = true;
  out.attr_set = attributes;
  out.propagation = MS_PRIVATE;
  out.propagation_recursive = true;
  return out;
}

/// The plan of an ordinary container that runs `args`: own namespaces of every
/// kind but user, cgroup and time, the usual mounts and devices, no cgroup.
inline plan::launch_plan default_plan(const busybox_rootfs& fs,
                                      std::vector<std::string> args) {
  constexpr auto quiet = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC
                         | MOUNT_ATTR_NODEV;
  auto out = plan::launch_plan{};
  out.id = fs.bundle().substr(5);
  out.bundle = fs.bundle();
  out.oci_version = "1.3.0";
  out.namespaces.clone_flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET
                               | CLONE_NEWIPC | CLONE_NEWUTS;
  out.hostname = "box";
  out.loopback_up = true;
  out.rootfs.path = fs.path();
  out.rootfs.host_propagation = MS_SLAVE;
  out.rootfs.propagation = MS_PRIVATE | MS_REC;
  out.rootfs.mounts = {
    filesystem("proc", "/proc", quiet),
    filesystem("tmpfs", "/dev", MOUNT_ATTR_NOSUID, {"mode=755", "size=65536k"}),
    filesystem("devpts", "/dev/pts", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
               {"newinstance", "ptmxmode=0666", "mode=0620"}),
    filesystem("sysfs", "/sys", quiet | MOUNT_ATTR_RDONLY),
    filesystem("tmpfs", "/dev/shm", quiet, {"mode=1777", "size=65536k"}),
    filesystem("mqueue", "/dev/mqueue", quiet),
  };
  const auto node = [](const char* path, std::uint32_t minor,
                       std::uint32_t major = 1) {
    return plan::device{path, S_IFCHR | 0666, major, minor, 0, 0, ""};
  };
  out.rootfs.devices = {node("/dev/null", 3),    node("/dev/zero", 5),
                        node("/dev/full", 7),    node("/dev/random", 8),
                        node("/dev/urandom", 9), node("/dev/tty", 0, 5)};
  out.rootfs.symlinks = {{"/dev/fd", "/proc/self/fd"},
                         {"/dev/stdin", "/proc/self/fd/0"},
                         {"/dev/stdout", "/proc/self/fd/1"},
                         {"/dev/stderr", "/proc/self/fd/2"},
                         {"/dev/ptmx", "pts/ptmx"}};
  out.process.args = std::move(args);
  out.process.env = {"PATH=/bin"};
  out.process.cwd = "/";
  return out;
}

} // namespace troupe::test
