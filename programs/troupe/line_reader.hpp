#pragma once

#include <string>
#include <string_view>

namespace troupe::client {

/// Hands out whole lines of a stream.
class line_reader {
public:
  template <class Take>
  void feed(std::string_view bytes, Take take) {
    pending_.append(bytes);
    std::size_t at = 0;
    for (auto end = pending_.find('\n'); end != std::string::npos;
         end = pending_.find('\n', at)) {
      take(pending_.substr(at, end - at));
      at = end + 1;
    }
    pending_.erase(0, at);
  }

private:
  std::string pending_;
};

} // namespace troupe::client
