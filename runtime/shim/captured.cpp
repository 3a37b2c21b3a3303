#include "runtime/shim/captured.hpp"

#include <algorithm>
#include <cerrno>
#include <unistd.h>

namespace troupe::shim {

result<std::unique_ptr<log_sink>>
captured::open(const log_options& how, std::vector<sys::unique_fd> files) {
  if (files.size() != 2)
    return fail(fault::invalid_config, "capture: came with "
                                         + std::to_string(files.size())
                                         + " files, 2 wanted");
  std::unique_ptr<captured> out{new captured};
  for (std::size_t i = 0; i < 2; ++i)
    out->outputs_[i] = {
      std::move(files[i]),
      static_cast<std::size_t>(std::max<std::int64_t>(how.max_size, 0))};
  return out;
}

void captured::take(log::stream from, std::string_view bytes, time_ns) {
  auto& to = outputs_[from == log::stream::out ? 0 : 1];
  auto wanted = bytes.substr(0, to.room);
  if (const auto over = bytes.size() - wanted.size(); over > 0)
    count_dropped(EFBIG, over);
  while (!wanted.empty()) {
    const auto n = ::write(to.file.get(), wanted.data(), wanted.size());
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return count_dropped(n < 0 ? errno : EIO, wanted.size());
    count_logged(static_cast<std::size_t>(n));
    to.room -= static_cast<std::size_t>(n);
    wanted.remove_prefix(static_cast<std::size_t>(n));
  }
}

} // namespace troupe::shim
