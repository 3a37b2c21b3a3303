#include "runtime/shim/captured.hpp"

#include "runtime/linux/file.hpp"

#include <algorithm>
#include <cerrno>

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
  const auto wanted = bytes.substr(0, to.room);
  if (const auto over = bytes.size() - wanted.size(); over > 0)
    count_dropped(EFBIG, over);
  const auto did = sys::write_all(to.file.get(), wanted);
  count_logged(did.bytes);
  to.room -= did.bytes;
  if (did.os_errno != 0)
    count_dropped(did.os_errno, wanted.size() - did.bytes);
}

} // namespace troupe::shim
