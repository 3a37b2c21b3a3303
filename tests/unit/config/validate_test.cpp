#include "config/oci/parse.hpp"
#include "config/oci/words.hpp"
#include "tests/unit/config/complaint.hpp"
#include "tests/unit/config/full_document.hpp"

#include <catch2/catch.hpp>

namespace troupe::validate_test {

using namespace troupe::test;
using nlohmann::json;

TEST_CASE("the full document is valid") {
  CHECK(complaint("/hostname", "box") == "");
}

TEST_CASE("ociVersion must be SemVer 2.0.0 and 1.x") {
  for (const auto* good :
       {"1.0.0", "1.0.2-dev", "1.3.0", "1.99.0", "1.0.0-rc.1+build.05",
        "1.0.0-alpha-1", "1.0.0+001"}) {
    CAPTURE(good);
    CHECK(complaint("/ociVersion", good) == "");
  }
  for (const auto* bad :
       {"", "1", "1.0", "v1.0.0", "1.0.0.", "1.0.0.0", "01.0.0", "1.00.0",
        "1.0.0-", "1.0.0-01", "1.0.0+", "1.0.0-a..b", "1.0.0-a.", "1.0.0 ",
        "1.0.0+a+b", "a.b.c", "1..0", "-1.0.0"}) {
    CAPTURE(bad);
    CHECK(complaint("/ociVersion", bad)
          == "/ociVersion: expected a SemVer 2.0.0 version, found '"
               + std::string{bad} + "'");
  }
  for (const auto* other : {"0.5.0-dev", "2.0.0", "10.0.0"})
    CHECK(complaint("/ociVersion", other)
          == "/ociVersion: expected a version from 1.0.0 to below 2.0.0, found "
             "'"
               + std::string{other} + "'");
}

TEST_CASE("root, hooks and annotations are checked") {
  check({
    {"/root", removed, "/root: expected an object, found nothing"},
    {"/root/path", "", "/root/path: expected a path, found ''"},
    {"/hooks/prestart/0/path", "bin/a",
     "/hooks/prestart/0/path: expected an absolute path, found 'bin/a'"},
    {"/hooks/poststop/0/path", "",
     "/hooks/poststop/0/path: expected an absolute path, found ''"},
    {"/hooks/prestart/0/timeout", 0,
     "/hooks/prestart/0/timeout: expected an integer from 1 to 2147483647, "
     "found 0"},
    {"/hooks/createRuntime/0/timeout", -1,
     "/hooks/createRuntime/0/timeout: expected an integer from 1 to "
     "2147483647, found -1"},
    {"/hooks/startContainer/0/env",
     {"A"},
     "/hooks/startContainer/0/env/0: expected NAME=value, found no '='"},
    {"/annotations",
     {{"", "v"}},
     "/annotations: expected keys that are not empty, found ''"},
  });
}

TEST_CASE("a process is checked") {
  check({
    {"/process", removed, ""},
    {"/process/cwd", "root",
     "/process/cwd: expected an absolute path, found 'root'"},
    {"/process/args", removed,
     "/process/args: expected at least one entry, found none"},
    {"/process/args", json::array(),
     "/process/args: expected at least one entry, found none"},
    {"/process/env/1", "SECRET",
     "/process/env/1: expected NAME=value, found no '='"},
    {"/process/env/0", "=x",
     "/process/env/0: expected NAME=value, found no "
     "name"},
    {"/process/env/0", "A=", ""},
    {"/process/user/uid", 4294967295,
     "/process/user/uid: expected an integer from 0 to 4294967294, found "
     "4294967295"},
    {"/process/user/gid", 4294967295,
     "/process/user/gid: expected an integer from 0 to 4294967294, found "
     "4294967295"},
    {"/process/user/additionalGids/1", 4294967295,
     "/process/user/additionalGids/1: expected an integer from 0 to "
     "4294967294, found 4294967295"},
    {"/process/user/umask", 512,
     "/process/user/umask: expected an integer from 0 to 511, found 512"},
    {"/process/oomScoreAdj", -1001,
     "/process/oomScoreAdj: expected an integer from -1000 to 1000, found "
     "-1001"},
    {"/process/oomScoreAdj", 1000, ""},
    {"/process/ioPriority/class", "IOPRIO_CLASS_NONE",
     "/process/ioPriority/class: expected one of IOPRIO_CLASS_RT, "
     "IOPRIO_CLASS_BE, IOPRIO_CLASS_IDLE, found 'IOPRIO_CLASS_NONE'"},
    {"/process/ioPriority/priority", 8,
     "/process/ioPriority/priority: expected an integer from 0 to 7, found 8"},
    {"/process/scheduler/nice", 20,
     "/process/scheduler/nice: expected an integer from -20 to 19, found 20"},
    {"/process/scheduler/priority", 0,
     "/process/scheduler/priority: expected an integer from 1 to 99, found 0"},
    {"/process/scheduler/policy", "SCHED_OTHER",
     "/process/scheduler/priority: expected an integer from 0 to 0, found 10"},
  });
  check({
    {"/process/scheduler/runtime", 5000,
     "/process/scheduler/runtime: expected nothing but for SCHED_DEADLINE, "
     "found 5000 for SCHED_FIFO"},
    {"/process/scheduler/deadline", 5000,
     "/process/scheduler/deadline: expected nothing but for SCHED_DEADLINE, "
     "found 5000 for SCHED_FIFO"},
    {"/process/scheduler/period", 5000,
     "/process/scheduler/period: expected nothing but for SCHED_DEADLINE, "
     "found 5000 for SCHED_FIFO"},
  });
  CHECK_THAT(complaint("/process/scheduler/policy", "FIFO"),
             Catch::StartsWith("/process/scheduler/policy: expected one of "));
  CHECK_THAT(complaint("/process/scheduler/flags/0", "X"),
             Catch::StartsWith("/process/scheduler/flags/0: expected one of "));
}

TEST_CASE("the deadline scheduler's times are in order") {
  const auto deadline = [](std::uint64_t runtime, std::uint64_t deadline,
                           std::uint64_t period) {
    return complaint("/process/scheduler", {{"policy", "SCHED_DEADLINE"},
                                            {"runtime", runtime},
                                            {"deadline", deadline},
                                            {"period", period}});
  };
  CHECK(deadline(1024, 2000, 3000) == "");
  CHECK(deadline(1024, 1024, 0) == "");
  CHECK(deadline(1023, 2000, 3000)
        == "/process/scheduler/runtime: expected at least 1024 ns for "
           "SCHED_DEADLINE, found 1023");
  CHECK(deadline(2000, 1999, 3000)
        == "/process/scheduler/deadline: expected at least the runtime, less "
           "than 2^63, found 1999");
  CHECK(deadline(2000, 3000, 2999)
        == "/process/scheduler/period: expected at least the deadline, less "
           "than 2^63, found 2999");
  CHECK(complaint("/process/scheduler", {{"policy", "SCHED_DEADLINE"}})
        == "/process/scheduler/runtime: expected at least 1024 ns for "
           "SCHED_DEADLINE, found 0");
}

TEST_CASE("rlimits are known, unique and in order") {
  for (const auto name : oci::words::rlimits)
    CHECK(complaint("/process/rlimits/0/type", name) == "");
  CHECK_THAT(complaint("/process/rlimits/0/type", "RLIMIT_X"),
             Catch::EndsWith("RLIMIT_RTTIME, found 'RLIMIT_X'"));
  const json one{{"type", "RLIMIT_CORE"}, {"soft", 1}, {"hard", 1}};
  CHECK(complaint("/process/rlimits", {one, one})
        == "/process/rlimits/1/type: expected each type once, found "
           "'RLIMIT_CORE' again");
  check({
    {"/process/rlimits/0/hard", 1023,
     "/process/rlimits/0/soft: expected at most the hard limit, 1023, found "
     "1024"},
    {"/process/rlimits/0/hard", 1024, ""},
  });
}

TEST_CASE("lists of processors have the kernel's format") {
  for (const auto* good : {"", "0", "0-3,7", "1,2,3", "0-31:2/4", "5-5"}) {
    CAPTURE(good);
    CHECK(complaint("/linux/resources/cpu/cpus", good) == "");
  }
  for (const auto* bad : {"a", "-1", "3-1", "1,", ",1", "1-", "0-3:2",
                          "0-3:2/0", "0-3:5/4", "1 2", "1,,2", "99999999999"}) {
    CAPTURE(bad);
    for (const auto* pointer :
         {"/linux/resources/cpu/cpus", "/linux/resources/cpu/mems",
          "/process/execCPUAffinity/initial", "/process/execCPUAffinity/final",
          "/linux/memoryPolicy/nodes"})
      CHECK(complaint(pointer, bad)
            == std::string{pointer}
                 + ": expected a list of numbers and ranges like 0-3,7, found '"
                 + bad + "'");
  }
}

TEST_CASE("an unknown capability is no failure, but can be listed") {
  CHECK(complaint("/process/capabilities/bounding/0", "CAP_UNKNOWN") == "");
  auto process = oci::parse(test::full_document()).value().process.value();
  CHECK(oci::unknown_capabilities(process).empty());
  process.capabilities->bounding.push_back("CAP_X");
  process.capabilities->ambient = {"CAP_X", "kill"};
  CHECK(oci::unknown_capabilities(process)
        == std::vector<std::string>{"CAP_X", "kill"});
  process.capabilities.reset();
  CHECK(oci::unknown_capabilities(process).empty());
}

TEST_CASE("host names are bounded") {
  CHECK(complaint("/hostname", std::string(64, 'x')) == "");
  CHECK(complaint("/hostname", std::string(65, 'x'))
        == "/hostname: expected at most 64 bytes, found 65");
  CHECK(complaint("/domainname", std::string(65, 'x'))
        == "/domainname: expected at most 64 bytes, found 65");
}

TEST_CASE("a process alone complains below its own pointer when checked") {
  oci::process process;
  process.cwd = "/";
  CHECK(oci::validate(process, "/exec").error().what
        == "/exec/args: expected at least one entry, found none");
  process.args = {"true"};
  CHECK(oci::validate(process, "/exec"));
}

} // namespace troupe::validate_test
