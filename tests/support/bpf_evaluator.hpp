#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <optional>
#include <vector>

/// Runs a seccomp filter on paper, so that a test asks what the kernel would
/// do without installing it. Source: linux/filter.h; bpf(4) of the BSDs.
namespace troupe::test {

/// One system call as the filter sees it.
struct system_call {
  int number = 0;
  std::array<std::uint64_t, 6> args{};
  std::uint32_t architecture = AUDIT_ARCH_X86_64;
};

class bpf_machine {
public:
  explicit bpf_machine(const std::vector<std::uint8_t>& program)
    : program_(program.size() / sizeof(sock_filter)) {
    std::memcpy(program_.data(), program.data(),
                program_.size() * sizeof(sock_filter));
  }

  [[nodiscard]] std::size_t size() const noexcept {
    return program_.size();
  }

  /// SECCOMP_RET_* with its data; nothing if the program runs off its end or
  /// uses an instruction that seccomp refuses.
  [[nodiscard]] std::optional<std::uint32_t> run(const system_call& call) {
    data_ = {};
    data_.nr = call.number;
    data_.arch = call.architecture;
    std::memcpy(data_.args, call.args.data(), sizeof data_.args);
    accumulator_ = 0;
    for (std::size_t at = 0; at < program_.size();) {
      const auto& x = program_[at];
      if (x.code == (BPF_RET | BPF_K))
        return x.k;
      const auto skip = step(x);
      if (!skip)
        return std::nullopt;
      at += 1 + *skip;
    }
    return std::nullopt;
  }

private:
  /// How many instructions to pass over after `x`.
  std::optional<std::size_t> step(const sock_filter& x) {
    switch (x.code) {
    case BPF_LD | BPF_W | BPF_ABS:
      return load(x.k);
    case BPF_ALU | BPF_AND | BPF_K:
      accumulator_ &= x.k;
      return 0;
    case BPF_JMP | BPF_JA:
      return x.k;
    case BPF_JMP | BPF_JEQ | BPF_K:
      return accumulator_ == x.k ? x.jt : x.jf;
    case BPF_JMP | BPF_JGT | BPF_K:
      return accumulator_ > x.k ? x.jt : x.jf;
    case BPF_JMP | BPF_JGE | BPF_K:
      return accumulator_ >= x.k ? x.jt : x.jf;
    case BPF_JMP | BPF_JSET | BPF_K:
      return (accumulator_ & x.k) != 0 ? x.jt : x.jf;
    default:
      return std::nullopt;
    }
  }

  std::optional<std::size_t> load(std::uint32_t offset) {
    if (offset % 4 != 0 || offset + 4 > sizeof data_)
      return std::nullopt;
    std::memcpy(&accumulator_,
                reinterpret_cast<const std::uint8_t*>(&data_) + offset, 4);
    return 0;
  }

  std::vector<sock_filter> program_;
  seccomp_data data_{};
  std::uint32_t accumulator_ = 0;
};

} // namespace troupe::test
