#include "runtime/compile/compile.hpp"
#include "runtime/oci/filters.hpp"
#include "runtime/plan/kept_filter.hpp"
#include "tests/support/scratch_directory.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <iterator>
#include <span>
#include <sys/stat.h>

namespace troupe::oci_filters_test {

namespace {

oci::seccomp profile_with(std::uint32_t errno_ret) {
  oci::seccomp out;
  out.default_action = "SCMP_ACT_ALLOW";
  out.syscalls.push_back({.names = {"mount", "umount2"},
                          .action = "SCMP_ACT_ERRNO",
                          .errno_ret = errno_ret,
                          .args = {}});
  return out;
}

std::vector<std::string> files_in(const std::string& directory) {
  std::vector<std::string> out;
  for (const auto& each : std::filesystem::directory_iterator{directory})
    out.push_back(each.path());
  return out;
}

plan::kept_filter decoded(const std::string& text) {
  auto out = plan::decode_kept_filter(
    {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  REQUIRE(out);
  return *std::move(out);
}

std::string encoded(const plan::kept_filter& x) {
  const auto bytes = plan::encode(x);
  return {bytes.begin(), bytes.end()};
}

/// ROOT with one profile in it.
struct kept {
  kept() {
    REQUIRE(filters.get(profile) == expected);
    const auto files = files_in(root / "filters");
    REQUIRE(files.size() == 1);
    name = "filters/" + std::filesystem::path{files[0]}.filename().string();
  }

  test::scratch_directory root;
  oci_runtime::filter_directory filters{root.path()};
  oci::seccomp profile = profile_with(1);
  result<plan::seccomp_filter> expected = plan::compile_seccomp(profile);
  std::string name;
};

} // namespace

TEST_CASE("a compiled seccomp profile is kept for us alone") {
  const kept at;
  struct stat is {};
  REQUIRE(::stat((at.root / at.name).c_str(), &is) == 0);
  CHECK((is.st_mode & 07777) == 0600);
  REQUIRE(::stat((at.root / "filters").c_str(), &is) == 0);
  CHECK((is.st_mode & 07777) == 0700);
  CHECK(decoded(at.root.read(at.name)).filter == *at.expected);
}

TEST_CASE("what is kept is used, and is not compiled again") {
  const kept at;
  auto other = decoded(at.root.read(at.name));
  other.filter.flags = 0x40; // compiling would not give this
  at.root.write(at.name, encoded(other));
  const auto got = at.filters.get(at.profile);
  REQUIRE(got);
  CHECK(got->flags == 0x40);
}

TEST_CASE("what is kept of another profile or compiler, or is damaged, is "
          "compiled again and replaced") {
  const kept at;
  auto other = decoded(at.root.read(at.name));
  other.filter.flags = 0x40;
  auto text = encoded(other);
  SECTION("another profile of the same hash") {
    other.profile += ' ';
    text = encoded(other);
  }
  SECTION("another libseccomp") {
    other.compiler = "0.0.0";
    text = encoded(other);
  }
  SECTION("cut in half") {
    text.resize(text.size() / 2);
  }
  SECTION("empty") {
    text.clear();
  }
  at.root.write(at.name, text);
  CHECK(at.filters.get(at.profile) == at.expected);
  CHECK(decoded(at.root.read(at.name)).filter == *at.expected);
}

TEST_CASE("a profile is compiled where nothing can be kept") {
  const test::scratch_directory root;
  root.write("filters", "a file");
  const auto profile = profile_with(2);
  CHECK(oci_runtime::filter_directory{root.path()}.get(profile)
        == plan::compile_seccomp(profile));
  CHECK(root.read("filters") == "a file");
}

TEST_CASE("a profile that is wrong is not kept") {
  const test::scratch_directory root;
  auto profile = profile_with(1);
  profile.syscalls[0].action = "SCMP_ACT_NOTHING";
  const auto got = oci_runtime::filter_directory{root.path()}.get(profile);
  REQUIRE_FALSE(got);
  CHECK(got.error().what.starts_with("/linux/seccomp/syscalls/0/action"));
  CHECK_FALSE(std::filesystem::exists(root / "filters"));
}

TEST_CASE("kept profiles are bounded") {
  const test::scratch_directory root;
  const oci_runtime::filter_directory filters{root.path()};
  for (auto i = 1U; i <= 70; ++i)
    REQUIRE(filters.get(profile_with(i)));
  CHECK(files_in(root / "filters").size() <= 64);
}

} // namespace troupe::oci_filters_test
