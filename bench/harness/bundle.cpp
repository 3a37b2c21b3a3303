#include "bench/harness/bundle.hpp"

#include "config/oci/parse.hpp"
#include "config/run_options.hpp"
#include "runtime/compile/compile.hpp"
#include "runtime/linux/file.hpp"
#include "runtime/probe/host.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>

namespace troupe::bench {

namespace fs = std::filesystem;

namespace {

outcome copy_program(const std::string& from, const fs::path& to) {
  std::error_code why;
  fs::copy_file(from, to, why);
  if (why)
    return fail_os(why.value(), "copy", from);
  return {};
}

} // namespace

outcome make_rootfs(const std::string& path, const std::string& probe) {
  std::error_code why;
  for (const auto* name :
       {"bin", "etc", "proc", "sys", "dev", "tmp", "run", "root"})
    fs::create_directories(fs::path{path} / name, why);
  TROUPE_CHECK(copy_program("/bin/busybox", fs::path{path} / "bin/busybox"));
  TROUPE_CHECK(copy_program(probe, fs::path{path} / "bin/probe"));
  for (const auto* name : {"sh", "true", "cat", "ls", "sleep", "readlink"})
    fs::create_symlink("busybox", fs::path{path} / "bin" / name, why);
  std::ofstream{fs::path{path} / "etc/passwd"} << "root:x:0:0:root:/:/bin/sh\n";
  if (why)
    return fail_os(why.value(), "make", path);
  return {};
}

outcome make_bundle(const std::string& path, const std::string& rootfs,
                    const std::vector<std::string>& args) {
  std::error_code why;
  fs::create_directories(path, why);
  auto spec = default_spec(rootfs);
  spec.oci_version = "1.0.2"; // crun 1.8 refuses what it does not know
  spec.process->args = args;
  if (!(std::ofstream{path + "/config.json"} << oci::to_json(spec).dump()
                                             << std::flush))
    return fail_os(errno, "write", path + "/config.json");
  return {};
}

outcome write_plan(const std::string& bundle, const std::string& cgroup_parent,
                   const std::string& file) {
  TROUPE_TRY(const auto text,
             sys::read_file(AT_FDCWD, bundle + "/config.json"));
  TROUPE_TRY(const auto spec, oci::parse(std::string_view{text}));
  TROUPE_TRY(
    const auto compiled,
    plan::compile(spec, sys::probe_host(cgroup_parent), "floor", bundle));
  const auto cbor = plan::encode(compiled);
  std::ofstream out{file, std::ios::binary};
  if (!out.write(reinterpret_cast<const char*>(cbor.data()),
                 static_cast<std::streamsize>(cbor.size()))
      || !out.flush())
    return fail_os(errno, "write", file);
  return {};
}

} // namespace troupe::bench
