#include "runtime/oci/filters.hpp"

#include "config/base/bytes.hpp"
#include "config/oci/parse.hpp"
#include "runtime/compile/compile.hpp"
#include "runtime/linux/file.hpp"
#include "runtime/plan/kept_filter.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <seccomp.h>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::oci_runtime {

namespace {

namespace fs = std::filesystem;

/// A host's containers share a handful of profiles.
constexpr std::ptrdiff_t capacity = 64;

std::string document_of(const oci::seccomp& profile) {
  oci::spec spec;
  spec.linux_.seccomp = profile;
  return oci::to_json(spec)["linux"]["seccomp"].dump();
}

/// What compiles here and now: another libseccomp knows other system calls.
std::string compiler() {
  const auto* const x = seccomp_version();
  return std::to_string(x->major) + '.' + std::to_string(x->minor) + '.'
         + std::to_string(x->micro) + " troupe " + TROUPE_VERSION;
}

/// The file's content decides, its name only finds it: hashes may collide.
std::string file_of(const std::string& profile) {
  return std::to_string(std::hash<std::string>{}(profile)) + ".cbor";
}

/// A profile that the kernel would not take was never kept.
bool read(const std::string& path, plan::kept_filter& x) {
  const auto text = sys::read_file(AT_FDCWD, path);
  if (!text)
    return false;
  auto found = plan::decode_kept_filter(bytes_of(*text));
  if (!found || found->profile != x.profile || found->compiler != x.compiler)
    return false;
  x = *std::move(found);
  return true;
}

/// Makes room. Whoever reads a file at the same time has it, or compiles.
void bound(const std::string& directory) {
  std::error_code ignored;
  const auto count = std::distance(fs::directory_iterator{directory, ignored},
                                   fs::directory_iterator{});
  if (count >= capacity)
    for (const auto& each : fs::directory_iterator{directory, ignored})
      fs::remove(each.path(), ignored);
}

/// Appears whole or not at all, and never twice.
void keep(const std::string& directory, const std::string& name,
          const plan::kept_filter& x) {
  ::mkdir(directory.c_str(), 0700);
  bound(directory);
  const auto file = sys::open_file(AT_FDCWD, directory, O_TMPFILE | O_WRONLY);
  if (!file || ::fchmod(file->get(), 0600) != 0)
    return;
  const auto content = plan::encode(x);
  const auto put = ::write(file->get(), content.data(), content.size());
  if (put != static_cast<ssize_t>(content.size()))
    return;
  const auto path = directory + '/' + name;
  ::unlink(path.c_str()); // damaged, or another compiler's
  ::linkat(AT_FDCWD, ("/proc/self/fd/" + std::to_string(file->get())).c_str(),
           AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW);
}

} // namespace

result<plan::seccomp_filter>
filter_directory::get(const oci::seccomp& profile) const {
  plan::kept_filter x;
  x.profile = document_of(profile);
  x.compiler = compiler();
  const auto name = file_of(x.profile);
  if (read(path_ + '/' + name, x))
    return std::move(x.filter);
  TROUPE_TRY(x.filter, plan::compile_seccomp(profile));
  keep(path_, name, x);
  return std::move(x.filter);
}

} // namespace troupe::oci_runtime
