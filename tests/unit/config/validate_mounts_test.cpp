#include "config/oci/parse.hpp"
#include "config/oci/words.hpp"
#include "tests/unit/config/complaint.hpp"

#include <catch2/catch.hpp>

namespace troupe::validate_mounts_test {

using namespace troupe::test;

TEST_CASE("mounts are checked") {
  check({
    {"/mounts/0/destination", "",
     "/mounts/0/destination: expected an absolute path, found ''"},
    {"/mounts/1/source", removed,
     "/mounts/1/source: expected the path to bind, found nothing"},
    {"/mounts/0",
     {{"destination", "/x"}, {"type", "bind"}},
     "/mounts/0/source: expected the path to bind, found nothing"},
    {"/mounts/0/type", removed,
     "/mounts/0/type: expected a filesystem type, or bind among the options, "
     "found nothing"},
    {"/mounts/0", {{"destination", "/x"}, {"options", {"remount", "ro"}}}, ""},
    {"/mounts/1/gidMappings", removed,
     "/mounts/1: expected both of uidMappings and gidMappings, or neither, "
     "found one"},
    {"/mounts/1/uidMappings/0/size", 0,
     "/mounts/1/uidMappings/0/size: expected an integer from 1 to 4294967295, "
     "found 0"},
    {"/linux/maskedPaths/0", "proc",
     "/linux/maskedPaths/0: expected an absolute path, found 'proc'"},
    {"/linux/readonlyPaths/0", "",
     "/linux/readonlyPaths/0: expected an absolute path, found ''"},
    {"/linux/rootfsPropagation", "masked",
     "/linux/rootfsPropagation: expected one of shared, slave, private, "
     "unbindable, rshared, rslave, rprivate, runbindable, found 'masked'"},
  });
  for (const auto word : oci::words::propagations)
    CHECK(complaint("/linux/rootfsPropagation", word) == "");
}

TEST_CASE("idmap without mappings needs a user namespace") {
  oci::spec spec;
  spec.oci_version = "1.3.0";
  spec.root = oci::root{"rootfs", false};
  spec.linux_.namespaces = {{oci::namespace_kind::mount, ""}};
  spec.mounts = {{"/x", "", "/y", {"bind", "ridmap"}, {}, {}}};
  CHECK(complaint(spec)
        == "/mounts/0/options: expected a user namespace in "
           "/linux/namespaces, found none");
  spec.linux_.namespaces.push_back({oci::namespace_kind::user, "/ns/user"});
  CHECK(complaint(spec) == "");
}

TEST_CASE("what touches mounts needs a mount namespace") {
  const auto bare = [] {
    oci::spec spec;
    spec.oci_version = "1.3.0";
    spec.root = oci::root{"rootfs", false};
    return spec;
  };
  CHECK(complaint(bare()) == "");
  const auto refused = [](const oci::spec& spec, const std::string& pointer) {
    CHECK(complaint(spec)
          == pointer
               + ": expected a mount namespace in /linux/namespaces, found "
                 "none");
  };
  auto spec = bare();
  spec.root->readonly = true;
  refused(spec, "/root/readonly");
  spec = bare();
  spec.mounts = {{"/proc", "proc", "proc", {}, {}, {}}};
  refused(spec, "/mounts");
  spec = bare();
  spec.linux_.masked_paths = {"/proc/kcore"};
  refused(spec, "/linux/maskedPaths");
  spec = bare();
  spec.linux_.readonly_paths = {"/proc/sys"};
  refused(spec, "/linux/readonlyPaths");
  spec = bare();
  spec.linux_.rootfs_propagation = "shared";
  refused(spec, "/linux/rootfsPropagation");
}

TEST_CASE("a bind has no words of a file system, and no remount new ids") {
  using nlohmann::json;
  const auto bind = [](std::vector<std::string> options) {
    return json{{"destination", "/x"},
                {"type", "none"},
                {"source", "/y"},
                {"options", std::move(options)}};
  };
  check({
    {"/mounts/0", bind({"rbind", "ro", "x-mount.mkdir", "sync"}), ""},
    {"/mounts/0", bind({"rbind", "ro", "size=1k"}), ""},
    {"/mounts/0", bind({"bind", "readonly"}),
     "/mounts/0/options/1: expected an option that a bind can have, found "
     "'readonly'"},
    {"/mounts/0", bind({"bind", "tmpcopyup"}),
     "/mounts/0/options: expected tmpcopyup for a tmpfs only, found 'none'"},
    {"/mounts/0", bind({"remount", "idmap"}),
     "/mounts/0/options: expected no id mapping of a mount that is there, "
     "found remount with a mapping"},
    {"/mounts/0",
     {{"destination", "/x"}, {"options", {"remount", "bind", "ro"}}},
     ""},
    {"/mounts/0",
     {{"destination", "/x"},
      {"type", "tmpfs"},
      {"options", {"tmpcopyup", "size=1k"}}},
     ""},
  });
}

} // namespace troupe::validate_mounts_test
