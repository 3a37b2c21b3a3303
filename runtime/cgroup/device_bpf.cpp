#include "runtime/cgroup/device_bpf.hpp"

#include <cstddef>

namespace troupe::cgroup {

namespace {

// What the program keeps where: the kernel gives it the context in r1, and
// takes r0 for its answer.
constexpr auto answer = std::uint8_t{0};
constexpr auto context = std::uint8_t{1};
constexpr auto type = std::uint8_t{2};
constexpr auto undecided = std::uint8_t{3}; // access bits
constexpr auto major_number = std::uint8_t{4};
constexpr auto minor_number = std::uint8_t{5};
constexpr auto scratch = std::uint8_t{6};

bpf_insn make(int code, std::uint8_t to, std::uint8_t from, std::int16_t offset,
              std::int32_t value) {
  auto out = bpf_insn{};
  out.code = static_cast<std::uint8_t>(code);
  out.dst_reg = to & 0xf;
  out.src_reg = from & 0xf;
  out.off = offset;
  out.imm = value;
  return out;
}

bpf_insn load_word(std::uint8_t to, std::int16_t offset) {
  return make(BPF_LDX | BPF_MEM | BPF_W, to, context, offset, 0);
}

bpf_insn copy(std::uint8_t to, std::uint8_t from) {
  return make(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0);
}

bpf_insn with(int operation, std::uint8_t to, std::int32_t value) {
  return make(BPF_ALU64 | operation | BPF_K, to, 0, 0, value);
}

/// Over the next `skip` instructions unless `reg` is `value`. 32 bits wide, so
/// that no number is sign-extended.
bpf_insn skip_unless(std::uint8_t reg, std::uint32_t value, std::size_t skip) {
  return make(BPF_JMP32 | BPF_JNE | BPF_K, reg, 0,
              static_cast<std::int16_t>(skip),
              static_cast<std::int32_t>(value));
}

bpf_insn skip_if_zero(std::uint8_t reg, std::size_t skip) {
  return make(BPF_JMP32 | BPF_JEQ | BPF_K, reg, 0,
              static_cast<std::int16_t>(skip), 0);
}

using program = std::vector<bpf_insn>;

void append_verdict(program& to, bool allow) {
  to.push_back(with(BPF_MOV, answer, allow ? 1 : 0));
  to.push_back(make(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
}

/// What to do with a device that the line names.
program verdict_part(const device_line& line) {
  auto out = program{};
  if (line.allow) {
    out.push_back(with(BPF_AND, undecided, device_all & ~line.access));
    out.push_back(skip_unless(undecided, 0, 2));
  } else {
    out.push_back(copy(scratch, undecided));
    out.push_back(with(BPF_AND, scratch, line.access));
    out.push_back(skip_if_zero(scratch, 2));
  }
  append_verdict(out, line.allow);
  return out;
}

struct condition {
  std::uint8_t reg;
  std::uint32_t value;
};

void append_line(program& to, const device_line& line) {
  auto conditions = std::vector<condition>{
    {type, line.type == 'b' ? std::uint32_t{BPF_DEVCG_DEV_BLOCK}
                            : std::uint32_t{BPF_DEVCG_DEV_CHAR}}};
  if (line.major)
    conditions.push_back({major_number, *line.major});
  if (line.minor)
    conditions.push_back({minor_number, *line.minor});
  const auto rest = verdict_part(line);
  for (auto left = conditions.size(); const auto& each : conditions)
    to.push_back(skip_unless(each.reg, each.value, --left + rest.size()));
  to.insert(to.end(), rest.begin(), rest.end());
}

} // namespace

std::vector<bpf_insn> device_program(const std::vector<device_line>& lines) {
  auto out = program{
    load_word(type, offsetof(bpf_cgroup_dev_ctx, access_type)),
    copy(undecided, type),
    with(BPF_AND, type, 0xffff),
    with(BPF_RSH, undecided, 16),
    load_word(major_number, offsetof(bpf_cgroup_dev_ctx, major)),
    load_word(minor_number, offsetof(bpf_cgroup_dev_ctx, minor)),
  };
  auto allow = true;
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    if (line->type == 'a') { // the verifier refuses unreachable instructions
      allow = line->allow;
      break;
    }
    append_line(out, *line);
  }
  append_verdict(out, allow);
  return out;
}

} // namespace troupe::cgroup
