#include "tests/support/launched.hpp"
#include "tests/support/rootfs.hpp"

using namespace troupe;

namespace {


test::ran run_shell(plan::launch_plan plan, const std::string& script) {
  plan.process.args = {"sh", "-c", script};
  return test::run(plan);
}

} // namespace

TEST_CASE("a container runs its program and gives its exit code") {
  test::busybox_rootfs fs;
  const auto plan = test::default_plan(fs, {"sh", "-c", "echo hello; exit 7"});
  const auto ran = test::run(plan);
  CHECK(ran.status.code == 7);
  CHECK(ran.output == "hello\n");
}

TEST_CASE("init is pid 1 in its own namespaces") {
  test::busybox_rootfs fs;
  const auto ran = run_shell(test::default_plan(fs, {}), "echo $$; hostname");
  CHECK(ran.output == "1\nbox\n");
}
