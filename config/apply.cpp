#include "config/base/quote.hpp"
#include "config/default_seccomp.hpp"
#include "config/json/checks.hpp"
#include "config/oci/pressure_trigger.hpp"
#include "config/oci/words.hpp"
#include "config/run_options.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace troupe {

namespace {

using json::pointer;
using json::refuse;
using words_t = std::vector<std::string>;

pointer option(std::string_view name) {
  return pointer{"/options"} / name;
}

bool contains(const words_t& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

// -- the process --------------------------------------------------------------

outcome apply_command(const run_options& by, oci::process& to) {
  if (!by.args.empty())
    to.args = by.args;
  if (by.cwd.empty())
    return {};
  if (!by.cwd.starts_with('/'))
    return refuse(option("cwd"), "an absolute path", quote(by.cwd));
  to.cwd = by.cwd;
  return {};
}

outcome apply_environment(const run_options& by, oci::process& to) {
  for (std::size_t i = 0; i < by.env.size(); ++i) {
    const auto& entry = by.env[i];
    const auto equals = entry.find('=');
    if (equals == std::string::npos || equals == 0)
      return refuse(option("env") / i, "NAME=value",
                    equals == 0 ? "no name" : "no '='");
    const auto name = std::string_view{entry}.substr(0, equals + 1);
    const auto same = std::ranges::find_if(
      to.env, [&](const auto& each) { return each.starts_with(name); });
    if (same == to.env.end())
      to.env.push_back(entry);
    else
      *same = entry;
  }
  return {};
}

/// A decimal id; 2^32 - 1 is none.
std::optional<std::uint32_t> parse_id(std::string_view text) {
  std::uint32_t out = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, out);
  if (error != std::errc{} || rest != end || out == 0xffff'ffff)
    return std::nullopt;
  return out;
}

outcome apply_user(const run_options& by, oci::process& to) {
  if (by.user.empty())
    return {};
  const auto text = std::string_view{by.user};
  const auto colon = text.find(':');
  const auto uid = parse_id(text.substr(0, colon));
  const auto gid = colon == text.npos ? std::optional{to.user.gid}
                                      : parse_id(text.substr(colon + 1));
  if (!uid || !gid)
    return refuse(option("user"), "uid or uid:gid, each from 0 to 4294967294",
                  quote(by.user));
  to.user.uid = *uid;
  to.user.gid = *gid;
  to.user.additional_gids.clear();
  return {};
}

// -- capabilities -------------------------------------------------------------

/// `net_admin` and `CAP_NET_ADMIN` are one; `ALL` is every name.
result<words_t> expand_capabilities(const words_t& names, const pointer& at) {
  words_t out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    auto name = names[i];
    for (char& c : name)
      if (c >= 'a' && c <= 'z')
        c = static_cast<char>(c - 'a' + 'A');
    if (name == "ALL") {
      out.assign(oci::words::capabilities.begin(),
                 oci::words::capabilities.end());
      continue;
    }
    if (!name.starts_with("CAP_"))
      name.insert(0, "CAP_");
    if (std::ranges::find(oci::words::capabilities, name)
        == oci::words::capabilities.end())
      return refuse(at / i, "a name of capabilities(7) or ALL",
                    quote(names[i]));
    out.push_back(std::move(name));
  }
  return out;
}

/// `ALL` yields to a name on the other side, as in docker: drop ALL and add
/// one leaves that one, add ALL and drop one leaves the others.
words_t changed(const words_t& from, const words_t& add, const words_t& drop) {
  const bool drops_all = std::ranges::all_of(
    oci::words::capabilities,
    [&](std::string_view name) { return contains(drop, name); });
  words_t out;
  for (const auto name : oci::words::capabilities) {
    const bool kept = contains(from, name) && !contains(drop, name);
    const bool added = contains(add, name)
                       && (drops_all || !contains(drop, name));
    if (kept || added)
      out.emplace_back(name);
  }
  return out;
}

void keep_only(words_t& set, const words_t& allowed) {
  std::erase_if(set,
                [&](const auto& name) { return !contains(allowed, name); });
}

outcome apply_capabilities(const run_options& by, oci::spec& to) {
  if (by.cap_add.empty() && by.cap_drop.empty())
    return {};
  TROUPE_TRY(const auto add,
             expand_capabilities(by.cap_add, option("cap_add")));
  TROUPE_TRY(const auto drop,
             expand_capabilities(by.cap_drop, option("cap_drop")));
  auto& sets = to.process->capabilities;
  if (!sets) // The process would keep all that root has.
    sets.emplace().bounding = {oci::words::capabilities.begin(),
                               oci::words::capabilities.end()};
  auto& profile = to.linux_.seccomp;
  const bool is_default = profile && profile == default_seccomp(sets->bounding);
  sets->bounding = changed(sets->bounding, add, drop);
  sets->effective = sets->bounding;
  sets->permitted = sets->bounding;
  keep_only(sets->inheritable, sets->bounding);
  keep_only(sets->ambient, sets->inheritable);
  if (is_default)
    profile = default_seccomp(sets->bounding);
  return {};
}

// -- volumes ------------------------------------------------------------------

constexpr std::array<std::string_view, 21> volume_words{
  "ro",          "rro",    "rw",      "bind",  "rbind",  "private",
  "rprivate",    "shared", "rshared", "slave", "rslave", "unbindable",
  "runbindable", "nosuid", "suid",    "nodev", "dev",    "noexec",
  "exec",        "idmap",  "ridmap"};

std::vector<std::string_view> pieces_of(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  for (;;) {
    const auto end = text.find(separator);
    out.push_back(text.substr(0, end));
    if (end == text.npos)
      return out;
    text.remove_prefix(end + 1);
  }
}

bool has_any(const words_t& words, std::span<const std::string_view> of) {
  return std::ranges::any_of(
    of, [&](std::string_view word) { return contains(words, word); });
}

/// `SRC:DST[:word,word...]` as a bind mount: recursive and private unless the
/// words say otherwise.
result<oci::mount> parse_volume(std::string_view text, const pointer& at) {
  const auto pieces = pieces_of(text, ':');
  if (pieces.size() < 2 || pieces.size() > 3)
    return refuse(at, "SRC:DST[:words]", quote(text));
  if (!pieces[0].starts_with('/') || !pieces[1].starts_with('/'))
    return refuse(at, "absolute paths", quote(text));
  if (pieces[1] == "/")
    return refuse(at, "a destination below /", quote(text));
  oci::mount out{
    std::string{pieces[1]}, "bind", std::string{pieces[0]}, {}, {}, {}};
  if (pieces.size() == 3)
    for (const auto word : pieces_of(pieces[2], ',')) {
      if (std::ranges::find(volume_words, word) == volume_words.end())
        return refuse(at, "words of " + joined(volume_words), quote(word));
      // A read-only volume with writable mounts below it surprises.
      out.options.emplace_back(word == "ro" ? "rro" : word);
    }
  if (!contains(out.options, "bind") && !contains(out.options, "rbind"))
    out.options.insert(out.options.begin(), "rbind");
  if (!has_any(out.options, oci::words::propagations))
    out.options.emplace_back("rprivate");
  return out;
}

outcome apply_volumes(const run_options& by, oci::spec& to) {
  for (std::size_t i = 0; i < by.volumes.size(); ++i) {
    TROUPE_TRY(auto volume, parse_volume(by.volumes[i], option("volumes") / i));
    std::erase_if(to.mounts, [&](const oci::mount& each) {
      return each.destination == volume.destination;
    });
    to.mounts.push_back(std::move(volume));
  }
  return {};
}

// -- limits -------------------------------------------------------------------

outcome apply_memory(const run_options& by, oci::resources& to) {
  if (!by.memory)
    return {};
  if (*by.memory != -1 && *by.memory <= 0)
    return refuse(option("memory"), "bytes from 1 up, or -1 for no limit",
                  std::to_string(*by.memory));
  if (!to.memory)
    to.memory.emplace();
  to.memory->limit = by.memory;
  return {};
}

outcome apply_cpus(const run_options& by, oci::resources& to) {
  constexpr double least = 0.01; // The kernel's smallest quota is 1 ms.
  constexpr double most = 8192;  // NR_CPUS
  constexpr std::int64_t period = 100'000;
  if (!by.cpus)
    return {};
  if (!(*by.cpus >= least && *by.cpus <= most))
    return refuse(option("cpus"), "a number from 0.01 to 8192",
                  std::to_string(*by.cpus));
  if (!to.cpu)
    to.cpu.emplace();
  to.cpu->period = period;
  to.cpu->quota = std::llround(*by.cpus * period);
  return {};
}

outcome apply_limits(const run_options& by, oci::spec& to) {
  if (!by.memory && !by.cpus && !by.pids_limit)
    return {};
  if (!to.linux_.resources)
    to.linux_.resources.emplace();
  auto& resources = *to.linux_.resources;
  TROUPE_CHECK(apply_memory(by, resources));
  TROUPE_CHECK(apply_cpus(by, resources));
  constexpr std::int64_t most_pids = 4 << 20; // PID_MAX_LIMIT
  if (by.pids_limit && (*by.pids_limit < -1 || *by.pids_limit > most_pids))
    return refuse(option("pids_limit"), "an integer from -1 to 4194304",
                  std::to_string(*by.pids_limit));
  if (by.pids_limit)
    resources.pids_limit = by.pids_limit;
  return {};
}

// -- network, host name -------------------------------------------------------

bool has_namespace(const oci::spec& in, oci::namespace_kind kind) {
  return std::ranges::find(in.linux_.namespaces, kind,
                           &oci::namespace_entry::kind)
         != in.linux_.namespaces.end();
}

void drop_namespace(oci::spec& from, oci::namespace_kind kind) {
  std::erase_if(from.linux_.namespaces,
                [&](const auto& each) { return each.kind == kind; });
}

/// sysfs can only be mounted by who owns the network namespace: a container
/// with an own user namespace on the host's network binds the host's /sys.
void bind_sysfs(oci::spec& in) {
  for (auto& each : in.mounts)
    if (each.type == "sysfs")
      each = {each.destination,
              "bind",
              "/sys",
              {"rbind", "nosuid", "noexec", "nodev", "rro"},
              {},
              {}};
}

outcome apply_network(const run_options& by, oci::spec& to) {
  if (by.network.empty())
    return {};
  if (by.network != "none" && by.network != "host")
    return refuse(option("network"), "none or host", quote(by.network));
  drop_namespace(to, oci::namespace_kind::network);
  if (by.network == "none")
    to.linux_.namespaces.push_back({oci::namespace_kind::network, {}});
  else if (has_namespace(to, oci::namespace_kind::user))
    bind_sysfs(to);
  return {};
}

outcome apply_hostname(const run_options& by, oci::spec& to) {
  constexpr std::size_t longest = 64; // sethostname(2)
  if (by.hostname.empty())
    return {};
  if (by.hostname.size() > longest)
    return refuse(option("hostname"), "at most 64 bytes",
                  std::to_string(by.hostname.size()));
  if (!has_namespace(to, oci::namespace_kind::uts))
    return refuse(option("hostname"),
                  "a uts namespace in the spec's /linux/namespaces", "none");
  to.hostname = by.hostname;
  return {};
}

outcome apply_terminal(const run_options& by, oci::process& to) {
  constexpr std::int64_t most = 65535; // struct winsize, ioctl_tty(2)
  for (const auto& [name, value] :
       {std::pair{"rows", by.rows}, std::pair{"cols", by.cols}})
    if (value < 0 || value > most)
      return refuse(option(name), "0 to 65535", std::to_string(value));
  if (!by.tty)
    return {};
  to.terminal = true;
  if (std::ranges::none_of(to.env, [](const std::string& each) {
        return each.starts_with("TERM=");
      }))
    to.env.emplace_back("TERM=xterm"); // as docker's
  to.console_size = oci::console_size{
    .height = static_cast<std::uint16_t>(by.rows),
    .width = static_cast<std::uint16_t>(by.cols)};
  return {};
}

outcome apply_pressure(const run_options& by, oci::spec& to) {
  std::string all;
  for (auto i = std::size_t{0}; i < by.notify_pressure.size(); ++i) {
    const auto& each = by.notify_pressure[i];
    if (auto parsed = parse_pressure_trigger(each); !parsed)
      return fail(std::move(parsed).error().during("/options/notify_pressure/"
                                                   + std::to_string(i)));
    all.append(all.empty() ? "" : ",").append(each);
  }
  if (!all.empty())
    to.annotations[std::string{pressure_annotation}] = all;
  return {};
}

} // namespace

outcome apply(const run_options& options, oci::spec& spec) {
  if (!spec.process)
    spec.process.emplace().cwd = "/";
  if (!spec.root)
    return refuse(pointer{"/root"}, "an object", "nothing");
  if (options.read_only)
    spec.root->readonly = true;
  TROUPE_CHECK(apply_command(options, *spec.process));
  TROUPE_CHECK(apply_environment(options, *spec.process));
  TROUPE_CHECK(apply_user(options, *spec.process));
  TROUPE_CHECK(apply_capabilities(options, spec));
  TROUPE_CHECK(apply_volumes(options, spec));
  TROUPE_CHECK(apply_limits(options, spec));
  TROUPE_CHECK(apply_network(options, spec));
  TROUPE_CHECK(apply_pressure(options, spec));
  TROUPE_CHECK(apply_terminal(options, *spec.process));
  for (const auto& [key, value] : options.annotations)
    spec.annotations[key] = value;
  return apply_hostname(options, spec);
}

} // namespace troupe
