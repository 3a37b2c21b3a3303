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
  --help               this text
  --version            the version
)";

constexpr option options[] = {
  {"listen", required_argument, nullptr, 'l'},
  {"spare-launchers", required_argument, nullptr, 's'},
  {"ready-fd", required_argument, nullptr, 'r'},
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

int fail_usage(const char* why) {
  std::fprintf(stderr, "troupe-shim: %s\n%s", why, help);
  return usage_error;
}

} // namespace

int main(int argc, char** argv) {
  std::string path;
  auto spare_launchers = 0;
  troupe::sys::unique_fd ready;
  for (int found;
       (found = getopt_long(argc, argv, "", options, nullptr)) != -1;)
    switch (found) {
    case 'l':
      path = optarg;
      break;
    case 'r':
      ready.reset(parsed_number(optarg));
      if (::fcntl(ready.get(), F_SETFD, FD_CLOEXEC) != 0)
        return fail_usage("--ready-fd: not a descriptor");
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
  if (path.empty() || optind != argc)
    return fail_usage("--listen PATH is wanted, and nothing else");
  const auto how = troupe::shim::run(
    path, static_cast<std::size_t>(spare_launchers), std::move(ready));
  if (!how)
    std::fprintf(stderr, "troupe-shim: %s\n", how.error().what.c_str());
  return how ? 0 : 1;
}
