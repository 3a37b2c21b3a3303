#include "runtime/linux/proc_info.hpp"
#include "tests/support/oci_box.hpp"
#include "tests/support/repeats.hpp"

#include <thread>

namespace troupe::oci_race_test {

using Catch::Contains;
using test::oci_box;

namespace {

/// What a loser of a race may be told.
bool is_expected(const std::string& text) {
  for (const auto* each :
       {"already exists", "does not exist", "cannot start", "not stopped",
        "container not running", "unable to start container process",
        "ECONNREFUSED", "init still running"})
    if (text.find(each) != std::string::npos)
      return true;
  return false;
}

/// One contender's errors that nobody could expect.
std::vector<std::string> contend(const oci_box& box, int which) {
  std::vector<std::string> strange;
  for (auto round = 0; round < test::repeats(6); ++round)
    for (const auto& words : {std::vector<std::string>{"create", "--bundle",
                                                       box.fs.bundle(), "web"},
                              {"start", "web"},
                              {"state", "web"},
                              {"delete", "--force", "web"}}) {
      const auto err = box.directory / ("err" + std::to_string(which));
      std::vector<std::string> all{"/bin/sh",
                                   "-c",
                                   "exec \"$@\" </dev/null >/dev/null 2>" + err,
                                   "sh",
                                   oci_box::program(),
                                   "--root",
                                   box.root()};
      all.insert(all.end(), words.begin(), words.end());
      const auto done = test::run(all);
      const auto said = box.directory.read("err" + std::to_string(which));
      if (done.exit_code != 0 && !is_expected(said))
        strange.push_back(words.front() + ": " + said);
    }
  return strange;
}

} // namespace

TEST_CASE("eight processes that race for one id corrupt and leave nothing") {
  const oci_box box;
  std::vector<std::vector<std::string>> strange(8);
  std::vector<std::thread> contenders;
  for (auto i = 0; i < 8; ++i)
    contenders.emplace_back(
      [&, i] { strange[static_cast<std::size_t>(i)] = contend(box, i); });
  for (auto& each : contenders)
    each.join();
  for (const auto& each : strange)
    CHECK(each == std::vector<std::string>{});
  REQUIRE(box.call({"delete", "--force", "web"}).exit_code == 0);
  CHECK(box.leftovers() == std::vector<std::string>{});
}

TEST_CASE("of two starts one is refused") {
  const oci_box box;
  box.create("web");
  std::array<int, 4> codes{};
  std::vector<std::thread> starters;
  for (auto& code : codes)
    starters.emplace_back([&] { code = box.call({"start", "web"}).exit_code; });
  for (auto& each : starters)
    each.join();
  CHECK(std::ranges::count(codes, 0) == 1);
  CHECK(std::ranges::count(codes, 1) == 3);
  CHECK(box.status("web") == "running");
}

TEST_CASE(
  "a state file that is cut in half is reported, and removed by force") {
  const oci_box box;
  box.create("web");
  const auto file = box.files_of("web") + "/state.json";
  const auto whole = std::filesystem::file_size(file);
  const auto pid = box.state("web").at("pid").get<int>();
  SECTION("half") {
    std::filesystem::resize_file(file, whole / 2);
  }
  SECTION("gone") {
    std::filesystem::remove(file);
  }
  SECTION("without a plan either") {
    std::filesystem::resize_file(file, 0);
    std::filesystem::resize_file(box.files_of("web") + "/plan.cbor", 7);
  }
  const auto said = box.call({"--log-format", "json", "state", "web"});
  CHECK(said.exit_code == 1);
  CHECK_THAT(nlohmann::json::parse(said.err).at("msg").get<std::string>(),
             Contains(file) && Contains("damaged"));
  CHECK_THAT(box.call({"list"}).out, Contains("damaged"));
  CHECK(box.call({"delete", "web"}).exit_code == 1);
  const auto removed = box.call({"delete", "--force", "web"});
  INFO(removed.err);
  CHECK(removed.exit_code == 0);
  CHECK(box.leftovers() == std::vector<std::string>{});
  const auto process = sys::read_process(pid); // its cgroup led to it
  CHECK((!process || process->state == "Z"));
}

TEST_CASE("a pid that is somebody else's now is not the container",
          "[rule-6]") {
  const oci_box box;
  box.create("web");
  const auto file = box.files_of("web") + "/state.json";
  auto text = nlohmann::json::parse(
    box.directory.read(file.substr(box.directory.path().size() + 1)));
  text["pid"] = ::getpid();
  std::ofstream{file} << text.dump();
  CHECK(box.status("web") == "stopped");
  CHECK(box.call({"kill", "web", "9"}).exit_code == 1); // we live on
  CHECK(box.call({"delete", "web"}).exit_code == 0);
}

} // namespace troupe::oci_race_test
