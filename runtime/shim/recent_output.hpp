#pragma once

#include "runtime/shim/protocol/frames.hpp"

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

namespace troupe::shim {

/// The last bytes of a process's output, in the order in which they were read,
/// for clients that come later.
class recent_output {
public:
  explicit recent_output(std::size_t limit = 0) : limit_(limit) {
  }

  void add(frame_stream from, std::string_view bytes);

  /// Calls `show(stream, bytes)` for what makes up the last `wanted` bytes.
  template <class Show>
  void replay(std::size_t wanted, Show show) const {
    auto skip = size_ > wanted ? size_ - wanted : 0;
    for (const auto& each : pieces_) {
      const std::string_view text{each.text};
      if (skip < text.size())
        show(each.from, text.substr(skip));
      skip -= skip < text.size() ? skip : text.size();
    }
  }

  template <class Way>
  void hand_over(Way& with) {
    with(limit_, size_, pieces_);
  }

private:
  /// Short enough to be let go without a hole, long enough to be few.
  static constexpr std::size_t piece_size = 4096;
  /// What a piece costs beside its text.
  static constexpr std::size_t piece_cost = 64;

  struct piece {
    frame_stream from{};
    std::string text;
    template <class Way>
    void hand_over(Way& with) {
      with(from, text);
    }
  };

  std::size_t limit_;
  std::size_t size_ = 0; ///< Of all texts.
  std::deque<piece> pieces_;
};

} // namespace troupe::shim
