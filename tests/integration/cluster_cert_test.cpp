// troupe cluster: files, their modes, and that there are two or none.

#include "tests/support/command.hpp"
#include "tests/support/scratch_directory.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <string>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace troupe::cluster_cert_test {

using Catch::Contains;

namespace {

using words = std::vector<std::string>;

mode_t mode_of(const std::string& path) {
  struct stat is {};
  REQUIRE(::lstat(path.c_str(), &is) == 0);
  return is.st_mode & 07777;
}

struct fixture {
  test::command_result cluster(words argv) const {
    argv.insert(argv.begin(),
                {std::string{TROUPE_BIN_DIR} + "/troupe", "cluster"});
    return test::run(argv);
  }

  void make_authority() const {
    const auto did = cluster({"init-ca", "--dir", ca});
    INFO(did.err);
    REQUIRE(did.exit_code == 0);
  }

  [[nodiscard]] test::command_result issue(const std::string& name,
                                           words more = {}) const {
    more.insert(more.begin(), {"issue-cert", name, "--dir", ca, "--out", out});
    return cluster(more);
  }

  /// Runs the command, which must be refused with `text` in the error.
  void refused(const words& argv, const std::string& text) const {
    const auto did = cluster(argv);
    INFO(text);
    CHECK(did.exit_code == 125);
    CHECK_THAT(did.err, Contains(text));
    CHECK(did.out.empty());
  }

  /// What is in a directory, sorted.
  static words files_in(const std::string& directory) {
    words found;
    for (const auto& each : std::filesystem::directory_iterator{directory})
      found.push_back(each.path().filename());
    std::sort(found.begin(), found.end());
    return found;
  }

  test::scratch_directory scratch;
  std::string ca = scratch / "etc/cluster";
  std::string out = scratch / "out";
};

} // namespace

TEST_CASE_METHOD(fixture, "an authority is two files, its key a secret",
                 "[cluster]") {
  const auto did = cluster({"init-ca", "--dir", ca + '/', "--name", "prod"});
  INFO(did.err);
  REQUIRE(did.exit_code == 0);
  CHECK(did.out == ca + "/ca.pem\n" + ca + "/ca.key\n");
  CHECK(files_in(ca) == words{"ca.key", "ca.pem"});
  CHECK(mode_of(ca) == 0700);
  CHECK(mode_of(ca + "/ca.pem") == 0644);
  CHECK(mode_of(ca + "/ca.key") == 0600);
  const auto subject = test::run(
    {"openssl", "x509", "-in", ca + "/ca.pem", "-noout", "-subject"});
  CHECK_THAT(subject.out, Contains("CN = prod"));
}

TEST_CASE_METHOD(fixture, "openssl trusts what the authority issued",
                 "[cluster]") {
  make_authority();
  const auto member = issue("web-1");
  INFO(member.err);
  REQUIRE(member.exit_code == 0);
  CHECK(member.out == out + "/web-1.pem\n" + out + "/web-1.key\n");
  REQUIRE(issue("eye", {"--role", "observer", "--days", "2"}).exit_code == 0);
  CHECK(files_in(out) == words{"eye.key", "eye.pem", "web-1.key", "web-1.pem"});
  CHECK(mode_of(out) == 0700);
  CHECK(mode_of(out + "/web-1.pem") == 0644);
  CHECK(mode_of(out + "/web-1.key") == 0600);
  const auto verified = [this](const std::string& purpose,
                               const std::string& name) {
    return test::run({"openssl", "verify", "-x509_strict", "-purpose", purpose,
                      "-CAfile", ca + "/ca.pem", out + '/' + name})
             .exit_code
           == 0;
  };
  CHECK(verified("sslserver", "web-1.pem"));
  CHECK(verified("sslclient", "web-1.pem"));
  CHECK(verified("sslclient", "eye.pem"));
  CHECK_FALSE(verified("sslserver", "eye.pem"));
}

TEST_CASE_METHOD(fixture, "show-cert tells whom a certificate is for",
                 "[cluster]") {
  make_authority();
  REQUIRE(issue("eye", {"--role", "observer"}).exit_code == 0);
  const auto table = cluster({"show-cert", out + "/eye.pem"});
  CHECK_THAT(table.out,
             Contains("NAME") && Contains("eye") && Contains("observer"));
  const auto json = nlohmann::json::parse(
    cluster({"show-cert", "--format", "json", out + "/eye.pem"}).out);
  CHECK(json["name"] == "eye");
  CHECK(json["role"] == "observer");
  CHECK_THAT(json["expires"].get<std::string>(), Catch::EndsWith("Z"));
  refused({"show-cert", ca + "/ca.pem"}, "ca.pem: certificate: subjectAltName: "
                                         "expected one troupe: URI");
  refused({"show-cert", out + "/eye.key"}, "expected a certificate in PEM");
  refused({"show-cert", out + "/no.pem"}, "no.pem: ENOENT");
}

TEST_CASE_METHOD(fixture,
                 "without --out a node's files are the authority's "
                 "neighbours",
                 "[cluster]") {
  make_authority();
  REQUIRE(cluster({"issue-cert", "web-1", "--dir", ca}).exit_code == 0);
  CHECK(files_in(ca) == words{"ca.key", "ca.pem", "web-1.key", "web-1.pem"});
  refused({"issue-cert", "ca", "--dir", ca, "--force"}, "the authority's");
}

