#include "config/base/quote.hpp"
#include "runtime/compile/facilities.hpp"
#include "runtime/compile/pointer.hpp"

#include <algorithm>
#include <array>
#include <sys/stat.h>

namespace troupe::plan {

namespace {

struct default_device {
  std::string_view path;
  std::uint32_t major;
  std::uint32_t minor;
};

// config-linux.md, "Default Devices"; numbers from the kernel's devices.txt.
constexpr std::array default_devices{
  default_device{"/dev/null", 1, 3},    default_device{"/dev/zero", 1, 5},
  default_device{"/dev/full", 1, 7},    default_device{"/dev/random", 1, 8},
  default_device{"/dev/urandom", 1, 9}, default_device{"/dev/tty", 5, 0},
};

constexpr std::uint32_t default_permissions = 0666;

constexpr std::string_view core = "/dev/core";

struct default_symlink {
  std::string_view path;
  std::string_view target;
};

// config-linux.md, "Default Devices" (ptmx) and runtime-linux.md, "Dev
// symbolic links"; core is what every other runtime has there too.
constexpr std::array default_symlinks{
  default_symlink{"/dev/fd", "/proc/self/fd"},
  default_symlink{"/dev/stdin", "/proc/self/fd/0"},
  default_symlink{"/dev/stdout", "/proc/self/fd/1"},
  default_symlink{"/dev/stderr", "/proc/self/fd/2"},
  default_symlink{"/dev/ptmx", "pts/ptmx"},
  default_symlink{core, "/proc/kcore"},
};

struct device_type {
  std::string_view letter;
  std::uint32_t mode;
};

constexpr std::array device_types{
  device_type{"c", S_IFCHR},
  device_type{"u", S_IFCHR}, // unbuffered, mknod(1)
  device_type{"b", S_IFBLK},
  device_type{"p", S_IFIFO},
};

// A Linux dev_t has 12 bits of major and 20 of minor, linux/kdev_t.h.
constexpr std::int64_t max_major = 0xfff;
constexpr std::int64_t max_minor = 0xfffff;

result<std::uint32_t> number_of(const std::optional<std::int64_t>& x,
                                std::int64_t max, const std::string& pointer) {
  if (!x)
    return fail(fault::invalid_config,
                pointer + ": missing, required unless the type is p");
  if (*x < 0 || *x > max)
    return fail(fault::invalid_config, pointer + ": found " + std::to_string(*x)
                                         + ", allowed is 0 to "
                                         + std::to_string(max));
  return static_cast<std::uint32_t>(*x);
}

result<device> compile_device(const oci::device& x, std::string origin) {
  const auto row = std::ranges::find(device_types, x.type,
                                     &device_type::letter);
  if (row == device_types.end())
    return fail(fault::invalid_config, origin + "/type: found " + quote(x.type)
                                         + ", expected c, b, u or p");
  device out;
  out.path = in_container(x.path);
  out.mode = row->mode | (x.file_mode.value_or(default_permissions) & 07777);
  out.uid = x.uid.value_or(0);
  out.gid = x.gid.value_or(0);
  if (row->mode != S_IFIFO) {
    TROUPE_TRY(out.major, number_of(x.major, max_major, origin + "/major"));
    TROUPE_TRY(out.minor, number_of(x.minor, max_minor, origin + "/minor"));
  }
  out.origin = std::move(origin);
  return out;
}

std::vector<device> defaults() {
  std::vector<device> out;
  out.reserve(default_devices.size());
  for (const auto& x : default_devices)
    out.push_back({std::string{x.path}, S_IFCHR | default_permissions, x.major,
                   x.minor, 0, 0, ""});
  return out;
}

} // namespace

result<std::vector<device>>
compile_devices(const std::vector<oci::device>& devices, bool own_dev) {
  auto out = own_dev ? defaults() : std::vector<device>{};
  for (std::size_t i = 0; i != devices.size(); ++i) {
    TROUPE_TRY(auto wanted,
               compile_device(devices[i], at("/linux/devices", i)));
    // A /dev of the config's own is the config's to fill.
    if (!own_dev && wanted.path.starts_with("/dev/"))
      continue;
    // /dev/ptmx is always that of the container's own devpts.
    if (own_dev && wanted.path == "/dev/ptmx")
      continue;
    const auto same = std::ranges::find(out, wanted.path, &device::path);
    if (same != out.end())
      *same = std::move(wanted);
    else
      out.push_back(std::move(wanted));
  }
  return out;
}

std::vector<symlink> dev_symlinks(const std::vector<device>& devices,
                                  const host_facts& host) {
  std::vector<symlink> out;
  for (const auto& x : default_symlinks)
    if (std::ranges::find(devices, x.path, &device::path) == devices.end()
        && (host.kernel_core || x.path != core))
      out.push_back({std::string{x.path}, std::string{x.target}});
  return out;
}

} // namespace troupe::plan
