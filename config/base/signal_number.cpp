#include "config/base/signal_number.hpp"

#include "config/base/quote.hpp"

#include <charconv>
#include <csignal>
#include <cstring>
#include <string>

namespace troupe {

result<int> signal_number(std::string_view text) {
  auto number = 0;
  const auto* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc{} && at == end && number > 0 && number <= SIGRTMAX)
    return number;
  auto name = text;
  if (name.size() > 3 && ::strncasecmp(name.data(), "SIG", 3) == 0)
    name.remove_prefix(3);
  for (auto signo = 1; signo < NSIG; ++signo)
    if (const auto* abbreviation = ::sigabbrev_np(signo);
        abbreviation && name.size() == std::strlen(abbreviation)
        && ::strncasecmp(name.data(), abbreviation, name.size()) == 0)
      return signo;
  return fail(fault::invalid_config,
              "unknown signal " + quote(text) + ": expected a number from 1 to "
                + std::to_string(SIGRTMAX) + " or a name such as TERM");
}

} // namespace troupe
