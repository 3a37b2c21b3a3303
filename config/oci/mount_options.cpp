#include "config/oci/mount_options.hpp"

#include <algorithm>
#include <array>
#include <linux/mount.h>
#include <string_view>

namespace troupe::oci {

namespace {

/// What a word is about.
enum class role : std::uint8_t {
  attribute,   ///< Sets `set` and clears `clear` in struct mount_attr.
  atime_off,   ///< Ends the access time mode `set`, if that is the chosen one.
  propagation, ///< Chooses `set`, an MS_* flag.
  bind,
  remount,
  copy_up,
  idmap,
  data,    ///< A flag that fsconfig(2) takes for any filesystem.
  ignored, ///< Without an effect in the new mount API.
};

struct word {
  std::string_view text;
  role about;
  bool recursive = false;
  std::uint64_t set = 0;
  std::uint64_t clear = 0;
};

using enum role;

// The access time modes are one field, not bits: to choose one is to clear the
// field and to set the mode. relatime is 0, and the kernel's default.
constexpr std::uint64_t atime_field = MOUNT_ATTR__ATIME;

// Sorted by text.
constexpr std::array option_words{
  word{"async", data},
  word{"atime", atime_off, false, MOUNT_ATTR_NOATIME},
  word{"bind", bind},
  word{"defaults", ignored},
  word{"dev", attribute, false, 0, MOUNT_ATTR_NODEV},
  word{"diratime", attribute, false, 0, MOUNT_ATTR_NODIRATIME},
  word{"dirsync", data},
  word{"exec", attribute, false, 0, MOUNT_ATTR_NOEXEC},
  word{"idmap", idmap},
  word{"iversion", ignored},
  word{"lazytime", data},
  word{"loud", ignored},
  word{"mand", data},
  word{"noatime", attribute, false, MOUNT_ATTR_NOATIME, atime_field},
  word{"nodev", attribute, false, MOUNT_ATTR_NODEV},
  word{"nodiratime", attribute, false, MOUNT_ATTR_NODIRATIME},
  word{"noexec", attribute, false, MOUNT_ATTR_NOEXEC},
  word{"noiversion", ignored},
  word{"nolazytime", data},
  word{"nomand", data},
  word{"norelatime", ignored},
  word{"nostrictatime", atime_off, false, MOUNT_ATTR_STRICTATIME},
  word{"nosuid", attribute, false, MOUNT_ATTR_NOSUID},
  word{"nosymfollow", attribute, false, MOUNT_ATTR_NOSYMFOLLOW},
  word{"private", propagation, false, MS_PRIVATE},
  word{"ratime", atime_off, true, MOUNT_ATTR_NOATIME},
  word{"rbind", bind, true},
  word{"rdev", attribute, true, 0, MOUNT_ATTR_NODEV},
  word{"rdiratime", attribute, true, 0, MOUNT_ATTR_NODIRATIME},
  word{"relatime", attribute, false, MOUNT_ATTR_RELATIME, atime_field},
  word{"remount", remount},
  word{"rexec", attribute, true, 0, MOUNT_ATTR_NOEXEC},
  word{"ridmap", idmap, true},
  word{"rnoatime", attribute, true, MOUNT_ATTR_NOATIME, atime_field},
  word{"rnodev", attribute, true, MOUNT_ATTR_NODEV},
  word{"rnodiratime", attribute, true, MOUNT_ATTR_NODIRATIME},
  word{"rnoexec", attribute, true, MOUNT_ATTR_NOEXEC},
  word{"rnorelatime", ignored},
  word{"rnostrictatime", atime_off, true, MOUNT_ATTR_STRICTATIME},
  word{"rnosuid", attribute, true, MOUNT_ATTR_NOSUID},
  word{"rnosymfollow", attribute, true, MOUNT_ATTR_NOSYMFOLLOW},
  word{"ro", attribute, false, MOUNT_ATTR_RDONLY},
  word{"rprivate", propagation, true, MS_PRIVATE},
  word{"rrelatime", attribute, true, MOUNT_ATTR_RELATIME, atime_field},
  word{"rro", attribute, true, MOUNT_ATTR_RDONLY},
  word{"rrw", attribute, true, 0, MOUNT_ATTR_RDONLY},
  word{"rshared", propagation, true, MS_SHARED},
  word{"rslave", propagation, true, MS_SLAVE},
  word{"rstrictatime", attribute, true, MOUNT_ATTR_STRICTATIME, atime_field},
  word{"rsuid", attribute, true, 0, MOUNT_ATTR_NOSUID},
  word{"rsymfollow", attribute, true, 0, MOUNT_ATTR_NOSYMFOLLOW},
  word{"runbindable", propagation, true, MS_UNBINDABLE},
  word{"rw", attribute, false, 0, MOUNT_ATTR_RDONLY},
  word{"shared", propagation, false, MS_SHARED},
  word{"silent", ignored},
  word{"slave", propagation, false, MS_SLAVE},
  word{"strictatime", attribute, false, MOUNT_ATTR_STRICTATIME, atime_field},
  word{"suid", attribute, false, 0, MOUNT_ATTR_NOSUID},
  word{"symfollow", attribute, false, 0, MOUNT_ATTR_NOSYMFOLLOW},
  word{"sync", data},
  word{"tmpcopyup", copy_up},
  word{"unbindable", propagation, false, MS_UNBINDABLE},
};

static_assert(std::ranges::is_sorted(option_words, {}, &word::text));
static_assert(std::ranges::adjacent_find(option_words, {}, &word::text)
              == option_words.end());
static_assert(option_words.size() == 62);

// mount(8), "The following options apply to any filesystem": what it never
// hands to the kernel and what means nothing to a mount made at once.
constexpr std::array<std::string_view, 5> of_mount8{"_netdev", "auto", "noauto",
                                                    "nofail", "nouser"};

bool is_of_mount8(std::string_view text) noexcept {
  return text.starts_with("x-") || text.starts_with("X-")
         || text.starts_with("comment=")
         || std::ranges::find(of_mount8, text) != of_mount8.end();
}

const word* find(std::string_view text) {
  const auto* i = std::ranges::lower_bound(option_words, text, {}, &word::text);
  return i != option_words.end() && i->text == text ? i : nullptr;
}

/// One attr_set and attr_clr pair.
struct attributes {
  std::uint64_t& set;
  std::uint64_t& clear;

