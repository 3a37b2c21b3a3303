#include "runtime/shim/shim.hpp"

#include "runtime/shim/own_process.hpp"
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

outcome serve(const std::string& path, std::size_t spare_launchers,
              sys::unique_fd& ready) {
  TROUPE_CHECK(checked_path(path));
  TROUPE_TRY(const auto self, own_process::settle());
  TROUPE_TRY(auto events, loop::create());
  server shim{events, self, path, spare_launchers};
  TROUPE_CHECK(shim.open());
  TROUPE_CHECK(own_process::silence());
  say(ready, "ready");
  ready.reset();
  return shim.run();
}

} // namespace

outcome run(const std::string& path, std::size_t spare_launchers,
            sys::unique_fd ready) {
  auto how = serve(path, spare_launchers, ready);
  if (!how)
    say(ready, how.error().what);
  return how;
}

} // namespace troupe::shim
