#pragma once

#include "runtime/log/cri.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <sstream>
#include <string>
#include <sys/mount.h>
#include <utility>

namespace troupe::test {

/// A log put together again: the texts of one stream's records, with the
/// newlines of the full ones.
inline std::string text_of(const std::string& log, log::stream wanted) {
  std::string out;
  std::istringstream lines{log};
  for (std::string line; std::getline(lines, line);) {
    const auto record = log::parse(line);
    REQUIRE(record);
    if (record->stream != wanted)
      continue;
    out.append(record->text);
    if (!record->partial)
      out.append("\n");
  }
  return out;
}

/// A file system with room for a few pages only.
class small_disk {
public:
  explicit small_disk(std::string at) : path_(std::move(at)) {
    std::filesystem::create_directory(path_);
    REQUIRE(::mount("tmpfs", path_.c_str(), "tmpfs", 0, "size=64k") == 0);
  }

  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;

  ~small_disk() {
    ::umount2(path_.c_str(), MNT_DETACH);
  }

  [[nodiscard]] std::string operator/(const std::string& name) const {
    return path_ + "/" + name;
  }

private:
  std::string path_;
};

} // namespace troupe::test