  void apply(const word& by) const {
    set = (set & ~by.clear) | by.set;
    clear = (clear | by.clear) & ~(by.set & ~atime_field);
  }

  void end_atime_mode(std::uint64_t mode) const {
    const bool chosen = (clear & atime_field) != 0;
    if (chosen && (set & atime_field) != mode)
      return;
    set &= ~atime_field;
    clear |= atime_field;
  }

  void forget(std::uint64_t bits) const {
    set &= ~bits;
    clear &= ~bits;
  }
};

void apply_attribute(const word& by, mount_options& out) {
  const attributes single{out.attr_set, out.attr_clear};
  const attributes below{out.rec_attr_set, out.rec_attr_clear};
  // A recursive word covers the mount itself too: what was said before about
  // the mount alone is over.
  if (by.recursive)
    single.forget(by.about == atime_off ? atime_field : by.set | by.clear);
  const auto& target = by.recursive ? below : single;
  if (by.about == atime_off)
    target.end_atime_mode(by.set);
  else
    target.apply(by);
}

void apply(const word& by, mount_options& out) {
  switch (by.about) {
  case attribute:
  case atime_off:
    apply_attribute(by, out);
    break;
  case propagation:
    out.propagation = by.set;
    out.propagation_recursive = by.recursive;
    break;
  case bind:
    out.bind = true;
    out.recursive = out.recursive || by.recursive;
    break;
  case remount:
    out.remount = true;
    break;
  case copy_up:
    out.copy_up = true;
    break;
  case idmap:
    out.idmap = by.recursive ? idmap_kind::recursive : idmap_kind::single;
    break;
  case data:
    out.data.emplace_back(by.text);
    break;
  case ignored:
    break;
  }
}

} // namespace

mount_options split(const std::vector<std::string>& options) {
  mount_options out;
  for (const auto& option : options) {
    if (const auto* known = find(option))
      apply(*known, out);
    else if (is_for_filesystem(option))
      out.data.push_back(option);
  }
  return out;
}

bool is_for_filesystem(std::string_view option) noexcept {
  return !option.empty() && find(option) == nullptr && !is_of_mount8(option);
}

std::vector<std::string_view> mount_words() {
  std::vector<std::string_view> out;
  out.reserve(option_words.size());
  for (const auto& each : option_words)
    out.push_back(each.text);
  return out;
}

} // namespace troupe::oci
