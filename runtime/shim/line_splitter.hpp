#pragma once

#include "runtime/log/cri.hpp"

#include <array>
#include <string>
#include <string_view>

namespace troupe::shim {

/// Cuts a process's output into lines of at most log::max_text, each stream on
/// its own, and keeps unfinished ends.
class line_splitter {
public:
  /// Calls `take(begin, end, partial)` for each record in `bytes`: its text is
  /// what was kept and then `end`.
  template <class Take>
  void feed(log::stream from, std::string_view bytes, Take take) {
    auto& begin = kept(from);
    while (!bytes.empty()) {
      const auto room = log::max_text - begin.size();
      const auto end = bytes.substr(0, room + 1).find('\n');
      if (end != std::string_view::npos) {
        hand_out(begin, bytes.substr(0, end), false, take);
        bytes.remove_prefix(end + 1);
      } else if (bytes.size() > room) {
        hand_out(begin, bytes.substr(0, room), true, take);
        bytes.remove_prefix(room);
      } else {
        begin.append(bytes);
        return;
      }
    }
  }

  /// The same for what is kept of a stream.
  template <class Take>
  void finish(log::stream from, Take take) {
    if (auto& begin = kept(from); !begin.empty())
      hand_out(begin, {}, true, take);
  }

  template <class Way>
  void hand_over(Way& with) {
    with(kept_[0], kept_[1]);
  }

private:
  /// A kept line's buffer above this is given back when the line is done.
  static constexpr std::size_t small_buffer = 1024;

  template <class Take>
  static void hand_out(std::string& begin, std::string_view end, bool partial,
                       Take take) {
    take(std::string_view{begin}, end, partial);
    begin.clear();
    if (begin.capacity() > small_buffer)
      begin.shrink_to_fit();
  }

  std::string& kept(log::stream from) noexcept {
    return kept_[from == log::stream::out ? 0 : 1];
  }

  std::array<std::string, 2> kept_;
};

} // namespace troupe::shim
