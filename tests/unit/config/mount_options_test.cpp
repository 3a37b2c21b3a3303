#include "config/oci/mount_options.hpp"

#include <catch2/catch.hpp>

#include <linux/mount.h>

namespace troupe::mount_options_test {

using namespace troupe::oci;

namespace {

mount_options with(void (*change)(mount_options&)) {
  mount_options out;
  change(out);
  return out;
}

struct row {
  const char* word;
  mount_options means;
};

mount_options sets(std::uint64_t bits) {
  mount_options out;
  out.attr_set = bits;
  return out;
}

mount_options clears(std::uint64_t bits) {
  mount_options out;
  out.attr_clear = bits;
  return out;
}

mount_options mode(std::uint64_t bits) {
  auto out = sets(bits);
  out.attr_clear = MOUNT_ATTR__ATIME;
  return out;
}

mount_options below(const mount_options& single) {
  mount_options out;
  out.rec_attr_set = single.attr_set;
  out.rec_attr_clear = single.attr_clear;
  return out;
}

mount_options spreads(std::uint64_t flag, bool recursive) {
  mount_options out;
  out.propagation = flag;
  out.propagation_recursive = recursive;
  return out;
}

mount_options data(const char* word) {
  mount_options out;
  out.data = {word};
  return out;
}

// config.md, "Linux mount options": the whole table.
const std::vector<row> rows{
  {"async", data("async")},
  {"atime", mode(0)},
  {"bind", with([](mount_options& x) { x.bind = true; })},
  {"defaults", {}},
  {"dev", clears(MOUNT_ATTR_NODEV)},
  {"diratime", clears(MOUNT_ATTR_NODIRATIME)},
  {"dirsync", data("dirsync")},
  {"exec", clears(MOUNT_ATTR_NOEXEC)},
  {"iversion", {}},
  {"lazytime", data("lazytime")},
  {"loud", {}},
  {"mand", data("mand")},
  {"noatime", mode(MOUNT_ATTR_NOATIME)},
  {"nodev", sets(MOUNT_ATTR_NODEV)},
  {"nodiratime", sets(MOUNT_ATTR_NODIRATIME)},
  {"noexec", sets(MOUNT_ATTR_NOEXEC)},
  {"noiversion", {}},
  {"nolazytime", data("nolazytime")},
  {"nomand", data("nomand")},
  {"norelatime", {}},
  {"nostrictatime", mode(0)},
  {"nosuid", sets(MOUNT_ATTR_NOSUID)},
  {"nosymfollow", sets(MOUNT_ATTR_NOSYMFOLLOW)},
  {"private", spreads(MS_PRIVATE, false)},
  {"ratime", below(mode(0))},
  {"rbind", with([](mount_options& x) { x.bind = x.recursive = true; })},
  {"rdev", below(clears(MOUNT_ATTR_NODEV))},
  {"rdiratime", below(clears(MOUNT_ATTR_NODIRATIME))},
  {"relatime", mode(0)},
  {"remount", with([](mount_options& x) { x.remount = true; })},
  {"rexec", below(clears(MOUNT_ATTR_NOEXEC))},
  {"rnoatime", below(mode(MOUNT_ATTR_NOATIME))},
  {"rnodev", below(sets(MOUNT_ATTR_NODEV))},
  {"rnodiratime", below(sets(MOUNT_ATTR_NODIRATIME))},
  {"rnoexec", below(sets(MOUNT_ATTR_NOEXEC))},
  {"rnorelatime", {}},
  {"rnostrictatime", below(mode(0))},
  {"rnosuid", below(sets(MOUNT_ATTR_NOSUID))},
  {"rnosymfollow", below(sets(MOUNT_ATTR_NOSYMFOLLOW))},
  {"ro", sets(MOUNT_ATTR_RDONLY)},
  {"rprivate", spreads(MS_PRIVATE, true)},
  {"rrelatime", below(mode(0))},
  {"rro", below(sets(MOUNT_ATTR_RDONLY))},
  {"rrw", below(clears(MOUNT_ATTR_RDONLY))},
  {"rshared", spreads(MS_SHARED, true)},
  {"rslave", spreads(MS_SLAVE, true)},
  {"rstrictatime", below(mode(MOUNT_ATTR_STRICTATIME))},
  {"rsuid", below(clears(MOUNT_ATTR_NOSUID))},
  {"rsymfollow", below(clears(MOUNT_ATTR_NOSYMFOLLOW))},
  {"runbindable", spreads(MS_UNBINDABLE, true)},
  {"rw", clears(MOUNT_ATTR_RDONLY)},
  {"shared", spreads(MS_SHARED, false)},
  {"silent", {}},
  {"slave", spreads(MS_SLAVE, false)},
  {"strictatime", mode(MOUNT_ATTR_STRICTATIME)},
  {"suid", clears(MOUNT_ATTR_NOSUID)},
  {"symfollow", clears(MOUNT_ATTR_NOSYMFOLLOW)},
  {"sync", data("sync")},
  {"tmpcopyup", with([](mount_options& x) { x.copy_up = true; })},
  {"unbindable", spreads(MS_UNBINDABLE, false)},
  {"idmap", with([](mount_options& x) { x.idmap = idmap_kind::single; })},
  {"ridmap", with([](mount_options& x) { x.idmap = idmap_kind::recursive; })},
};

} // namespace

TEST_CASE("every mount option of the spec means what the spec says") {
  CHECK(rows.size() == 62);
  for (const auto& [word, means] : rows) {
    CAPTURE(word);
    CHECK(split({word}) == means);
  }
}

TEST_CASE("a later mount option overrides an earlier one") {
  CHECK(split({"ro", "rw"}) == clears(MOUNT_ATTR_RDONLY));
  CHECK(split({"rw", "ro"}) == sets(MOUNT_ATTR_RDONLY));
  CHECK(split({"noatime", "strictatime"}) == mode(MOUNT_ATTR_STRICTATIME));
  CHECK(split({"strictatime", "relatime"}) == mode(0));
  CHECK(split({"private", "rshared"}) == spreads(MS_SHARED, true));
}

TEST_CASE("an access time mode ends only by its own opposite") {
  CHECK(split({"noatime", "nostrictatime"}) == mode(MOUNT_ATTR_NOATIME));
  CHECK(split({"strictatime", "atime"}) == mode(MOUNT_ATTR_STRICTATIME));
  CHECK(split({"noatime", "atime"}) == mode(0));
  CHECK(split({"rstrictatime", "rnostrictatime"}) == below(mode(0)));
}

TEST_CASE("a recursive word ends what was said about the mount alone") {
  CHECK(split({"rw", "rro"}) == below(sets(MOUNT_ATTR_RDONLY)));
  auto both = below(sets(MOUNT_ATTR_RDONLY));
  both.attr_clear = MOUNT_ATTR_RDONLY;
  CHECK(split({"rro", "rw"}) == both);
  CHECK(split({"noatime", "rstrictatime"})
        == below(mode(MOUNT_ATTR_STRICTATIME)));
}

TEST_CASE("no attribute is both set and cleared, the atime field excepted") {
  for (const auto& first : rows)
    for (const auto& second : rows) {
      const auto x = split({first.word, second.word});
      CAPTURE(first.word, second.word);
      CHECK((x.attr_set & x.attr_clear & ~std::uint64_t{MOUNT_ATTR__ATIME})
            == 0);
      CHECK(
        (x.rec_attr_set & x.rec_attr_clear & ~std::uint64_t{MOUNT_ATTR__ATIME})
        == 0);
      // mount_setattr(2): to set a mode is to clear the whole field.
      if (x.attr_set & MOUNT_ATTR__ATIME)
        CHECK((x.attr_clear & MOUNT_ATTR__ATIME) == MOUNT_ATTR__ATIME);
      if (x.rec_attr_set & MOUNT_ATTR__ATIME)
        CHECK((x.rec_attr_clear & MOUNT_ATTR__ATIME) == MOUNT_ATTR__ATIME);
    }
}

TEST_CASE("unknown words are the filesystem's, in their order") {
  const auto x = split({"mode=755", "ro", "size=64k", "noswap", "", "sync"});
  CHECK(x.data
        == std::vector<std::string>{"mode=755", "size=64k", "noswap", "sync"});
  CHECK(x.attr_set == MOUNT_ATTR_RDONLY);
  CHECK(split({"RO", "rbindx", "bin"}).data
        == std::vector<std::string>{"RO", "rbindx", "bin"});
}

TEST_CASE("rbind stays recursive when bind follows") {
  CHECK(split({"rbind", "bind"}).recursive);
  CHECK_FALSE(split({"bind"}).recursive);
}

TEST_CASE("what mount(8) keeps for itself is nobody's") {
  CHECK(split({"x-systemd.automount", "X-mount.mkdir", "comment=a", "_netdev",
               "auto", "noauto", "nofail", "nouser"})
        == mount_options{});
  CHECK(split({"xattr", "nofailure"}).data
        == std::vector<std::string>{"xattr", "nofailure"});
}

TEST_CASE("a word of a file system is neither the spec's nor mount(8)'s") {
  CHECK(is_for_filesystem("mode=755"));
  CHECK(is_for_filesystem("rbindx"));
  for (const auto* word : {"", "sync", "rro", "idmap", "defaults", "x-a"}) {
    CAPTURE(word);
    CHECK_FALSE(is_for_filesystem(word));
  }
}

} // namespace troupe::mount_options_test
