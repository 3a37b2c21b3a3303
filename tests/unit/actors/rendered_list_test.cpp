#include "actors/gateway/render.hpp"
#include "actors/gateway/rendered_list.hpp"

#include <catch2/catch.hpp>

namespace troupe::rendered_list_test {

using lifecycle::status;

namespace {

msg::shared_snapshot container(const std::string& id, status is) {
  msg::snapshot out;
  out.id = id;
  out.status = is;
  return out;
}

std::string text_of(const msg::shared_snapshot& x) {
  return gateway::render(x);
}

} // namespace

TEST_CASE("a list has what runs, or all, as each is now", "[gateway]") {
  gateway::rendered_list lists;
  const auto old = container("old", status::stopped);
  const auto idle = container("idle", status::paused);
  auto web = container("web", status::created);
  CHECK(lists.render({}, true) == "[]");
  CHECK(lists.render({{idle, old, web}}, false) == "[" + text_of(idle) + "]");
  CHECK(lists.render({{idle, old, web}}, true)
        == "[" + text_of(idle) + "," + text_of(old) + "," + text_of(web) + "]");

  web = container("web", status::running);
  const auto now = "[" + text_of(idle) + "," + text_of(web) + "]";
  CHECK(lists.render({{idle, old, web}}, false) == now);
  CHECK(lists.render({{idle, web}}, true) == now);

  SECTION("one that comes back is another") {
    const auto again = container("old", status::running);
    CHECK(lists.render({{again}}, true) == "[" + text_of(again) + "]");
  }
}

} // namespace troupe::rendered_list_test
