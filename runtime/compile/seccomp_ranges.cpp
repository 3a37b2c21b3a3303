#include "runtime/compile/seccomp_ranges.hpp"

#include "runtime/linux/seccomp.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace troupe::plan {

namespace {

using code = std::vector<sock_filter>;
using numbers = std::set<std::uint32_t>;

constexpr auto load_word = BPF_LD | BPF_W | BPF_ABS;
constexpr auto largest = std::numeric_limits<std::uint32_t>::max();

bytes encoded(const code& program) {
  bytes out(program.size() * sizeof(sock_filter));
  std::memcpy(out.data(), program.data(), out.size());
  return out;
}

bool is_jump_if(const sock_filter& x) {
  return x.code == (BPF_JMP | BPF_JEQ | BPF_K)
         || x.code == (BPF_JMP | BPF_JGT | BPF_K)
         || x.code == (BPF_JMP | BPF_JGE | BPF_K)
         || x.code == (BPF_JMP | BPF_JSET | BPF_K);
}

/// Where `x`, at `at`, may go on. Nothing: it returns.
std::vector<std::size_t> successors(const sock_filter& x, std::size_t at) {
  if (x.code == (BPF_RET | BPF_K))
    return {};
  if (x.code == (BPF_JMP | BPF_JA))
    return {at + 1 + x.k};
  if (is_jump_if(x))
    return {at + 1 + x.jt, at + 1 + x.jf};
  return {at + 1};
}

// -- what the filter asks -----------------------------------------------------

enum class loaded : std::uint8_t { nothing, number, architecture, argument };

loaded loaded_from(std::uint32_t offset) {
  if (offset == offsetof(seccomp_data, nr))
    return loaded::number;
  if (offset == offsetof(seccomp_data, arch))
    return loaded::architecture;
  return loaded::argument;
}

/// Where its answer may change.
struct questions {
  numbers architectures;
  numbers starts{0}; ///< Of ranges of system call numbers.
};

/// False for what libseccomp does not do.
bool note(const sock_filter& x, loaded what, questions& asked) {
  const auto of_argument = what == loaded::argument;
  switch (x.code) {
  case load_word:
  case BPF_RET | BPF_K:
  case BPF_JMP | BPF_JA:
    return true;
  case BPF_ALU | BPF_AND | BPF_K:
  case BPF_JMP | BPF_JSET | BPF_K:
    return of_argument;
  case BPF_JMP | BPF_JEQ | BPF_K:
    if (what == loaded::architecture)
      asked.architectures.insert(x.k);
    break;
  case BPF_JMP | BPF_JGT | BPF_K:
  case BPF_JMP | BPF_JGE | BPF_K:
    if (what == loaded::architecture)
      return false;
    break;
  default:
    return false;
  }
  if (what == loaded::number) {
    asked.starts.insert(x.k);
    if (x.k != largest)
      asked.starts.insert(x.k + 1);
  }
  return what != loaded::nothing;
}

/// Goes every way through `program`.
std::optional<questions> questions_of(const code& program) {
  questions out;
  std::set<std::pair<std::size_t, loaded>> seen;
  std::vector<std::pair<std::size_t, loaded>> ways{{0, loaded::nothing}};
  while (!ways.empty()) {
    const auto way = ways.back();
    ways.pop_back();
    if (!seen.insert(way).second)
      continue;
    const auto [at, what] = way;
    if (at >= program.size() || !note(program[at], what, out))
      return std::nullopt;
    const auto next = program[at].code == load_word ? loaded_from(program[at].k)
                                                    : what;
    for (const auto to : successors(program[at], at))
      ways.emplace_back(to, next);
  }
  return out;
}

// -- what it answers ----------------------------------------------------------

/// To a system call: an action, or that of the instructions from `at` on, which
/// begin by loading an argument.
struct answer {
  bool is_action = true;
  std::uint32_t action = 0;
  std::size_t at = 0;
  friend bool operator==(const answer&, const answer&) = default;
};

std::size_t next_of(const sock_filter& x, std::size_t at, std::uint32_t value) {
  switch (x.code) {
  case BPF_JMP | BPF_JA:
    return at + 1 + x.k;
  case BPF_JMP | BPF_JEQ | BPF_K:
    return at + 1 + (value == x.k ? x.jt : x.jf);
  case BPF_JMP | BPF_JGT | BPF_K:
    return at + 1 + (value > x.k ? x.jt : x.jf);
  default: // BPF_JGE: questions_of has let nothing else pass
    return at + 1 + (value >= x.k ? x.jt : x.jf);
  }
}

answer answer_of(const code& program, std::uint32_t architecture,
                 std::uint32_t number) {
  auto value = std::uint32_t{0};
  for (auto at = std::size_t{0};;) {
    const auto& x = program[at];
    if (x.code == (BPF_RET | BPF_K))
      return {true, x.k, 0};
    if (x.code != load_word) {
      at = next_of(x, at, value);
      continue;
    }
    const auto what = loaded_from(x.k);
    if (what == loaded::argument)
      return {false, 0, at};
    value = what == loaded::number ? number : architecture;
    ++at;
  }
}

struct range {
  std::uint32_t start; ///< Up to the next one's.
  answer is;
};

using ranges = std::vector<range>;

ranges ranges_of(const code& program, std::uint32_t architecture,
                 const numbers& starts) {
  ranges out;
  for (const auto start : starts) {
    const auto is = answer_of(program, architecture, start);
    if (out.empty() || out.back().is != is)
      out.push_back({start, is});
  }
  return out;
}

// -- writing it anew ----------------------------------------------------------

/// A jump to an instruction of the old program has its index in `k`, and this
/// code, until that has found its place.
constexpr std::uint16_t jump_to_old = 0xffff;

void append(code& to, const code& more) {
  to.insert(to.end(), more.begin(), more.end());
}

sock_filter instruction(unsigned code, std::uint32_t k, std::size_t jt = 0,
                        std::size_t jf = 0) {
  return {static_cast<std::uint16_t>(code), static_cast<std::uint8_t>(jt),
          static_cast<std::uint8_t>(jf), k};
}

/// Its instruction, which ends the filter or goes on in the old program.
sock_filter instruction_of(const answer& x) {
  return x.is_action
           ? instruction(BPF_RET | BPF_K, x.action)
           : instruction(jump_to_old, static_cast<std::uint32_t>(x.at));
}

/// A binary search of few ranges: a comparison for each start but the first,
/// and behind them each answer once.
class search {
public:
  /// So many, that every jump is within reach.
  static constexpr std::size_t most = 120;

