#pragma once

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdlib.h>
#include <string>
#include <system_error>

namespace troupe::test {

/// An empty directory of mode 0700, removed with all that is in it.
class scratch_directory {
public:
  scratch_directory() {
    char name[] = "/tmp/troupe-test-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    path_ = name;
  }

  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;

  ~scratch_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const std::string& path() const noexcept {
    return path_;
  }

  [[nodiscard]] std::string operator/(const std::string& name) const {
    return path_ + '/' + name;
  }

  /// Writes a file; `name` is relative, its directories are made.
  void write(const std::string& name, const std::string& content) const {
    const auto path = std::filesystem::path{path_} / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream{path, std::ios::binary} << content;
  }

  [[nodiscard]] std::string read(const std::string& name) const {
    std::ifstream in{*this / name, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
  }

private:
  std::string path_;
};

} // namespace troupe::test
