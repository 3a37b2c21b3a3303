#pragma once

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

/// Texts that tests compare with what lies beside their input in
/// tests/golden. TROUPE_UPDATE_GOLDEN=1 in the environment writes them anew;
/// the difference is then reviewed like code.
namespace troupe::test {

inline std::filesystem::path golden_dir() {
  return std::filesystem::path{TROUPE_SOURCE_DIR} / "tests" / "golden";
}

inline std::string content(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  INFO(file);
  REQUIRE(in);
  return {std::istreambuf_iterator<char>{in}, {}};
}

inline void check_golden(const std::filesystem::path& file,
                         const std::string& text) {
  if (std::getenv("TROUPE_UPDATE_GOLDEN"))
    std::ofstream{file, std::ios::binary} << text;
  INFO(file << " (TROUPE_UPDATE_GOLDEN=1 rewrites it)");
  CHECK(text == content(file));
}

} // namespace troupe::test
