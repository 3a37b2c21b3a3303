#include "programs/troupe/command.hpp"
#include "programs/troupe/table.hpp"
#include "runtime/linux/daemon.hpp"
#include "runtime/linux/file.hpp"
#include "runtime/linux/unique_fd.hpp"
#include "runtime/tls/authority.hpp"
#include "runtime/tls/identity.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <fcntl.h>
#include <memory>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace troupe::client {

namespace {

constexpr auto authority_footer
  = "DIR gets ca.pem, which every node needs, and ca.key, which none does: "
    "whoever has it can\nmake members, and a member is trusted as root is. "
    "Keep it on one machine. A new authority\n(--force) knows no certificate "
    "of the old one: issue them all again.\n\n"
    "  troupe cluster init-ca --name production\n"
    "  troupe cluster issue-cert web-1 --out /root/web-1\n"
    "  scp /etc/troupe/cluster/ca.pem /root/web-1/web-1.* "
    "web-1:/etc/troupe/cluster/";

constexpr auto certificate_footer
  = "OUT gets NAME.pem and NAME.key, for that node alone. A member serves "
    "other nodes and asks\nthem; an observer only asks. A certificate ends "
    "with its authority's at the latest; to renew\none, issue it again with "
    "--force. NAME: a-z, 0-9 and -, at most 63, no - first.\n\n"
    "  troupe cluster issue-cert web-1\n"
    "  troupe cluster issue-cert dashboard --role observer --days 30 --out .";

constexpr auto shown_footer
  = "Reads the first certificate of a PEM file. Whether an authority signed it "
    "is not looked at:\nopenssl verify -CAfile ca.pem FILE does that.\n\n"
    "  troupe cluster show-cert /etc/troupe/cluster/web-1.pem\n"
    "  troupe cluster show-cert --format json web-1.pem | jq -r .expires";

constexpr mode_t public_file = 0644;
constexpr mode_t secret_file = 0600;

/// A file to be; until it is whole it is `path`.new.
struct new_file {
  std::string path;
  std::string_view content;
  mode_t mode;

  [[nodiscard]] std::string fresh() const {
    return path + ".new";
  }
};

/// A key and its certificate, in the order of their writing: a certificate that
/// is there has its key.
using file_pair = std::array<new_file, 2>;

/// Nobody else may read it at any time, so the mode comes last.
outcome write_fresh(const new_file& x) {
  const auto path = x.fresh();
  ::unlink(path.c_str()); // of a command that was killed
  const sys::unique_fd file{
    ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, secret_file)};
  if (!file)
    return fail_os(errno, "create", path);
  if (const auto did = sys::write_all(file.get(), x.content); did.os_errno != 0)
    return fail_os(did.os_errno, "write", path);
  if (::fchmod(file.get(), x.mode) != 0)
    return fail_os(errno, "fchmod", path);
  if (::fsync(file.get()) != 0)
    return fail_os(errno, "fsync", path);
  return {};
}

/// How renameat2(2) is to put a file at `path`: where none is, or in exchange
/// for the one that is.
result<unsigned> way_to(const std::string& path, bool force) {
  struct stat is {};
  if (::lstat(path.c_str(), &is) != 0) {
    if (errno == ENOENT)
      return RENAME_NOREPLACE;
    return fail_os(errno, "lstat", path);
  }
  if (!S_ISREG(is.st_mode))
    return fail(fault::already_exists, path + ": not a regular file");
  if (!force)
    return fail(fault::already_exists, path + ": exists; --force replaces it");
  return RENAME_EXCHANGE;
}

outcome move_file(const std::string& from, const std::string& to,
                  unsigned way) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), way) != 0)
    return fail_os(errno, "renameat2", to);
  return {};
}

/// Either way of renameat2(2) is undone by the same in the other direction.
outcome put_in_place(const file_pair& files, unsigned first, unsigned second) {
  const auto& [one, other] = files;
  TROUPE_CHECK(move_file(one.fresh(), one.path, first));
  auto did = move_file(other.fresh(), other.path, second);
  if (did)
    return did;
  if (const auto undone = move_file(one.path, one.fresh(), first); !undone)
    did.error().what += "; " + undone.error().what;
  return did;
}

outcome write_files(const file_pair& files, bool force) {
  TROUPE_TRY(const auto first, way_to(files[0].path, force));
  TROUPE_TRY(const auto second, way_to(files[1].path, force));
  for (const auto& each : files)
    TROUPE_CHECK(write_fresh(each));
  return put_in_place(files, first, second);
}

/// A directory that is ours, and locked: commands that run at the same time
/// use the same names.
result<sys::unique_fd> locked_directory(const std::string& path) {
  TROUPE_CHECK(sys::make_private_directory(path));
  TROUPE_TRY(auto out, sys::open_file(AT_FDCWD, path, O_RDONLY | O_DIRECTORY));
  if (TEMP_FAILURE_RETRY(::flock(out.get(), LOCK_EX)) != 0)
    return fail_os(errno, "flock", path);
  return out;
}

/// Writes DIR/NAME.key and DIR/NAME.pem, both or none, and says so.
outcome write_credentials(const std::string& directory, const std::string& name,
                          const tls::credentials& x, bool force) {
  TROUPE_TRY(const auto lock, locked_directory(directory));
  const auto base = directory + '/' + name;
  const file_pair files{new_file{base + ".key", x.key, secret_file},
                        new_file{base + ".pem", x.certificate, public_file}};
  auto did = write_files(files, force);
  for (const auto& each : files)
    ::unlink(each.fresh().c_str()); // the old file, or what was not finished
  TROUPE_CHECK(std::move(did));
  if (::fsync(lock.get()) != 0)
    return fail_os(errno, "fsync", directory);
  print(files[1].path + '\n' + files[0].path + '\n');
  return {};
}

