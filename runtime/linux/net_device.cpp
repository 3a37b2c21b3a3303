#include "runtime/linux/net_device.hpp"

#include "runtime/linux/file.hpp"
#include "runtime/linux/namespaces.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <memory>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <sched.h>
#include <set>
#include <vector>

namespace troupe::sys {

namespace {

// -- libnl's objects, owned
// ----------------------------------------------------

template <auto Release>
struct releaser {
  template <class T>
  void operator()(T* x) const {
    Release(x);
  }
};

using nl_socket = std::unique_ptr<nl_sock, releaser<&nl_socket_free>>;
using link_object = std::unique_ptr<rtnl_link, releaser<&rtnl_link_put>>;
using address = std::unique_ptr<rtnl_addr, releaser<&rtnl_addr_put>>;
using cache = std::unique_ptr<nl_cache, releaser<&nl_cache_free>>;

struct error_row {
  int code; ///< NLE_*
  int os_errno;
};

// The way back from libnl's own codes, as its nl_syserr2nlerr() takes it there.
constexpr std::array error_rows{
  error_row{NLE_EXIST, EEXIST},        error_row{NLE_NODEV, ENODEV},
  error_row{NLE_OBJ_NOTFOUND, ENODEV}, error_row{NLE_PERM, EPERM},
  error_row{NLE_NOACCESS, EACCES},     error_row{NLE_BUSY, EBUSY},
  error_row{NLE_INVAL, EINVAL},        error_row{NLE_OPNOTSUPP, EOPNOTSUPP},
  error_row{NLE_NOMEM, ENOMEM},        error_row{NLE_RANGE, ERANGE},
};

tl::unexpected<failure> nl_failure(int code, std::string_view doing,
                                   const std::string& subject) {
  const auto* const row = std::ranges::find(error_rows, std::abs(code),
                                            &error_row::code);
  if (row != error_rows.end())
    return fail_os(row->os_errno, doing, subject);
  return fail_os(EIO, std::string{doing} + ": " + ::nl_geterror(code), subject);
}

outcome check(int code, std::string_view doing, const std::string& subject) {
  if (code >= 0)
    return {};
  return nl_failure(code, doing, subject);
}

// -- sockets ------------------------------------------------------------------

/// A socket belongs to the namespace in which it was made.
result<nl_socket> socket_in(int netns) {
  TROUPE_TRY(const auto own,
             open_file(AT_FDCWD, "/proc/self/ns/net", O_RDONLY));
  TROUPE_CHECK(enter_namespace(netns, CLONE_NEWNET, "network"));
  auto out = nl_socket{::nl_socket_alloc()};
  const auto connected = out ? ::nl_connect(out.get(), NETLINK_ROUTE)
                             : -NLE_NOMEM;
  TROUPE_CHECK(enter_namespace(own.get(), CLONE_NEWNET, "network"));
  TROUPE_CHECK(check(connected, "connect", "to rtnetlink"));
  return out;
}

// -- devices ------------------------------------------------------------------

result<link_object> find_link(const nl_socket& at, const std::string& name) {
  rtnl_link* found = nullptr;
  TROUPE_CHECK(check(::rtnl_link_get_kernel(at.get(), 0, name.c_str(), &found),
                     "find network device", name));
  return link_object{found};
}

result<std::set<int>> indices(const nl_socket& at) {
  nl_cache* all = nullptr;
  TROUPE_CHECK(check(::rtnl_link_alloc_cache(at.get(), AF_UNSPEC, &all), "list",
                     "network devices"));
  const cache owned{all};
  std::set<int> out;
  for (auto* x = ::nl_cache_get_first(all); x; x = ::nl_cache_get_next(x))
    out.insert(::rtnl_link_get_ifindex(reinterpret_cast<rtnl_link*>(x)));
  return out;
}

/// The device that has come since `before`.
result<link_object> find_new(const nl_socket& at, const std::set<int>& before,
                             const std::string& name) {
  TROUPE_TRY(const auto now, indices(at));
  for (const auto index : now)
    if (!before.contains(index)) {
      rtnl_link* found = nullptr;
      TROUPE_CHECK(
        check(::rtnl_link_get_kernel(at.get(), index, nullptr, &found), "find",
              name));
      return link_object{found};
    }
  return fail_os(ENODEV, "find the moved network device", name);
}

outcome change(const nl_socket& at, const link_object& device,
               const link_object& to, std::string_view doing,
               const std::string& name) {
  return check(::rtnl_link_change(at.get(), device.get(), to.get(), 0), doing,
               name);
}

outcome move_link(const nl_socket& at, const link_object& device, int to,
                  const std::string& new_name) {
  const link_object wanted{::rtnl_link_alloc()};
  ::rtnl_link_set_ns_fd(wanted.get(), to);
  ::rtnl_link_set_name(wanted.get(), new_name.c_str());
  return change(at, device, wanted, "move network device",
                ::rtnl_link_get_name(device.get()));
}

outcome bring_up(const nl_socket& at, const link_object& device) {
  const link_object wanted{::rtnl_link_alloc()};
  ::rtnl_link_set_flags(wanted.get(), IFF_UP);
  return change(at, device, wanted, "bring up",
                ::rtnl_link_get_name(device.get()));
}

// -- addresses ----------------------------------------------------------------

/// config-linux.md, "Network Devices": permanent, of global scope.
bool is_kept(rtnl_addr* x, int index) {
  return ::rtnl_addr_get_ifindex(x) == index
         && ::rtnl_addr_get_scope(x) == RT_SCOPE_UNIVERSE
         && (::rtnl_addr_get_flags(x) & IFA_F_PERMANENT) != 0;
}

/// What may be said of a new address again; the rest is the kernel's.
constexpr unsigned settable = IFA_F_NODAD | IFA_F_HOMEADDRESS
                              | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE
                              | IFA_F_MCAUTOJOIN;

/// Without its label, which begins with the device's old name.
address copy_of(rtnl_addr* x) {
  address out{::rtnl_addr_alloc()};
  ::rtnl_addr_set_local(out.get(), ::rtnl_addr_get_local(x));
  if (auto* peer = ::rtnl_addr_get_peer(x))
    ::rtnl_addr_set_peer(out.get(), peer);
  if (auto* broadcast = ::rtnl_addr_get_broadcast(x))
    ::rtnl_addr_set_broadcast(out.get(), broadcast);
  ::rtnl_addr_set_scope(out.get(), ::rtnl_addr_get_scope(x));
  ::rtnl_addr_set_flags(out.get(), ::rtnl_addr_get_flags(x) & settable);
  return out;
}

result<std::vector<address>> addresses_of(const nl_socket& at, int index) {
  nl_cache* all = nullptr;
  TROUPE_CHECK(check(::rtnl_addr_alloc_cache(at.get(), &all), "list",
                     "addresses of network devices"));
  const cache owned{all};
  std::vector<address> out;
  for (auto* x = ::nl_cache_get_first(all); x; x = ::nl_cache_get_next(x))
    if (auto* each = reinterpret_cast<rtnl_addr*>(x); is_kept(each, index))
      out.push_back(copy_of(each));
  return out;
}

outcome set_up(const nl_socket& at, const link_object& device,
               const std::vector<address>& addresses) {
  for (const auto& each : addresses) {
    ::rtnl_addr_set_ifindex(each.get(), ::rtnl_link_get_ifindex(device.get()));
    TROUPE_CHECK(check(::rtnl_addr_add(at.get(), each.get(), 0), "add address",
                       ::rtnl_link_get_name(device.get())));
  }
  return bring_up(at, device);
}

} // namespace

result<std::string> move_net_device(int from, int to, const std::string& name,
                                    const std::string& new_name) {
  TROUPE_TRY(const auto here, socket_in(from));
  TROUPE_TRY(const auto there, socket_in(to));
  TROUPE_TRY(const auto device, find_link(here, name));
  // The kernel would move first, and then find that it cannot rename.
  if (find_link(there, new_name))
    return fail_os(EEXIST, "network device in the container", new_name);
  TROUPE_TRY(const auto addresses,
             addresses_of(here, ::rtnl_link_get_ifindex(device.get())));
  TROUPE_TRY(const auto before, indices(there));
  TROUPE_CHECK(move_link(here, device, to, new_name));
  TROUPE_TRY(const auto moved, find_new(there, before, new_name));
  if (const auto done = set_up(there, moved, addresses); !done) {
    (void)move_link(there, moved, from, name); // the failure is `done`'s
    return fail(done.error());
  }
  return std::string{::rtnl_link_get_name(moved.get())};
}

} // namespace troupe::sys
