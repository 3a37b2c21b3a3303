#include "config/base/failure.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace troupe {

namespace {

struct errno_class {
  int os_errno;
  fault code;
};

constexpr std::array errno_classes{
  errno_class{EPERM, fault::denied},
  errno_class{EACCES, fault::denied},
  errno_class{EROFS, fault::denied},
  errno_class{ENOENT, fault::not_found},
  errno_class{ESRCH, fault::not_found},
  errno_class{ECHILD, fault::not_found},
  errno_class{EEXIST, fault::already_exists},
  errno_class{ENOSYS, fault::unsupported},
  errno_class{EOPNOTSUPP, fault::unsupported},
  errno_class{EAGAIN, fault::exhausted},
  errno_class{EMFILE, fault::exhausted},
  errno_class{ENFILE, fault::exhausted},
  errno_class{ENOMEM, fault::exhausted},
  errno_class{ENOSPC, fault::exhausted},
  errno_class{EDQUOT, fault::exhausted},
  errno_class{ETIMEDOUT, fault::timed_out},
  errno_class{ECONNREFUSED, fault::unavailable},
  errno_class{ECONNRESET, fault::unavailable},
  errno_class{EPIPE, fault::unavailable},
};

constexpr std::array<std::string_view, 16> fault_names{
  "none",
  "invalid_config",
  "unsupported",
  "not_found",
  "already_exists",
  "wrong_state",
  "container_paused",
  "container_destroyed",
  "denied",
  "exhausted",
  "timed_out",
  "unavailable",
  "command_not_found",
  "command_not_executable",
  "os",
  "node_unreachable",
};
static_assert(fault_names.size()
              == static_cast<std::size_t>(fault::node_unreachable) + 1);

} // namespace

std::string_view to_string(fault code) noexcept {
  const auto index = static_cast<std::size_t>(code);
  return index < fault_names.size() ? fault_names[index] : "unknown";
}

fault classify(int os_errno) noexcept {
  for (const auto& row : errno_classes)
    if (row.os_errno == os_errno)
      return row.code;
  return fault::os;
}

std::string_view errno_name(int os_errno) noexcept {
  const auto* name = ::strerrorname_np(os_errno);
  return name ? name : "E?";
}

failure failure::during(std::string_view doing) && {
  what.insert(0, ": ").insert(0, doing);
  return std::move(*this);
}

failure os_failure(int os_errno, std::string_view call,
                   std::string_view subject) {
  auto what = std::string{call};
  if (!subject.empty())
    what.append(" ").append(subject);
  what.append(": ").append(errno_name(os_errno));
  if (const auto* text = ::strerrordesc_np(os_errno))
    what.append(" (").append(text).append(")");
  return {classify(os_errno), os_errno, std::move(what)};
}

} // namespace troupe