/// With a slash at its end a directory would be made as one above another.
std::string without_slash(std::string path) {
  while (path.size() > 1 && path.ends_with('/'))
    path.pop_back();
  return path;
}

struct authority_options {
  std::string directory = "/etc/troupe/cluster";
  std::string name = "troupe";
  int days = static_cast<int>(tls::authority_validity.count());
  bool force = false;
};

struct certificate_options {
  std::string name;
  std::string directory = "/etc/troupe/cluster";
  std::string role = "member";
  int days = static_cast<int>(tls::node_validity.count());
  std::string out;
  bool force = false;
};

struct shown_options {
  std::string file;
  std::string format;
};

outcome init_ca(const authority_options& x) {
  TROUPE_TRY(const auto made,
             tls::make_authority(x.name, std::chrono::days{x.days}));
  return write_credentials(without_slash(x.directory), "ca", made, x.force);
}

result<tls::credentials> read_authority(const std::string& directory) {
  tls::credentials out;
  TROUPE_TRY(out.certificate, sys::read_file(AT_FDCWD, directory + "/ca.pem"));
  TROUPE_TRY(out.key, sys::read_file(AT_FDCWD, directory + "/ca.key"));
  return out;
}

outcome issue_cert(const certificate_options& x) {
  if (x.name == "ca")
    return fail(fault::invalid_config,
                "node name 'ca': ca.pem and ca.key are the authority's");
  const auto directory = without_slash(x.directory);
  auto authority = read_authority(directory);
  if (!authority) {
    if (authority.error().code == fault::not_found)
      authority.error().what += "; troupe cluster init-ca makes an authority";
    return fail(std::move(authority).error());
  }
  // The parser lets no third word through.
  const auto as = tls::role_named(x.role).value_or(tls::role::observer);
  TROUPE_TRY(const auto made,
             tls::issue(*authority, {x.name, as, std::chrono::days{x.days}}));
  return write_credentials(x.out.empty() ? directory : without_slash(x.out),
                           x.name, made, x.force);
}

outcome show_cert(const shown_options& x) {
  TROUPE_TRY(const auto text, sys::read_file(AT_FDCWD, x.file));
  const auto found = tls::identity_of_pem(text);
  if (!found)
    return fail(failure{found.error()}.during(x.file));
  const std::string role{to_string(found->as)};
  const auto expires = rfc3339(found->expires);
  if (x.format == "json") {
    print(nlohmann::json{
      {"name", found->name}, {"role", role}, {"expires", expires}});
    return {};
  }
  table out{{"NAME", "ROLE", "EXPIRES"}};
  out.add({found->name, role, expires});
  print(out.str());
  return {};
}

/// Makes `what` of `x` the command's action.
template <class Options>
void act(CLI::App& command, context& with, std::shared_ptr<Options> x,
         outcome (*what)(const Options&)) {
  command.callback([&with, x = std::move(x), what] {
    with.action = [x, what] {
      const auto did = what(*x);
      return did ? 0 : complain(did.error());
    };
  });
}

void add_days(CLI::App& to, int& days) {
  to.add_option("--days", days, "How long it is valid")
    ->check(CLI::Range(1, static_cast<int>(tls::longest_validity.count())))
    ->type_name("N")
    ->capture_default_str();
}

void add_init_ca(CLI::App& to, context& with) {
  auto x = std::make_shared<authority_options>();
  auto* command = to.add_subcommand(
    "init-ca", "Make the authority that signs a cluster's certificates");
  command
    ->add_option("--dir", x->directory,
                 "Where ca.pem and ca.key go; made (0700) if missing")
    ->type_name("DIR")
    ->capture_default_str();
  command->add_option("--name", x->name, "The cluster's name")
    ->type_name("CLUSTER")
    ->capture_default_str();
  add_days(*command, x->days);
  command->add_flag("--force", x->force, "Replace an authority that is there");
  command->footer(authority_footer);
  act(*command, with, std::move(x), init_ca);
}

void add_issue_cert(CLI::App& to, context& with) {
  auto x = std::make_shared<certificate_options>();
  auto* command = to.add_subcommand("issue-cert",
                                    "Make a node's key and certificate");
  command->add_option("NAME", x->name, "The node's name")->required();
  command->add_option("--dir", x->directory, "Where the authority's files are")
    ->type_name("DIR")
    ->capture_default_str();
  command->add_option("--role", x->role, "What the node may be to the others")
    ->check(CLI::IsMember({"member", "observer"}))
    ->capture_default_str();
  add_days(*command, x->days);
  command
    ->add_option("--out", x->out,
                 "Where NAME.pem and NAME.key go; made (0700) if missing [DIR]")
    ->type_name("OUT");
  command->add_flag("--force", x->force, "Replace files that are there");
  command->footer(certificate_footer);
  act(*command, with, std::move(x), issue_cert);
}

void add_show_cert(CLI::App& to, context& with) {
  auto x = std::make_shared<shown_options>();
  auto* command = to.add_subcommand(
    "show-cert", "Show whom a node's certificate is for, and until when");
  command->add_option("FILE", x->file, "A certificate in PEM")->required();
  add_format(*command, x->format);
  command->footer(shown_footer);
  act(*command, with, std::move(x), show_cert);
}

} // namespace

void add_cluster_commands(CLI::App& app, context& with) {
  auto* cluster = app.add_subcommand("cluster",
                                     "Make and show a cluster's certificates");
  cluster->require_subcommand(1);
  add_init_ca(*cluster, with);
  add_issue_cert(*cluster, with);
  add_show_cert(*cluster, with);
}

} // namespace troupe::client