  search(const range* of, std::size_t count) : nodes_(count - 1) {
    make(of, count);
  }

  [[nodiscard]] code written() const {
    code out;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const auto& x = nodes_[i];
      out.push_back(instruction(BPF_JMP | BPF_JGE | BPF_K, x.start,
                                place(x.above) - i - 1,
                                place(x.below) - i - 1));
    }
    for (const auto& x : answers_)
      out.push_back(instruction_of(x));
    return out;
  }

private:
  struct target {
    bool is_answer = false;
    std::size_t index = 0;
  };
  struct node {
    std::uint32_t start = 0;
    target below;
    target above;
  };

  /// Parents come before their children: jumps go forward only.
  target make(const range* of, std::size_t count) {
    if (count == 1)
      return {true, index_of(of->is)};
    const auto half = count / 2;
    const auto index = made_++;
    nodes_[index].start = of[half].start;
    nodes_[index].below = make(of, half);
    nodes_[index].above = make(of + half, count - half);
    return {false, index};
  }

  std::size_t index_of(const answer& x) {
    const auto found = std::ranges::find(answers_, x);
    const auto index = static_cast<std::size_t>(found - answers_.begin());
    if (found == answers_.end())
      answers_.push_back(x);
    return index;
  }

  [[nodiscard]] std::size_t place(const target& x) const {
    return x.is_answer ? nodes_.size() + x.index : x.index;
  }

  std::vector<node> nodes_;
  std::vector<answer> answers_;
  std::size_t made_ = 0;
};

/// The number is loaded.
code tree_of(const range* of, std::size_t count) {
  if (count <= search::most)
    return search{of, count}.written();
  const auto half = count / 2;
  const auto below = tree_of(of, half);
  code out{
    instruction(BPF_JMP | BPF_JGE | BPF_K, of[half].start, 0, 1),
    instruction(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(below.size()))};
  append(out, below);
  append(out, tree_of(of + half, count - half));
  return out;
}

code section_of(const ranges& x) {
  code out{instruction(load_word, offsetof(seccomp_data, nr))};
  append(out, tree_of(x.data(), x.size()));
  return out;
}

/// What must be kept of the old program: all that jumps to it can reach.
std::set<std::size_t> kept_of(const code& program, const code& fresh) {
  std::set<std::size_t> out;
  std::vector<std::size_t> ways;
  for (const auto& x : fresh)
    if (x.code == jump_to_old)
      ways.push_back(x.k);
  while (!ways.empty()) {
    const auto at = ways.back();
    ways.pop_back();
    if (out.insert(at).second)
      for (const auto to : successors(program[at], at))
        ways.push_back(to);
  }
  return out;
}

/// Appends what is kept, in its order, so that its jumps only get shorter.
void settle(const code& program, code& fresh) {
  std::map<std::size_t, std::size_t> places;
  for (const auto old : kept_of(program, fresh))
    places.emplace(old, fresh.size() + places.size());
  for (auto at = std::size_t{0}; at < fresh.size(); ++at)
    if (fresh[at].code == jump_to_old)
      fresh[at] = instruction(
        BPF_JMP | BPF_JA,
        static_cast<std::uint32_t>(places.at(fresh[at].k) - at - 1));
  for (const auto& [old, at] : places) {
    auto x = program[old];
    const auto distance = [&, old = old, at = at](std::size_t by) {
      return places.at(old + 1 + by) - at - 1;
    };
    if (x.code == (BPF_JMP | BPF_JA))
      x.k = static_cast<std::uint32_t>(distance(x.k));
    else if (is_jump_if(x))
      x = instruction(x.code, x.k, distance(x.jt), distance(x.jf));
    fresh.push_back(x);
  }
}

/// Not one of `architectures`.
std::uint32_t any_other(const numbers& architectures) {
  auto out = std::uint32_t{0};
  while (architectures.contains(out))
    ++out;
  return out;
}

code rewritten(const code& program, const questions& asked) {
  code out{instruction(load_word, offsetof(seccomp_data, arch))};
  for (const auto architecture : asked.architectures) {
    const auto section = section_of(
      ranges_of(program, architecture, asked.starts));
    out.push_back(instruction(BPF_JMP | BPF_JEQ | BPF_K, architecture, 1, 0));
    out.push_back(instruction(BPF_JMP | BPF_JA,
                              static_cast<std::uint32_t>(section.size())));
    append(out, section);
  }
  append(out, section_of(ranges_of(program, any_other(asked.architectures),
                                   asked.starts)));
  settle(program, out);
  return out;
}

} // namespace

bytes in_ranges(const bytes& program) {
  const auto old = sys::filter_code(program);
  const auto asked = old ? questions_of(*old) : std::nullopt;
  if (!asked)
    return program;
  const auto fresh = rewritten(*old, *asked);
  return fresh.size() < old->size() ? encoded(fresh) : program;
}

} // namespace troupe::plan
