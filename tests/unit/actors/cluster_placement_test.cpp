#include "actors/cluster/placement.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

namespace troupe::cluster_placement_test {

using Catch::Contains;
using Catch::StartsWith;
using msg::node_view;

namespace {

constexpr std::int64_t gib = std::int64_t{1} << 30;

node_view node(const std::string& name, std::uint32_t running,
               std::int64_t free_gib) {
  node_view out;
  out.is.name = name;
  out.is.label_keys = {"zone"};
  out.is.label_values = {"zone-" + name};
  out.has = {8 * gib, free_gib * gib, 4, 100, running};
  return out;
}

std::string chosen(const std::vector<node_view>& among,
                   const msg::place& wish = {}) {
  const auto found = cluster::place(among, wish);
  return found ? found->node : "";
}

msg::place strategy(const std::string& name) {
  msg::place out;
  out.strategy = name;
  return out;
}

} // namespace

TEST_CASE("spread takes the node with the least, binpack that with the most",
          "[cluster][placement]") {
  const std::vector all{node("a", 3, 4), node("b", 1, 2), node("c", 1, 6)};
  CHECK(chosen(all) == "c"); // of two with one, where more is free
  CHECK(chosen(all, strategy("binpack")) == "a");
  const auto why = cluster::place(all, {})->why;
  CHECK_THAT(why, StartsWith("spread: 1 running, 6144 MiB of 8192 MiB free")
                    && Contains("3 of 3 nodes fit"));
}

TEST_CASE("who is not alive, drained, full or of other labels is left out",
          "[cluster][placement]") {
  auto down = node("a", 0, 4);
  down.state = msg::node_state::suspect;
  auto drained = node("b", 0, 4);
  drained.is.draining = true;
  const auto full = node("c", 0, 0);
  const auto busy = node("d", 9, 4);
  CHECK(chosen({down, drained, full, busy}) == "d");
  msg::place wish;
  wish.label_keys = {"zone"};
  wish.label_values = {"zone-b"};
  const auto none = cluster::place({down, drained, full, busy}, wish);
  REQUIRE_FALSE(none);
  CHECK(none.error().code == fault::exhausted);
  CHECK_THAT(none.error().what, Contains("a: it is not alive")
                                  && Contains("b: it is being drained")
                                  && Contains("c: its label zone is 'zone-c'")
                                  && Contains("d: its label zone is 'zone-d'"));
}

TEST_CASE("a wish for memory counts", "[cluster][placement]") {
  const std::vector all{node("a", 0, 2), node("b", 5, 6)};
  msg::place wish;
  wish.memory = 4 * gib;
  CHECK(chosen(all, wish) == "b");
  wish.memory = 7 * gib;
  CHECK_THAT(cluster::place(all, wish).error().what,
             Contains("a: 2048 MiB of its memory are free, wanted 7168 MiB"));
}

TEST_CASE("a label that nobody has fits nobody", "[cluster][placement]") {
  msg::place wish;
  wish.label_keys = {"disk"};
  wish.label_values = {"ssd"};
  CHECK_THAT(cluster::place({node("a", 0, 4)}, wish).error().what,
             Contains("its label disk is not set"));
  CHECK_FALSE(cluster::place({}, {}));
}

} // namespace troupe::cluster_placement_test
