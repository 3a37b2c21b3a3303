#include "config/base/quote.hpp"
#include "config/oci/rules.hpp"

#include <algorithm>
#include <array>

namespace troupe::oci::rules {

namespace {

/// A family of keys that belongs to a namespace; all others are the host's.
struct family {
  std::string_view prefix; ///< With a final dot: everything below it.
  namespace_kind kind;
};

// namespaces(7); kernel ipc/ipc_sysctl.c, ipc/mq_sysctl.c,
// kernel/utsname_sysctl.c
constexpr std::array families{
  family{"fs.mqueue.", namespace_kind::ipc},
  family{"kernel.domainname", namespace_kind::uts},
  family{"kernel.hostname", namespace_kind::uts},
  family{"kernel.msgmax", namespace_kind::ipc},
  family{"kernel.msgmnb", namespace_kind::ipc},
  family{"kernel.msgmni", namespace_kind::ipc},
  family{"kernel.msg_next_id", namespace_kind::ipc},
  family{"kernel.sem", namespace_kind::ipc},
  family{"kernel.sem_next_id", namespace_kind::ipc},
  family{"kernel.shm_next_id", namespace_kind::ipc},
  family{"kernel.shm_rmid_forced", namespace_kind::ipc},
  family{"kernel.shmall", namespace_kind::ipc},
  family{"kernel.shmmax", namespace_kind::ipc},
  family{"kernel.shmmni", namespace_kind::ipc},
  family{"net.", namespace_kind::network},
};

bool belongs(std::string_view key, const family& to) {
  return to.prefix.ends_with('.') ? key.starts_with(to.prefix)
                                  : key == to.prefix;
}

/// sysctl(8): `net/ipv4/conf/eth0.100/forwarding` has slashes for separators
/// and dots for what they are. Returns the key with the two exchanged.
std::string with_dots(std::string_view key) {
  std::string out{key};
  const auto first = key.find_first_of("./");
  if (first == key.npos || key[first] == '.')
    return out;
  for (char& c : out)
    c = c == '/' ? '.' : c == '.' ? '/' : c;
  return out;
}

/// The components become a path below /proc/sys: none may be empty (a leading
/// or doubled dot), and none `.` or `..`, which the exchange makes `/` and
/// `//`.
bool is_clean(std::string_view dotted) {
  if (dotted.empty() || dotted.back() == '.')
    return false;
  while (!dotted.empty()) {
    const auto dot = dotted.find('.');
    const auto part = dotted.substr(0, dot);
    if (part.empty() || part == "/" || part == "//")
      return false;
    dotted.remove_prefix(dot == dotted.npos ? dotted.size() : dot + 1);
  }
  return true;
}

} // namespace

outcome check_sysctls(const linux_config& x, const pointer& at) {
  for (const auto& [key, value] : x.sysctl) {
    const auto dotted = with_dots(key);
    if (!is_clean(dotted))
      return refuse(at / key, "names separated by single dots", quote(key));
    const auto* to = std::ranges::find_if(
      families, [&](const family& each) { return belongs(dotted, each); });
    if (to == families.end())
      return refuse(at / key,
                    "a key of a namespace: net.*, fs.mqueue.*, "
                    "kernel.{shm,msg,sem}*, kernel.{host,domain}name",
                    "one of the host");
    TROUPE_CHECK(check_has_namespace(x, to->kind, at / key));
  }
  return {};
}

} // namespace troupe::oci::rules
