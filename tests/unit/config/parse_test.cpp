#include "config/oci/parse.hpp"
#include "tests/unit/config/full_document.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <set>

namespace troupe::parse_test {

using nlohmann::json;
using place = json::json_pointer;

namespace {

/// A value that is of another type than `value` in every reader's eyes.
json of_wrong_type(const json& value) {
  if (value.is_string())
    return 7;
  if (value.is_object())
    return json::array();
  return value.is_array() ? json::object() : json("wrong");
}

std::string complaint(const json& document) {
  const auto parsed = oci::parse(document);
  return parsed ? "" : parsed.error().what;
}

bool is_element(const std::string& pointer) {
  return pointer.find_last_of("0123456789") == pointer.size() - 1
         && pointer.find("eth") == pointer.npos
         && pointer.find("mlx") == pointer.npos
         && pointer.find("~01") == pointer.npos;
}

// Every REQUIRED of config.md and config-linux.md that stands in the document.
const std::set<std::string> required{
  "/ociVersion",
  "/process/cwd",
  "/process/consoleSize/height",
  "/process/consoleSize/width",
  "/process/rlimits/0/type",
  "/process/rlimits/0/soft",
  "/process/rlimits/0/hard",
  "/process/scheduler/policy",
  "/process/ioPriority/class",
  "/process/ioPriority/priority",
  "/process/user/uid",
  "/process/user/gid",
  "/root/path",
  "/mounts/0/destination",
  "/mounts/1/destination",
  "/mounts/1/uidMappings/0/containerID",
  "/mounts/1/uidMappings/0/hostID",
  "/mounts/1/uidMappings/0/size",
  "/mounts/1/gidMappings/0/containerID",
  "/mounts/1/gidMappings/0/hostID",
  "/mounts/1/gidMappings/0/size",
  "/hooks/prestart/0/path",
  "/hooks/createRuntime/0/path",
  "/hooks/createContainer/0/path",
  "/hooks/startContainer/0/path",
  "/hooks/poststart/0/path",
  "/hooks/poststop/0/path",
  "/linux/namespaces/0/type",
  "/linux/namespaces/1/type",
  "/linux/namespaces/2/type",
  "/linux/namespaces/3/type",
  "/linux/namespaces/4/type",
  "/linux/namespaces/5/type",
  "/linux/namespaces/6/type",
  "/linux/namespaces/7/type",
  "/linux/uidMappings/0/containerID",
  "/linux/uidMappings/0/hostID",
  "/linux/uidMappings/0/size",
  "/linux/gidMappings/0/containerID",
  "/linux/gidMappings/0/hostID",
  "/linux/gidMappings/0/size",
  "/linux/devices/0/type",
  "/linux/devices/0/path",
  "/linux/resources/devices/0/allow",
  "/linux/resources/devices/1/allow",
  "/linux/resources/pids/limit",
  "/linux/resources/blockIO/weightDevice/0/major",
  "/linux/resources/blockIO/weightDevice/0/minor",
  "/linux/resources/blockIO/throttleReadBpsDevice/0/major",
  "/linux/resources/blockIO/throttleReadBpsDevice/0/minor",
  "/linux/resources/blockIO/throttleReadBpsDevice/0/rate",
  "/linux/resources/blockIO/throttleWriteBpsDevice/0/major",
  "/linux/resources/blockIO/throttleWriteBpsDevice/0/minor",
  "/linux/resources/blockIO/throttleWriteBpsDevice/0/rate",
  "/linux/resources/blockIO/throttleReadIOPSDevice/0/major",
  "/linux/resources/blockIO/throttleReadIOPSDevice/0/minor",
  "/linux/resources/blockIO/throttleReadIOPSDevice/0/rate",
  "/linux/resources/blockIO/throttleWriteIOPSDevice/0/major",
  "/linux/resources/blockIO/throttleWriteIOPSDevice/0/minor",
  "/linux/resources/blockIO/throttleWriteIOPSDevice/0/rate",
  "/linux/resources/hugepageLimits/0/pageSize",
  "/linux/resources/hugepageLimits/0/limit",
  "/linux/resources/network/priorities/0/name",
  "/linux/resources/network/priorities/0/priority",
  "/linux/seccomp/defaultAction",
  "/linux/seccomp/syscalls/0/names",
  "/linux/seccomp/syscalls/0/action",
  "/linux/seccomp/syscalls/0/args/0/index",
  "/linux/seccomp/syscalls/0/args/0/value",
  "/linux/seccomp/syscalls/0/args/0/op",
  "/linux/personality/domain",
  "/linux/memoryPolicy/mode",
};

} // namespace

TEST_CASE("a document with every property survives parse and to_json") {
  const auto parsed = oci::parse(test::full_document());
  REQUIRE(parsed);
  CHECK(oci::to_json(*parsed) == test::full_document());
  const auto again = oci::parse(oci::to_json(*parsed).dump());
  REQUIRE(again);
  CHECK(*again == *parsed);
}

TEST_CASE("a process and resources alone survive too") {
  const auto whole = oci::parse(test::full_document()).value();
  const auto process = oci::parse_process(oci::to_json(*whole.process), "/p");
  REQUIRE(process);
  CHECK(*process == *whole.process);
  const auto resources = oci::parse_resources(
    oci::to_json(*whole.linux_.resources), "/r");
  REQUIRE(resources);
  CHECK(*resources == *whole.linux_.resources);
}

TEST_CASE("a value of the wrong type is refused by its JSON pointer") {
  for (const auto& pointer : test::places_of(test::full_document())) {
    auto document = test::full_document();
    auto& value = document[place{pointer}];
    value = of_wrong_type(value);
    CAPTURE(pointer);
    const auto what = complaint(document);
    CHECK(what.starts_with(pointer + ": expected "));
    CHECK(what.find(", found ") != what.npos);
  }
}

TEST_CASE("an absent property is refused exactly if the spec requires it") {
  for (const auto& pointer : test::places_of(test::full_document())) {
    if (is_element(pointer))
      continue;
    auto document = test::full_document();
    const place at{pointer};
    document[at.parent_pointer()].erase(at.back());
    CAPTURE(pointer);
    const auto what = complaint(document);
    if (required.contains(pointer))
      CHECK(what.starts_with(pointer + ": expected "));
    else
      CHECK(what == "");
    if (required.contains(pointer))
      CHECK(what.ends_with(", found nothing"));
  }
}

TEST_CASE("null counts as absent, as Go writes it") {
  for (const auto& pointer : test::places_of(test::full_document())) {
    if (is_element(pointer) || required.contains(pointer))
      continue;
    if (pointer.find("annotations/") != pointer.npos
        || pointer.find("sysctl/") != pointer.npos
        || pointer.find("unified/") != pointer.npos
        || pointer.find("rdma/") != pointer.npos
        || pointer.find("timeOffsets/") != pointer.npos
        || pointer.find("netDevices/") != pointer.npos)
      continue;
    auto document = test::full_document();
    document[place{pointer}] = nullptr;
    CAPTURE(pointer);
    CHECK(complaint(document) == "");
  }
}

TEST_CASE("unknown properties are ignored") {
  auto document = test::full_document();
  document["windows"] = {{"whatever", 1}};
  document["linux"]["resources"]["future"] = "x";
  CHECK(complaint(document) == "");
}

TEST_CASE("numbers outside of their type's range are refused with the range") {
  struct row {
    const char* pointer;
    json value;
    const char* what;
  };
  const std::vector<row> rows{
    {"/process/user/uid", -1,
     "/process/user/uid: expected an integer from 0 to 4294967295, found -1"},
    {"/process/user/uid", 4294967296,
     "/process/user/uid: expected an integer from 0 to 4294967295, found "
     "4294967296"},
    {"/process/user/gid", 1.5,
     "/process/user/gid: expected an integer from 0 to 4294967295, found "
     "number"},
    {"/process/consoleSize/width", 65536,
     "/process/consoleSize/width: expected an integer from 0 to 65535, found "
     "65536"},
    {"/process/oomScoreAdj", 2147483648,
     "/process/oomScoreAdj: expected an integer from -2147483648 to "
     "2147483647, found 2147483648"},
    {"/linux/resources/memory/limit", 9223372036854775808ULL,
     "/linux/resources/memory/limit: expected an integer from "
     "-9223372036854775808 to 9223372036854775807, found 9223372036854775808"},
    {"/process/rlimits/0/hard", -1,
     "/process/rlimits/0/hard: expected an integer from 0 to "
     "18446744073709551615, found -1"},
  };
  for (const auto& [pointer, value, what] : rows) {
    auto document = test::full_document();
    document[place{pointer}] = value;
    CHECK(complaint(document) == what);
  }
}

TEST_CASE("an unknown namespace is refused with the known ones") {
  auto document = test::full_document();
  document["linux"]["namespaces"][2]["type"] = "net";
  CHECK(complaint(document)
        == "/linux/namespaces/2/type: expected one of pid, network, mount, "
           "ipc, uts, user, cgroup, time, found 'net'");
}

TEST_CASE("NUL bytes are refused in strings and keys") {
  auto document = test::full_document();
  document["process"]["args"][1] = std::string("a\0b", 3);
  CHECK(complaint(document)
        == "/process/args/1: expected a string without NUL bytes, found "
           "'a\\x00b'");
  document = test::full_document();
  document["annotations"][std::string("k\0", 2)] = "v";
  CHECK(complaint(document)
        == "/annotations: expected keys without NUL bytes, found 'k\\x00'");
}

TEST_CASE("a relative mount destination is relative to the root") {
  auto document = test::full_document();
  document["mounts"][0]["destination"] = "proc";
  CHECK(oci::parse(document).value().mounts[0].destination == "/proc");
}

TEST_CASE("a device rule for number -1 is one for all numbers") {
  auto document = test::full_document();
  auto& rule = document["linux"]["resources"]["devices"][1];
  rule["major"] = -1;
  rule["minor"] = -1;
  const auto spec = oci::parse(document).value();
  CHECK_FALSE(spec.linux_.resources->devices[1].major);
  CHECK_FALSE(spec.linux_.resources->devices[1].minor);
}

TEST_CASE("a document that is no object is refused") {
  CHECK(complaint(json::array())
        == "document: expected an object, found array");
  CHECK(oci::parse("7").error().what
        == "document: expected an object, found 7");
}

TEST_CASE("malformed text is refused with line and column") {
  struct row {
    std::string text;
    const char* starts;
  };
  const std::vector<row> rows{
    {"", "line 1, column 1: "},
    {"{", "line 1, column 2: "},
    {"{\n  \"a\": 1,\n  }", "line 3, column 3: "},
    {"{\"a\": tru}", "line 1, column 10: "},
    {"{\"a\": \"\xff\"}", "line 1, column 8: "},
    {"[1, 2", "line 1, column 6: "},
    {"{} x", "line 1, column 4: "},
  };
  for (const auto& [text, starts] : rows) {
    const auto parsed = oci::parse(std::string_view{text});
    CAPTURE(text);
    REQUIRE_FALSE(parsed);
    CAPTURE(parsed.error().what);
    CHECK(parsed.error().what.starts_with(starts));
    CHECK(parsed.error().code == fault::invalid_config);
  }
}

TEST_CASE("a process alone complains below its own pointer") {
  const auto document = json::parse(R"({"cwd": "/", "args": ["a", 7]})");
  CHECK(oci::parse_process(document, "/spec/process").error().what
        == "/spec/process/args/1: expected a string, found 7");
}

TEST_CASE("no truncation of a valid document crashes the parser") {
  const auto text = test::full_document().dump();
  for (std::size_t size = 0; size < text.size(); size += 7)
    CHECK_FALSE(oci::parse(std::string_view{text}.substr(0, size)));
}

} // namespace troupe::parse_test
