#include "runtime/cgroup/device_bpf.hpp"

#include <catch2/catch.hpp>

#include <array>

namespace troupe::cgroup_devices_test {

using namespace troupe::cgroup;

namespace {

/// Runs a device program on paper: the instructions it uses, no others.
bool allows(const std::vector<bpf_insn>& program, char type,
            std::uint32_t major, std::uint32_t minor, std::uint8_t access) {
  const auto kind = type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;
  const auto context = std::array<std::uint32_t, 3>{
    static_cast<std::uint32_t>(access << 16 | kind), major, minor};
  auto reg = std::array<std::uint64_t, 11>{};
  for (auto at = std::size_t{0};; ++at) {
    const auto& x = program.at(at);
    const auto value = static_cast<std::uint32_t>(x.imm);
    const auto narrow = static_cast<std::uint32_t>(reg[x.dst_reg]);
    const auto jump = static_cast<std::size_t>(x.off);
    switch (x.code) {
    case BPF_LDX | BPF_MEM | BPF_W:
      reg[x.dst_reg] = context.at(static_cast<std::size_t>(x.off) / 4);
      break;
    case BPF_ALU64 | BPF_MOV | BPF_X:
      reg[x.dst_reg] = reg[x.src_reg];
      break;
    case BPF_ALU64 | BPF_MOV | BPF_K:
      reg[x.dst_reg] = value;
      break;
    case BPF_ALU64 | BPF_AND | BPF_K:
      reg[x.dst_reg] &= value;
      break;
    case BPF_ALU64 | BPF_RSH | BPF_K:
      reg[x.dst_reg] >>= value;
      break;
    case BPF_JMP32 | BPF_JNE | BPF_K:
      at += narrow != value ? jump : 0;
      break;
    case BPF_JMP32 | BPF_JEQ | BPF_K:
      at += narrow == value ? jump : 0;
      break;
    case BPF_JMP | BPF_EXIT:
      return reg[0] == 1;
    default:
      FAIL("instruction " << int{x.code});
    }
  }
}

std::vector<bpf_insn> program(std::string_view text) {
  const auto lines = from_text(text);
  if (!lines)
    FAIL(lines.error().what);
  return device_program(*lines);
}

} // namespace

TEST_CASE("device rules survive their text form") {
  const auto text = "deny a *:* rwm\nallow c 1:3 rwm\nallow b 8:* r\n"
                    "deny c 4294967295:0 wm";
  const auto lines = from_text(text);
  REQUIRE(lines);
  CHECK(lines->size() == 4);
  CHECK(to_text(*lines) == text);
}

TEST_CASE("malformed device text is refused") {
  for (const auto* text :
       {"allow", "permit c 1:3 r", "allow c 1 r", "allow c x:3 r",
        "allow c 1:3 q", "allow cc 1:3 r"}) {
    CAPTURE(text);
    CHECK_FALSE(from_text(text));
  }
}

TEST_CASE("no device rules allow everything") {
  CHECK(allows(device_program({}), 'b', 8, 0, device_all));
}

TEST_CASE("a denied default leaves what is allowed after it") {
  const auto x = program("allow c 9:9 rwm\ndeny a *:* rwm\nallow c 1:3 rw\n"
                         "allow b 8:* r");
  CHECK(allows(x, 'c', 1, 3, device_read));
  CHECK(allows(x, 'c', 1, 3, device_read | device_write));
  CHECK_FALSE(allows(x, 'c', 1, 3, device_mknod));
  CHECK_FALSE(allows(x, 'b', 1, 3, device_read));
  CHECK_FALSE(allows(x, 'c', 1, 5, device_read));
  CHECK(allows(x, 'b', 8, 17, device_read));
  CHECK_FALSE(allows(x, 'b', 8, 17, device_read | device_write));
  CHECK_FALSE(allows(x, 'c', 9, 9, device_read));
}

TEST_CASE("each access bit is decided by the last rule that names it") {
  const auto x = program("deny a *:* rwm\nallow c 1:* rwm\ndeny c 1:8 w");
  CHECK(allows(x, 'c', 1, 3, device_write));
  CHECK(allows(x, 'c', 1, 8, device_read));
  CHECK_FALSE(allows(x, 'c', 1, 8, device_write));
  CHECK_FALSE(allows(x, 'c', 1, 8, device_read | device_write));
  const auto split = program("deny a *:* rwm\nallow c 5:1 r\nallow c 5:1 w");
  CHECK(allows(split, 'c', 5, 1, device_read | device_write));
}

TEST_CASE("an allowed default loses what is denied after it") {
  const auto x = program("deny c 10:200 rwm");
  CHECK_FALSE(allows(x, 'c', 10, 200, device_read));
  CHECK(allows(x, 'c', 10, 201, device_all));
}

TEST_CASE("device numbers above INT32_MAX are compared whole") {
  const auto x = program("deny a *:* rwm\nallow c 4294967295:1 r");
  CHECK(allows(x, 'c', 4294967295, 1, device_read));
  CHECK_FALSE(allows(x, 'c', 2147483647, 1, device_read));
}

} // namespace troupe::cgroup_devices_test
