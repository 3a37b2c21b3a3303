#include "runtime/compile/seccomp_words.hpp"

#include "config/base/quote.hpp"
#include "runtime/compile/pointer.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <linux/seccomp.h>
#include <string_view>

namespace troupe::plan {

namespace {

/// What the 16 bits below an action's code carry.
enum class data : std::uint8_t {
  none,
  errno_value,
};

struct action_row {
  std::string_view word;
  std::uint32_t action;
  data carries;
};

constexpr std::array action_rows{
  action_row{"SCMP_ACT_KILL", SCMP_ACT_KILL, data::none},
  action_row{"SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS, data::none},
  action_row{"SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD, data::none},
  action_row{"SCMP_ACT_TRAP", SCMP_ACT_TRAP, data::none},
  action_row{"SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(0), data::errno_value},
  action_row{"SCMP_ACT_TRACE", SCMP_ACT_TRACE(0), data::errno_value},
  action_row{"SCMP_ACT_ALLOW", SCMP_ACT_ALLOW, data::none},
  action_row{"SCMP_ACT_LOG", SCMP_ACT_LOG, data::none},
  action_row{"SCMP_ACT_NOTIFY", SCMP_ACT_NOTIFY, data::none},
};

constexpr std::uint32_t max_errno = 0xffff;

struct operator_row {
  std::string_view word;
  scmp_compare op;
};

constexpr std::array operator_rows{
  operator_row{"SCMP_CMP_NE", SCMP_CMP_NE},
  operator_row{"SCMP_CMP_LT", SCMP_CMP_LT},
  operator_row{"SCMP_CMP_LE", SCMP_CMP_LE},
  operator_row{"SCMP_CMP_EQ", SCMP_CMP_EQ},
  operator_row{"SCMP_CMP_GE", SCMP_CMP_GE},
  operator_row{"SCMP_CMP_GT", SCMP_CMP_GT},
  operator_row{"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ},
};

constexpr std::uint32_t max_argument = 5;

/// Linux 5.19.
constexpr std::uint32_t wait_killable_recv = 1U << 5;

struct flag_row {
  std::string_view word;
  std::uint32_t flag;
};

// 0: holds without being said. What becomes the program has one thread, and the
// one that hands notifications over must stay outside of the filter (TSYNC).
constexpr std::array flag_rows{
  flag_row{"SECCOMP_FILTER_FLAG_TSYNC", 0},
  flag_row{"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
  flag_row{"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
  flag_row{"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", wait_killable_recv},
};

constexpr std::string_view architecture_prefix = "SCMP_ARCH_";

tl::unexpected<failure> fail_word(const std::string& pointer,
                                  const std::string& found,
                                  std::string_view expected) {
  return fail(fault::invalid_config, pointer + ": found " + quote(found)
                                       + ", expected " + std::string{expected});
}

} // namespace

result<std::uint32_t> action_of(const std::string& word,
                                const std::optional<std::uint32_t>& errno_ret,
                                const std::string& pointer,
                                const std::string& errno_pointer) {
  const auto row = std::ranges::find(action_rows, word, &action_row::word);
  if (row == action_rows.end())
    return fail_word(pointer, word, "an action such as SCMP_ACT_ERRNO");
  if (row->carries == data::none && errno_ret)
    return fail(fault::invalid_config,
                errno_pointer + ": " + word + " takes no errno");
  if (row->carries == data::none)
    return row->action;
  const auto value = errno_ret.value_or(EPERM);
  if (value > max_errno)
    return fail(fault::invalid_config,
                errno_pointer + ": found " + std::to_string(value)
                  + ", allowed is 0 to " + std::to_string(max_errno));
  return row->action | value;
}

result<std::uint32_t> architecture_of(const std::string& word,
                                      const std::string& pointer) {
  auto name = word;
  if (word.starts_with(architecture_prefix)) {
    name.erase(0, architecture_prefix.size());
    std::ranges::transform(name, name.begin(), [](unsigned char x) {
      return static_cast<char>(std::tolower(x));
    });
    if (const auto token = seccomp_arch_resolve_name(name.c_str()); token != 0)
      return token;
  }
  return fail(fault::unsupported, pointer + ": found " + quote(word)
                                    + ", which this libseccomp does not know");
}

result<std::vector<scmp_arg_cmp>>
conditions_of(const std::vector<oci::seccomp_arg>& args,
              const std::string& pointer) {
  std::vector<scmp_arg_cmp> out;
  for (std::size_t i = 0; i != args.size(); ++i) {
    const auto& x = args[i];
    const auto place = at(pointer, i);
    const auto row = std::ranges::find(operator_rows, x.op,
                                       &operator_row::word);
    if (row == operator_rows.end())
      return fail_word(place + "/op", x.op, "an operator such as SCMP_CMP_EQ");
    if (x.index > max_argument)
      return fail_word(place + "/index", std::to_string(x.index), "0 to 5");
    // For MASKED_EQ `value` is the mask and `valueTwo` what must remain.
    out.push_back({x.index, row->op, x.value, x.value_two});
  }
  return out;
}

result<std::uint32_t> flags_of(const std::vector<std::string>& words,
                               bool notifies, const std::string& pointer) {
  std::uint32_t out = 0;
  for (std::size_t i = 0; i != words.size(); ++i) {
    const auto row = std::ranges::find(flag_rows, words[i], &flag_row::word);
    if (row == flag_rows.end())
      return fail_word(at(pointer, i), words[i],
                       "a flag such as SECCOMP_FILTER_FLAG_LOG");
    out |= row->flag;
  }
  // seccomp(2): EINVAL where nothing is received.
  return notifies ? out | SECCOMP_FILTER_FLAG_NEW_LISTENER
                  : out & ~wait_killable_recv;
}

} // namespace troupe::plan
