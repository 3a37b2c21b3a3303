#pragma once

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
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

/// The first line that differs, from both sides.
inline std::string first_difference(const std::string& expected,
                                    const std::string& found) {
  std::istringstream old_text{expected};
  std::istringstream new_text{found};
  std::string old_line;
  std::string new_line;
  for (auto number = 1;; ++number) {
    const auto has_old = static_cast<bool>(std::getline(old_text, old_line));
    const auto has_new = static_cast<bool>(std::getline(new_text, new_line));
    if (!has_old && !has_new)
      return "no line differs";
    if (has_old != has_new || old_line != new_line)
      return "line " + std::to_string(number) + ":\n- "
             + (has_old ? old_line : "(end)") + "\n+ "
             + (has_new ? new_line : "(end)");
  }
}

inline void check_golden(const std::filesystem::path& file,
                         const std::string& text) {
  if (std::getenv("TROUPE_UPDATE_GOLDEN"))
    std::ofstream{file, std::ios::binary} << text;
  const auto expected = content(file);
  INFO(file << " (TROUPE_UPDATE_GOLDEN=1 rewrites it), "
            << first_difference(expected, text));
  CHECK((text == expected));
}

} // namespace troupe::test
