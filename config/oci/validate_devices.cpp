#include "config/oci/rules.hpp"
#include "config/oci/words.hpp"

#include <sys/stat.h>

namespace troupe::oci::rules {

namespace {

// The kernel's dev_t: 12 bits of major, 20 bits of minor.
constexpr std::int64_t last_major = (1 << 12) - 1;
constexpr std::int64_t last_minor = (1 << 20) - 1;

outcome check_number(const pointer& at, bool required,
                     const std::optional<std::int64_t>& number,
                     std::int64_t last) {
  if (number)
    return check_range(at, *number, 0, last);
  if (required)
    return refuse(at, "an integer from 0 to " + std::to_string(last),
                  "nothing");
  return {};
}

std::uint32_t file_type(std::string_view letter) {
  return letter == "b" ? S_IFBLK : letter == "p" ? S_IFIFO : S_IFCHR;
}

outcome check_device(const device& x, const pointer& at) {
  TROUPE_CHECK(check_word(at / "type", x.type, words::device_types));
  TROUPE_CHECK(check_absolute(at / "path", x.path));
  const bool has_number = x.type != "p";
  TROUPE_CHECK(check_number(at / "major", has_number, x.major, last_major));
  TROUPE_CHECK(check_number(at / "minor", has_number, x.minor, last_minor));
  // Podman leaves the file type in it, which `type` says again.
  constexpr std::uint32_t permissions = 07777;
  if (x.file_mode && (*x.file_mode & ~permissions) != file_type(x.type))
    TROUPE_CHECK(check_range(at / "fileMode", *x.file_mode, 0, permissions));
  return {};
}

} // namespace

outcome check_devices(const linux_config& x, const pointer& at) {
  for (std::size_t i = 0; i < x.devices.size(); ++i)
    TROUPE_CHECK(check_device(x.devices[i], at / i));
  return {};
}

} // namespace troupe::oci::rules
