#include "config/base/quote.hpp"
#include "runtime/cgroup/limits.hpp"

namespace troupe::cgroup {

/// Reservations where the kernel counts them, else page faults, as
/// config-linux.md asks.
outcome put_hugepages(write_list& to,
                      const std::vector<oci::hugepage_limit>& xs) {
  for (auto i = std::size_t{0}; i < xs.size(); ++i) {
    const auto& [size, limit] = xs[i];
    const auto pointer = "hugepageLimits/" + std::to_string(i);
    if (size.empty() || size.find_first_of("/|") != std::string::npos)
      return fail(fault::invalid_config, "/linux/resources/" + pointer
                                           + "/pageSize: " + quote(size)
                                           + ": must be like 2MB");
    const auto file = "hugetlb." + size;
    const auto text = std::to_string(limit);
    TROUPE_CHECK(
      to.put("hugetlb",
             {file + ".rsvd.limit_in_bytes|" + file + ".limit_in_bytes",
              file + ".rsvd.max|" + file + ".max"},
             both(text + "|" + text), pointer + "/limit"));
  }
  return {};
}

outcome put_network(write_list& to, const oci::network_resources& x) {
  if (x.class_id && *x.class_id != 0)
    TROUPE_CHECK(to.put("net_cls", {"net_cls.classid", ""},
                        both(std::to_string(*x.class_id)), "network/classID"));
  for (auto i = std::size_t{0}; i < x.priorities.size(); ++i)
    TROUPE_CHECK(to.put("net_prio", {"net_prio.ifpriomap", ""},
                        both(x.priorities[i].name + " "
                             + std::to_string(x.priorities[i].priority)),
                        "network/priorities/" + std::to_string(i)));
  return {};
}

outcome put_rdma(write_list& to,
                 const std::map<std::string, oci::rdma_limit>& x) {
  for (const auto& [device, limit] : x) {
    auto text = device;
    if (limit.hca_handles)
      text += " hca_handle=" + std::to_string(*limit.hca_handles);
    if (limit.hca_objects)
      text += " hca_object=" + std::to_string(*limit.hca_objects);
    TROUPE_CHECK(
      to.put("rdma", both("rdma.max"), both(text), "rdma/" + device));
  }
  return {};
}

} // namespace troupe::cgroup