TEST_CASE_METHOD(fixture, "files that are there are replaced with --force only",
                 "[cluster]") {
  make_authority();
  const auto old = scratch.read("etc/cluster/ca.key");
  refused({"init-ca", "--dir", ca}, ca + "/ca.key: exists; --force replaces");
  CHECK(scratch.read("etc/cluster/ca.key") == old);
  // One of two is enough.
  std::filesystem::remove(ca + "/ca.key");
  refused({"init-ca", "--dir", ca}, ca + "/ca.pem: exists; --force replaces");
  CHECK(files_in(ca) == words{"ca.pem"});
  REQUIRE(cluster({"init-ca", "--dir", ca, "--force"}).exit_code == 0);
  CHECK(files_in(ca) == words{"ca.key", "ca.pem"});
  REQUIRE(issue("web-1").exit_code == 0);
  const auto certificate = scratch.read("out/web-1.pem");
  const auto key = scratch.read("out/web-1.key");
  CHECK_THAT(issue("web-1").err, Contains("web-1.key: exists"));
  CHECK(scratch.read("out/web-1.key") == key);
  CHECK(scratch.read("out/web-1.pem") == certificate);
  std::filesystem::permissions(out + "/web-1.key",
                               std::filesystem::perms{0666});
  REQUIRE(issue("web-1", {"--force"}).exit_code == 0);
  CHECK(scratch.read("out/web-1.key") != key);
  CHECK(scratch.read("out/web-1.pem") != certificate);
  CHECK(mode_of(out + "/web-1.key") == 0600);
  CHECK(files_in(out) == words{"web-1.key", "web-1.pem"});
}

TEST_CASE_METHOD(fixture, "what was left of a killed command is no obstacle",
                 "[cluster]") {
  scratch.write("etc/cluster/ca.key.new", "half");
  std::filesystem::permissions(ca, std::filesystem::perms::owner_all);
  make_authority();
  CHECK(files_in(ca) == words{"ca.key", "ca.pem"});
  CHECK_THAT(scratch.read("etc/cluster/ca.key"), Contains("PRIVATE KEY"));
}

TEST_CASE_METHOD(fixture, "both files are written or none", "[cluster]") {
  make_authority();
  SECTION("no room for the second") {
    // The key has less than 300 bytes, the certificate more.
    const auto limited = test::run(
      {"sh", "-c", "trap '' XFSZ; exec prlimit --fsize=300 \"$@\"", "sh",
       std::string{TROUPE_BIN_DIR} + "/troupe", "cluster", "issue-cert",
       "web-1", "--dir", ca, "--out", out});
    CHECK(limited.exit_code == 125);
    CHECK_THAT(limited.err, Contains("web-1.pem.new: EFBIG"));
    CHECK(files_in(out).empty());
  }
  SECTION("the second cannot be put in place") {
    REQUIRE(issue("web-1").exit_code == 0);
    const auto key = scratch.read("out/web-1.key");
    const auto certificate = scratch.read("out/web-1.pem");
    // rename(2): EBUSY for what something is mounted on.
    const auto target = out + "/web-1.pem";
    REQUIRE(::mount(target.c_str(), target.c_str(), nullptr, MS_BIND, nullptr)
            == 0);
    const auto did = issue("web-1", {"--force"});
    REQUIRE(::umount2(target.c_str(), MNT_DETACH) == 0);
    CHECK(did.exit_code == 125);
    CHECK_THAT(did.err, Contains("web-1.pem: EBUSY"));
    CHECK(scratch.read("out/web-1.key") == key);
    CHECK(scratch.read("out/web-1.pem") == certificate);
    CHECK(files_in(out) == words{"web-1.key", "web-1.pem"});
  }
  SECTION("nor over what is no file") {
    std::filesystem::create_directories(out + "/web-1.pem");
    CHECK_THAT(issue("web-1", {"--force"}).err,
               Contains("web-1.pem: not a regular file"));
    CHECK(files_in(out) == words{"web-1.pem"});
  }
}

TEST_CASE_METHOD(fixture, "what is wrong is refused and writes nothing",
                 "[cluster][bad]") {
  refused({"issue-cert", "web-1", "--dir", ca, "--out", out},
          "ca.pem: ENOENT (No such file or directory); troupe cluster init-ca "
          "makes an authority");
  make_authority();
  refused({"issue-cert", "web-1", "--dir", ca, "--out", out, "--role", "boss"},
          "boss");
  refused({"issue-cert", "Web", "--dir", ca, "--out", out}, "node name 'Web'");
  refused({"issue-cert", "../web", "--dir", ca, "--out", out},
          "node name '../web'");
  refused({"issue-cert", "web-1", "--dir", ca, "--out", out, "--days", "0"},
          "--days");
  refused({"init-ca", "--dir", ca, "--force", "--name", ""}, "common name");
  scratch.write("etc/cluster/ca.key", "garbage");
  refused({"issue-cert", "web-1", "--dir", ca, "--out", out},
          "authority: expected an unencrypted private key in PEM");
  CHECK_FALSE(std::filesystem::exists(out));
}

TEST_CASE_METHOD(fixture, "keys are not put where others can write",
                 "[cluster][rule-9]") {
  std::filesystem::create_directory(out);
  std::filesystem::permissions(out, std::filesystem::perms::all);
  refused({"init-ca", "--dir", out}, "others can write");
  CHECK(files_in(out).empty());
}

TEST_CASE_METHOD(fixture, "the cluster's commands have help with an example",
                 "[cluster]") {
  for (const auto* command : {"init-ca", "issue-cert", "show-cert"}) {
    const auto did = cluster({command, "--help"});
    CHECK(did.exit_code == 0);
    CHECK_THAT(did.out,
               Contains("  troupe cluster " + std::string{command} + ' '));
  }
  CHECK(cluster({}).exit_code == 125);
}

} // namespace troupe::cluster_cert_test
