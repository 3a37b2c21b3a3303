#include "config/base/quote.hpp"
#include "config/oci/rules.hpp"
#include "config/oci/words.hpp"

#include <algorithm>

namespace troupe::oci::rules {

namespace {

/// "When the action doesn't support an errno, the runtime MUST print an error
/// and fail" (config-linux.md, Seccomp).
outcome check_errno(const pointer& at, std::string_view action,
                    const std::optional<std::uint32_t>& value) {
  constexpr std::int64_t most = 4095; // MAX_ERRNO
  if (!value)
    return {};
  if (std::ranges::find(words::seccomp_errno_actions, action)
      == words::seccomp_errno_actions.end())
    return refuse(at,
                  "no errno unless the action is "
                    + joined(words::seccomp_errno_actions),
                  "one for " + quote(action));
  return check_range(at, *value, 0, most);
}

outcome check_argument(const seccomp_arg& x, const pointer& at) {
  TROUPE_CHECK(check_range(at / "index", x.index, 0, 5));
  return check_word(at / "op", x.op, words::seccomp_operators);
}

outcome check_rule(const seccomp_rule& x, const pointer& at) {
  if (x.names.empty())
    return refuse(at / "names", "at least one entry", "none");
  TROUPE_CHECK(check_word(at / "action", x.action, words::seccomp_actions));
  TROUPE_CHECK(check_errno(at / "errnoRet", x.action, x.errno_ret));
  for (std::size_t i = 0; i < x.args.size(); ++i)
    TROUPE_CHECK(check_argument(x.args[i], at / "args" / i));
  return {};
}

/// Nobody would answer a notification without a listener: the caller would
/// hang for ever.
outcome check_listener(const seccomp& x, const pointer& at) {
  if (!x.listener_path.empty())
    return check_absolute(at / "listenerPath", x.listener_path);
  if (!x.listener_metadata.empty())
    return refuse(at / "listenerMetadata", "listenerPath beside it", "none");
  const bool notifies = x.default_action == "SCMP_ACT_NOTIFY"
                        || std::ranges::find(x.syscalls, "SCMP_ACT_NOTIFY",
                                             &seccomp_rule::action)
                             != x.syscalls.end();
  if (notifies)
    return refuse(at / "listenerPath", "a socket for SCMP_ACT_NOTIFY",
                  "nothing");
  return {};
}

} // namespace

outcome check_seccomp(const seccomp& x, const pointer& at) {
  TROUPE_CHECK(
    check_word(at / "defaultAction", x.default_action, words::seccomp_actions));
  TROUPE_CHECK(
    check_errno(at / "defaultErrnoRet", x.default_action, x.default_errno_ret));
  TROUPE_CHECK(check_words(at / "architectures", x.architectures,
                           words::seccomp_architectures));
  TROUPE_CHECK(check_words(at / "flags", x.flags, words::seccomp_flags));
  for (std::size_t i = 0; i < x.syscalls.size(); ++i)
    TROUPE_CHECK(check_rule(x.syscalls[i], at / "syscalls" / i));
  return check_listener(x, at);
}

} // namespace troupe::oci::rules
