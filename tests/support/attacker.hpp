#pragma once

#include "tests/support/oci_box.hpp"
#include "tests/support/rootfs.hpp"
#include "tests/support/shim_client.hpp"

#include <map>
#include <set>
#include <string>
#include <sys/stat.h>
#include <utility>

namespace troupe::test {

/// What one file is, whatever its name.
using file_identity = std::pair<dev_t, ino_t>;

inline file_identity identity_of(const std::string& path) {
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return {info.st_dev, info.st_ino};
}

/// tests/attacker/attacker.cpp in a container's root, and what it says that it
/// got.
class attacker {
public:
  explicit attacker(const busybox_rootfs& fs) : data_(fs.path() + "/data") {
    std::filesystem::copy_file(std::string{TROUPE_BIN_DIR} + "/troupe-attacker",
                               fs.root() / "bin/attacker");
    REQUIRE(::chmod(data_.c_str(), 0777) == 0);
  }

  /// The container's program. It ends at SIGTERM.
  static std::vector<std::string> args() {
    return {"/bin/attacker", "/data/report"};
  }

  void wait_until_ready() const {
    REQUIRE(eventually([this] {
      return ::access((data_ + "/report.ready").c_str(), F_OK) == 0;
    }));
  }

  /// After SIGTERM.
  void read_report() {
    REQUIRE(eventually(
      [this] { return ::access((data_ + "/report").c_str(), F_OK) == 0; }));
    text = file_content(data_ + "/report");
    std::istringstream lines{text};
    for (std::string name; lines >> name;) {
      if (name != "reached") {
        lines >> counts[name];
        continue;
      }
      std::string what;
      char colon = 0;
      file_identity file;
      lines >> what >> file.first >> colon >> file.second;
      reached[what].insert(file);
    }
  }

  /// How often that happened.
  [[nodiscard]] long count(const std::string& what) const {
    const auto found = counts.find(what);
    return found == counts.end() ? 0 : found->second;
  }

  std::string text;
  std::map<std::string, long> counts;
  /// The tops of the directories, by how it got hold of them.
  std::map<std::string, std::set<file_identity>> reached;

private:
  std::string data_;
};

/// Runs it as container "web", until it is ready for those who join.
inline void start(oci_box& box, const attacker& hostile,
                  std::vector<std::string> args = attacker::args()) {
  box.spec.process->args = std::move(args);
  box.write();
  box.create("web");
  REQUIRE(box.call({"start", "web"}).exit_code == 0);
  hostile.wait_until_ready();
}

} // namespace troupe::test
