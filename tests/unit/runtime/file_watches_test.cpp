#include "runtime/linux/file_watches.hpp"
#include "tests/support/scratch_directory.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <unistd.h>

namespace troupe::file_watches_test {

namespace {

struct fixture {
  fixture()
    : poller(sys::poller::create().value()),
      files(sys::file_watches::start(*poller).value()) {
    change("a");
    change("b");
  }

  void change(const std::string& name) {
    std::ofstream{directory.path() + "/" + name, std::ios::app} << "x";
  }

  sys::file_watches::watch watch(const std::string& name, int& count) {
    return files->add(directory.path() + "/" + name, [&count] { ++count; })
      .value();
  }

  void serve() {
    poller->stop(); // What is ready already is served before.
    poller->run();
  }

  test::scratch_directory directory;
  std::unique_ptr<sys::poller> poller;
  std::unique_ptr<sys::file_watches> files;
};

} // namespace

TEST_CASE_METHOD(fixture, "each watch hears of its own file",
                 "[file-watches]") {
  auto a = 0;
  auto b = 0;
  const auto first = watch("a", a);
  const auto second = watch("b", b);
  serve();
  CHECK(a == 0);
  change("a");
  serve();
  CHECK(a == 1);
  change("b");
  change("a");
  serve();
  CHECK(a == 2);
  CHECK(b == 1);
}

TEST_CASE_METHOD(fixture, "two watches of one file end apart",
                 "[file-watches]") {
  auto old = 0;
  auto fresh = 0;
  auto first = watch("a", old);
  const auto second = watch("a", fresh);
  change("a");
  serve();
  first = {};
  change("a");
  serve();
  CHECK(old == 1);
  CHECK(fresh == 2);
}

TEST_CASE_METHOD(fixture, "a file that is gone is silent", "[file-watches]") {
  auto count = 0;
  auto first = watch("a", count);
  ::unlink((directory.path() + "/a").c_str());
  serve();
  CHECK(count == 0);
  first = {};
  CHECK_FALSE(files->add(directory.path() + "/a", [] {}));
  change("a"); // another file of that name
  const auto again = watch("a", count);
  change("a");
  serve();
  CHECK(count == 1);
}

} // namespace troupe::file_watches_test
