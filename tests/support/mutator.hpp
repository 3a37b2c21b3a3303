#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace troupe::test {

/// Damages texts and packets, the same way in every run: what a fuzzer does
/// without its feedback. A crash is found by the sanitizers (preset asan); the
/// tests themselves check that what is refused says why, and that what is taken
/// survives being written again.
class mutator {
public:
  explicit mutator(std::vector<std::string> seeds) : seeds_(std::move(seeds)) {
  }

  /// A seed with one to four wounds.
  std::string next() {
    auto out = pick(seeds_);
    for (auto wounds = below(4) + 1; wounds > 0; --wounds)
      wound(out);
    return out;
  }

private:
  std::size_t below(std::size_t end) {
    return static_cast<std::size_t>(random_() % std::max<std::size_t>(end, 1));
  }

  template <class Range>
  auto pick(const Range& from) -> decltype(from[0]) {
    return from[below(from.size())];
  }

  /// What numbers, strings and structures break on.
  std::string token() {
    static const std::array<std::string, 22> tokens{"0",
                                                    "-1",
                                                    "4294967295",
                                                    "4294967296",
                                                    "9223372036854775807",
                                                    "-9223372036854775808",
                                                    "18446744073709551615",
                                                    "1e999",
                                                    "0.1",
                                                    "null",
                                                    "true",
                                                    "\"\"",
                                                    "{}",
                                                    "[]",
                                                    "..",
                                                    "/../",
                                                    ":",
                                                    "\n",
                                                    std::string(1, '\0'),
                                                    "\\u0000",
                                                    "\xff\xfe",
                                                    std::string(300, '[')};
    return pick(tokens);
  }

  void wound(std::string& text) {
    const auto at = below(text.size() + 1);
    const auto length = below(std::min<std::size_t>(text.size() - at, 40) + 1);
    switch (below(7)) {
    case 0:
      if (at < text.size())
        text[at] = static_cast<char>(random_());
      return;
    case 1:
      if (at < text.size())
        text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
      return;
    case 2:
      text.erase(at, length);
      return;
    case 3:
      text.insert(at, text.substr(at, length));
      return;
    case 4:
      text.replace(at, length, token());
      return;
    case 5: { // the head of one seed, the tail of another
      const auto& other = pick(seeds_);
      text = text.substr(0, at) + other.substr(below(other.size() + 1));
      return;
    }
    default:
      text.resize(at);
    }
  }

  std::vector<std::string> seeds_;
  std::mt19937 random_{20'261'122}; // NOLINT: the same in every run
};

} // namespace troupe::test
