#include "bench/measure/options.hpp"

#include <catch2/catch.hpp>

namespace troupe::options_test {

using namespace troupe::bench;

namespace {

parsed parse(std::vector<std::string> words) {
  return parse_options(std::move(words), {"start", "exec", "memory"});
}

} // namespace

TEST_CASE("without words everything is measured, beside everyone") {
  const auto x = parse({});
  CHECK(x.exit_code == -1);
  CHECK(x.with.scenarios.empty());
  CHECK(x.with.wants_peer("runc"));
  CHECK(x.with.wants_peer("containerd"));
  CHECK_FALSE(x.with.quick);
}

TEST_CASE("scenarios and peers can be chosen") {
  const auto x = parse(
    {"start", "--peers", "runc,crun", "memory", "--quick", "--out", "/tmp/x"});
  REQUIRE(x.exit_code == -1);
  CHECK(x.with.scenarios == std::vector<std::string>{"start", "memory"});
  CHECK(x.with.peers == std::vector<std::string>{"runc", "crun"});
  CHECK_FALSE(x.with.wants_peer("podman"));
  CHECK(x.with.quick);
  CHECK(x.with.out == "/tmp/x");
}

TEST_CASE("no peers at all can be chosen") {
  const auto x = parse({"--peers", "none"});
  CHECK(x.exit_code == -1);
  CHECK(x.with.peers.empty());
}

TEST_CASE("unknown words are refused by name") {
  for (const auto& words : std::vector<std::vector<std::string>>{
         {"stert"}, {"--peers", "docker"}, {"--frob"}, {"--compare", "a"}}) {
    const auto x = parse(words);
    INFO(x.said);
    CHECK(x.exit_code == 2);
    CHECK(x.said.size() > 10);
  }
}

TEST_CASE("help is told on stdout") {
  const auto x = parse({"--help"});
  CHECK(x.exit_code == 0);
  CHECK(x.said.find("--quick") != std::string::npos);
}

TEST_CASE("two reports can be compared") {
  const auto x = parse({"--compare", "a.json", "b.json"});
  REQUIRE(x.exit_code == -1);
  CHECK(x.with.compare == std::vector<std::string>{"a.json", "b.json"});
}

} // namespace troupe::options_test
