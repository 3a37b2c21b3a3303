#include "runtime/shim/shim.hpp"

#include <charconv>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <getopt.h>
#include <string>

namespace {

constexpr auto help
  = R"(Usage: troupe-shim --listen PATH [--spare-launchers N] [--ready-fd N]

The parent of a host's containers. It is started by trouped and ends by itself
when it holds no container and no trouped is connected.

  --listen PATH        the socket trouped connects to; absolute
  --spare-launchers N  how many launchers to keep ready, 0 to 16; 0
  --ready-fd N         where "ready" is written when it listens, or why it does
                       not
  --take-over N        a shim's state, from the program that was here before
  --protocol N         what its supervisor speaks
  --rehearse           only say whether it could be taken over
  --help               this text
  --version            the version
)";

constexpr option options[] = {
  {"listen", required_argument, nullptr, 'l'},
  {"spare-launchers", required_argument, nullptr, 's'},
  {"ready-fd", required_argument, nullptr, 'r'},
  {"take-over", required_argument, nullptr, 't'},
  {"protocol", required_argument, nullptr, 'p'},
  {"rehearse", no_argument, nullptr, 'R'},
  {"help", no_argument, nullptr, 'h'},
  {"version", no_argument, nullptr, 'v'},
  {nullptr, 0, nullptr, 0},
};

constexpr auto usage_error = 2;

/// -1: it is none.
int parsed_number(const char* text) {
  auto number = -1;
  const auto* end = text + std::strlen(text);
  const auto [stop, error] = std::from_chars(text, end, number);
  return error == std::errc{} && stop == end ? number : -1;
}

/// It is not to survive an execve.
bool take_descriptor(troupe::sys::unique_fd& to) {
  to.reset(parsed_number(optarg));
  return ::fcntl(to.get(), F_SETFD, FD_CLOEXEC) == 0;
}

int fail_usage(const char* why) {
  std::fprintf(stderr, "troupe-shim: %s\n%s", why, help);
  return usage_error;
}

} // namespace

int main(int argc, char** argv) {
  troupe::shim::shim_options how;
  auto spare_launchers = 0;
  for (int found;
       (found = getopt_long(argc, argv, "", options, nullptr)) != -1;)
    switch (found) {
    case 'l':
      how.path = optarg;
      break;
    case 'r':
      if (!take_descriptor(how.ready))
        return fail_usage("--ready-fd: not a descriptor");
      break;
    case 't':
      if (!take_descriptor(how.handover))
        return fail_usage("--take-over: not a descriptor");
      break;
    case 'p':
      how.protocol = static_cast<std::uint32_t>(parsed_number(optarg));
      break;
    case 'R':
      how.rehearse = true;
      break;
    case 's':
      spare_launchers = parsed_number(optarg);
      if (spare_launchers < 0
          || spare_launchers > troupe::shim::most_spare_launchers)
        return fail_usage("--spare-launchers: a number from 0 to 16 is wanted");
      break;
    case 'h':
      std::fputs(help, stdout);
      return 0;
    case 'v':
      std::puts("troupe-shim " TROUPE_VERSION);
      return 0;
    default:
      return usage_error;
    }
  if (how.path.empty() || optind != argc)
    return fail_usage("--listen PATH is wanted, and nothing else");
  how.spare_launchers = static_cast<std::size_t>(spare_launchers);
  const auto done = troupe::shim::run(std::move(how));
  if (!done)
    std::fprintf(stderr, "troupe-shim: %s\n", done.error().what.c_str());
  return done ? 0 : 1;
}
