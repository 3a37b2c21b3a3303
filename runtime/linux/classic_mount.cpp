#include "runtime/linux/classic_mount.hpp"

#include "runtime/linux/mount.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <string_view>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::sys {

namespace {

/// fsconfig(2), FSCONFIG_SET_STRING: 256 bytes with the final null.
constexpr std::size_t longest_value = 255;

/// mount(2): a page, with the final null.
constexpr std::size_t longest_data = 4095;

constexpr const char* mount_point = "m";

struct flag_word {
  std::string_view word;
  unsigned long flag;
};

// What fsconfig takes as words and mount(2) as bits.
constexpr std::array flag_words{
  flag_word{"ro", MS_RDONLY},
  flag_word{"sync", MS_SYNCHRONOUS},
  flag_word{"dirsync", MS_DIRSYNC},
  flag_word{"lazytime", MS_LAZYTIME},
  flag_word{"mand", MS_MANDLOCK},
  flag_word{"rw", 0},
  flag_word{"async", 0},
  flag_word{"nomand", 0},
  flag_word{"nolazytime", 0},
};

struct arguments {
  unsigned long flags = 0;
  std::string data;
};

result<arguments> arguments_of(std::span<const std::string> data) {
  arguments out;
  for (const auto& option : data) {
    const auto* const row = std::ranges::find(flag_words, option,
                                              &flag_word::word);
    if (row != flag_words.end()) {
      out.flags |= row->flag;
      continue;
    }
    // mount(2) has one text for all options, with commas between them.
    if (option.find(',') != std::string::npos)
      return fail_os(EINVAL, "a comma in a mount option beside a long one:",
                     option.substr(0, longest_value));
    out.data.append(out.data.empty() ? "" : ",").append(option);
  }
  if (out.data.size() > longest_data)
    return fail_os(E2BIG, "mount options of more than 4095 bytes", "");
  return out;
}

/// With the scratch tmpfs as the working directory.
result<unique_fd> mount_here(const std::string& type, const std::string& source,
                             const arguments& with) {
  if (::mkdir(mount_point, 0700) != 0)
    return fail_os(errno, "mkdir", "for a mount");
  const auto& from = source.empty() ? type : source;
  if (::mount(from.c_str(), mount_point, type.c_str(), with.flags,
              with.data.c_str())
      != 0)
    return fail_os(errno, "mount", type);
  auto taken = clone_tree(AT_FDCWD, mount_point, false);
  if (::umount2(mount_point, MNT_DETACH) != 0)
    return fail_os(errno, "umount", type);
  return taken;
}

} // namespace

bool is_too_long(std::span<const std::string> data) noexcept {
  return std::ranges::any_of(data, [](const std::string& option) {
    const auto equals = option.find('=');
    return equals != std::string::npos
           && option.size() - equals - 1 > longest_value;
  });
}

result<unique_fd> make_filesystem_classic(const std::string& type,
                                          const std::string& source,
                                          std::span<const std::string> data,
                                          std::uint64_t attributes,
                                          int scratch) {
  TROUPE_TRY(const auto with, arguments_of(data));
  const unique_fd cwd{::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC)};
  if (!cwd)
    return fail_os(errno, "open", ".");
  TROUPE_TRY(const auto tmpfs, make_filesystem("tmpfs", "tmpfs", {}, 0));
  TROUPE_CHECK(attach_mount(tmpfs.get(), scratch, "a place for a mount"));
  if (::fchdir(tmpfs.get()) != 0)
    return fail_os(errno, "fchdir", "to a place for a mount");
  auto made = mount_here(type, source, with);
  if (::umount2(".", MNT_DETACH) != 0 || ::fchdir(cwd.get()) != 0)
    return fail_os(errno, "umount", "a place for a mount");
  if (made)
    TROUPE_CHECK(change_mount(made->get(), {attributes, 0, 0, false}, type));
  return made;
}

} // namespace troupe::sys
