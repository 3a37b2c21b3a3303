#include "config/log_choice.hpp"

#include <catch2/catch.hpp>

namespace troupe::log_choice_test {

namespace {

std::string complaint(const log_choice& x) {
  const auto valid = validate(x, json::pointer{"/log"});
  return valid ? "" : valid.error().what;
}

} // namespace

TEST_CASE("a log's choice is checked, and the pointer named") {
  CHECK(complaint({}).empty());
  CHECK(complaint({"json-file", "/x", 4096, 0, "blocking"}).empty());
  CHECK(complaint({"syslog", "", -1, -1, ""}).starts_with("/log/driver: "));
  CHECK(complaint({"", "", -1, -1, "maybe"}).starts_with("/log/mode: "));
  CHECK(complaint({"", "x", -1, -1, ""}).starts_with("/log/path: "));
  CHECK(complaint({"none", "/x", -1, -1, ""}).starts_with("/log/path: "));
  CHECK(complaint({"", "", 4095, -1, ""})
        == "/log/max_size: expected an integer from 4096 to 1099511627776, "
           "found 4095");
  CHECK(complaint({"", "", -1, 1001, ""}).starts_with("/log/max_files: "));
}

TEST_CASE("a journal is waited for, a disk is not") {
  CHECK(usual_mode("journald") == "blocking");
  CHECK(usual_mode("k8s-file") == "non-blocking");
}

} // namespace troupe::log_choice_test
