#include "tests/support/oci_box.hpp"

namespace troupe::oci_documents_test {

using Catch::Contains;
using test::oci_box;

namespace {

/// The bundle's config.json, as `by` writes it, with a command of ours that
/// needs no terminal; nothing else is touched.
void let_write_spec(const oci_box& box, const std::string& by) {
  const auto file = box.fs.bundle() + "/config.json";
  std::filesystem::remove(file);
  const auto said = test::run(
    {"/bin/sh", "-c", "cd " + box.fs.bundle() + " && exec " + by + " spec"});
  INFO(said.err);
  REQUIRE(said.exit_code == 0);
  auto document = nlohmann::json::parse(std::ifstream{file});
  document["process"]["terminal"] = false;
  document["process"]["args"] = {"sh", "-c", "echo $TERM; hostname; id -u"};
  document["linux"]["cgroupsPath"] = box.spec.linux_.cgroups_path;
  std::ofstream{file} << document.dump();
}

} // namespace

TEST_CASE("bundles by runc spec, crun spec and our own run") {
  const auto by = GENERATE(std::string{"runc"}, std::string{"crun"},
                           oci_box::program());
  const oci_box box;
  let_write_spec(box, by);
  const auto done = box.call({"run", "--bundle", box.fs.bundle(), "web"});
  INFO(by << ": " << done.err);
  CHECK(done.exit_code == 0);
  CHECK_THAT(done.out,
             Catch::StartsWith("xterm\n") && Catch::EndsWith("\n0\n"));
  CHECK(box.leftovers() == std::vector<std::string>{});
}

TEST_CASE("spec replaces no file") {
  const oci_box box;
  const auto said = box.call({"spec", "--bundle", box.fs.bundle()});
  CHECK(said.exit_code == 1);
  CHECK_THAT(said.err, Contains("exists. Remove it first"));
}

TEST_CASE("features names what config.json may use") {
  const oci_box box;
  const auto said = box.call({"features"});
  REQUIRE(said.exit_code == 0);
  const auto x = nlohmann::json::parse(said.out);
  CHECK(x.at("ociVersionMin") == "1.0.0");
  CHECK(x.at("ociVersionMax") == "1.3.0");
  CHECK(x.at("hooks").size() == 6);
  CHECK(x.at("/linux/namespaces"_json_pointer).size() == 8);
  CHECK(x.at("/linux/cgroup/systemd"_json_pointer) == true);
  CHECK(x.at("mountOptions").size() == 62);
}

TEST_CASE("completion scripts are what their shells can read") {
  const oci_box box;
  const auto bash = box.call({"completion", "bash"});
  REQUIRE(bash.exit_code == 0);
  CHECK(test::run({"bash", "-n"}, {.input = bash.out}).exit_code == 0);
  CHECK_THAT(bash.out, Contains("--preserve-fds"));
  CHECK_THAT(box.call({"completion", "fish"}).out, Contains("-a delete"));
}

} // namespace troupe::oci_documents_test
