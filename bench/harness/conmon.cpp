#include "bench/harness/conmon.hpp"

#include "bench/harness/clock.hpp"
#include "bench/harness/container_api.hpp"
#include "runtime/linux/file.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>

namespace troupe::bench {

namespace {

constexpr auto conmon_patience_ms = 120'000;

/// conmon writes its container's pid once that is created.
result<std::string> wait_for_file(const std::string& path) {
  const auto began = now_ns();
  while (!std::filesystem::exists(path)) {
    if (ms_since(began) > conmon_patience_ms)
      return fail(fault::timed_out, "conmon has not made " + path);
    ::poll(nullptr, 0, 1);
  }
  return sys::read_file(AT_FDCWD, path);
}

} // namespace

result<double> cpu_ms_of(pid_t pid) {
  TROUPE_TRY(
    const auto text,
    sys::read_file(AT_FDCWD, "/proc/" + std::to_string(pid) + "/schedstat"));
  return std::strtod(text.c_str(), nullptr) / 1e6;
}

result<log_cost> log_with_conmon(runner& with, const oci_cli& runtime,
                                 const std::string& program,
                                 const std::string& root,
                                 const std::string& bundle,
                                 const std::string& directory) {
  const auto id = fresh_id();
  const auto place = directory + "/" + id;
  std::filesystem::create_directories(place);
  TROUPE_TRY(auto conmon, spawn({{"conmon",
                                  "--api-version",
                                  "1",
                                  "--sync",
                                  "-c",
                                  id,
                                  "-u",
                                  id,
                                  "-n",
                                  id,
                                  "-r",
                                  program,
                                  "--runtime-arg",
                                  "--root",
                                  "--runtime-arg",
                                  root,
                                  "-b",
                                  bundle,
                                  "-p",
                                  place + "/pid",
                                  "--exit-dir",
                                  place,
                                  "--full-attach",
                                  "-l",
                                  "k8s-file:" + place + "/log",
                                  "--no-sync-log"},
                                 {"_OCI_STARTPIPE="}}));
  TROUPE_CHECK(wait_for_file(place + "/pid"));
  TROUPE_TRY(const auto before, cpu_ms_of(conmon.pid()));
  const auto began = now_ns();
  TROUPE_CHECK(with.time(runtime.start(id)));
  pollfd end{conmon.pidfd(), POLLIN, 0};
  if (::poll(&end, 1, conmon_patience_ms) != 1)
    return fail(fault::timed_out, "conmon has not ended");
  log_cost out{ms_since(began), 0};
  TROUPE_TRY(const auto after, cpu_ms_of(conmon.pid()));
  out.cpu_ms = after - before;
  TROUPE_TRY(const auto code, conmon.wait());
  TROUPE_CHECK(with.time(runtime.remove_by_force(id)));
  std::filesystem::remove_all(place);
  if (code != 0)
    return fail(fault::os, "conmon: exit code " + std::to_string(code));
  return out;
}

} // namespace troupe::bench
