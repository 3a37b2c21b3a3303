#pragma once

#include "runtime/shim/log_sink.hpp"

#include <array>
#include <memory>
#include <vector>

namespace troupe::shim {

/// A process's output as it was, stdout and stderr in a file each, up to a
/// size; the rest is dropped (EFBIG).
class captured final : public hands_over<captured, log_sink> {
public:
  /// `files`: stdout's and stderr's.
  [[nodiscard]] static result<std::unique_ptr<log_sink>>
  open(const log_options& how, std::vector<sys::unique_fd> files);

  /// To be taken over.
  captured() = default;

  template <class Way>
  void members(Way& with) {
    hand_over_counters(with);
    with(outputs_[0], outputs_[1]);
  }

  void finish(time_ns) override {
  }

private:
  struct output {
    sys::unique_fd file;
    std::size_t room = 0;
    template <class Way>
    void hand_over(Way& with) {
      with(file, room);
    }
  };
  void take(log::stream from, std::string_view bytes, time_ns now) override;

  std::array<output, 2> outputs_;
};

} // namespace troupe::shim
