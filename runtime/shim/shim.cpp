#include "runtime/shim/shim.hpp"

#include "runtime/linux/memfd.hpp"
#include "runtime/shim/handover.hpp"
#include "runtime/shim/own_process.hpp"
#include "runtime/shim/protocol/start.hpp"
#include "runtime/shim/server.hpp"

#include <string_view>
#include <unistd.h>

namespace troupe::shim {

namespace {

void say(const sys::unique_fd& line, std::string_view what) {
  if (line)
    (void)!::write(line.get(), what.data(), what.size());
}

outcome checked_path(const std::string& path) {
  if (path.starts_with('/'))
    return {};
  return fail(fault::invalid_config,
              "listen '" + path + "': an absolute path is wanted");
}

outcome begin(const shim_options& how, server& shim) {
  TROUPE_CHECK(shim.open());
  TROUPE_CHECK(own_process::silence());
  say(how.ready, ready_word);
  return {};
}

/// Of a supervisor that watches a thousand containers with much to replay.
constexpr std::size_t most_handed_over = 1U << 30U;

outcome check_versions(std::uint32_t handover, const std::string& version,
                       std::uint32_t wanted_protocol) {
  const auto differ = [](std::string_view what, std::uint32_t ours,
                         const std::string& theirs) {
    return fail(fault::unsupported, "troupe-shim " TROUPE_VERSION " "
                                      + std::string{what} + " "
                                      + std::to_string(ours) + ", " + theirs);
  };
  if (handover != handover_version)
    return differ("takes over state version", handover_version,
                  "the running " + version + " hands over version "
                    + std::to_string(handover));
  if (wanted_protocol != protocol_version)
    return differ("speaks protocol", protocol_version,
                  "the supervisor speaks " + std::to_string(wanted_protocol));
  return {};
}

outcome continue_from(const shim_options& how, own_process& self,
                      server& shim) {
  TROUPE_TRY(const auto values,
             sys::read_sealed(how.handover.get(), most_handed_over));
  loader from{values};
  std::uint32_t handover = 0;
  std::uint32_t protocol = 0;
  std::string version;
  from(handover, protocol, version);
  TROUPE_CHECK(check_versions(handover, version, how.protocol));
  from(self);
  return shim.take_over(from, protocol == protocol_version);
}

// Nothing of a rehearsal may be undone, and nothing of a take-over that failed:
// what destructors do, they do to what others hold.
outcome begin_from(const shim_options& how, own_process& self, server& shim) {
  const auto done = continue_from(how, self, shim);
  say(how.ready, done ? ready_word : done.error().what);
  if (!done || how.rehearse)
    ::_exit(done ? 0 : 1);
  return {};
}

outcome serve(shim_options& how) {
  TROUPE_CHECK(checked_path(how.path));
  TROUPE_TRY(auto self, own_process::settle());
  TROUPE_TRY(auto events, loop::create());
  server shim{events, self, how.path, how.spare_launchers};
  TROUPE_CHECK(how.handover ? begin_from(how, self, shim) : begin(how, shim));
  how.handover.reset();
  how.ready.reset();
  return shim.run();
}

} // namespace

outcome run(shim_options how) {
  auto done = serve(how);
  if (!done)
    say(how.ready, done.error().what);
  return done;
}

} // namespace troupe::shim
