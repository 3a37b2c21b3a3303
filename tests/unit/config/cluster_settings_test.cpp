#include "config/settings.hpp"

#include <catch2/catch.hpp>

#include <string>

namespace troupe::cluster_settings_test {

using Catch::Contains;
using Catch::StartsWith;

namespace {

const std::string usual
  = R"("listen": "0.0.0.0:7070", "ca": "/c/ca.pem", "certificate": "/c/a.pem",
       "key": "/c/a.key")";

std::string document(const std::string& members) {
  return "{\"cluster\": {" + members + "}}";
}

/// The failure that `members` of /cluster give; "" if they are right.
std::string complaint(const std::string& members) {
  const auto parsed = parse_settings(document(members));
  return parsed ? "" : parsed.error().what;
}

} // namespace

TEST_CASE("without an address there is no cluster", "[settings][cluster]") {
  const auto none = parse_settings("{}");
  REQUIRE(none);
  CHECK_FALSE(none->cluster.is_on());
  CHECK_THAT(complaint(R"("join": ["b:1"])"), StartsWith("/cluster/listen: "));
}

TEST_CASE("a cluster's settings are read", "[settings][cluster]") {
  const auto parsed = parse_settings(
    document(usual + R"(, "address": "web:7070", "join": ["b:1", "[::1]:2"],
                        "labels": {"zone": "eu-1"}, "heartbeat_ms": 2000,
                        "suspect_after_ms": 5000, "down_after_ms": 9000)"));
  REQUIRE(parsed);
  const auto& x = parsed->cluster;
  CHECK(x.is_on());
  CHECK(x.address == "web:7070");
  CHECK(x.join == std::vector<std::string>{"b:1", "[::1]:2"});
  CHECK(x.labels.at("zone") == "eu-1");
  CHECK(x.heartbeat_ms == 2000);
}

TEST_CASE("mistakes in a cluster's settings are named", "[settings][cluster]") {
  struct row {
    std::string members;
    std::string at;
  };
  for (const auto& [members, at] :
       {row{R"("lisen": ":1")", "/cluster/lisen: expected one of listen, "},
        row{R"("listen": "here", "ca": "/c", "certificate": "/c", "key": "/c")",
            "/cluster/listen: "},
        row{R"("listen": "h:1", "certificate": "/c", "key": "/k")",
            "/cluster/ca: "},
        row{R"("listen": "h:1", "ca": "/c", "certificate": "c", "key": "/k")",
            "/cluster/certificate: "},
        row{usual + R"(, "address": "h:0")", "/cluster/address: "},
        row{usual + R"(, "join": ["a:1", "b"])", "/cluster/join/1: "},
        row{usual + R"(, "labels": {"a b": "c"})", "/cluster/labels: "},
        row{usual + R"(, "labels": {"a": ""})", "/cluster/labels/a: "},
        row{usual + R"(, "heartbeat_ms": 999)", "/cluster/heartbeat_ms: "},
        row{usual + R"(, "suspect_after_ms": 1000)",
            "/cluster/suspect_after_ms: "},
        row{usual + R"(, "down_after_ms": 3000)",
            "/cluster/down_after_ms: "}}) {
    INFO(members);
    CHECK_THAT(complaint(members), StartsWith(at));
  }
}

TEST_CASE("an address has a host and a port", "[settings][cluster]") {
  const auto v6 = parse_host_port("[fe80::1]:7070");
  REQUIRE(v6);
  CHECK(v6->host == "fe80::1");
  CHECK(v6->port == "7070");
  for (const auto* wrong : {"", "host", "host:", ":1", "host:0", "host:65536",
                            "host:1x", "a:b:1", "[]:1", "host:-1"}) {
    INFO(wrong);
    CHECK_FALSE(parse_host_port(wrong));
  }
  CHECK_FALSE(parse_host_port(std::string(254, 'a') + ":1"));
}

TEST_CASE("a reload does not move a node", "[settings][cluster]") {
  const auto before = parse_settings(document(usual));
  const auto after = parse_settings(document(usual + R"(, "address": "x:1")"));
  REQUIRE(before);
  REQUIRE(after);
  const auto checked = check_reload(*before, *after);
  REQUIRE_FALSE(checked);
  CHECK_THAT(checked.error().what,
             StartsWith("/cluster: ") && Contains("takes a restart"));
  CHECK(check_reload(*before, *before));
}

} // namespace troupe::cluster_settings_test
