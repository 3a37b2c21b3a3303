#include "config/default_seccomp.hpp"
#include "runtime/compile/seccomp_ranges.hpp"
#include "runtime/linux/unique_fd.hpp"
#include "tests/support/bpf_evaluator.hpp"

#include <catch2/catch.hpp>

#include <cstring>
#include <memory>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace troupe::seccomp_ranges_test {

using plan::bytes;
using test::bpf_machine;

namespace {

struct release {
  void operator()(void* filter) const noexcept {
    seccomp_release(filter);
  }
};

using filter_ptr = std::unique_ptr<void, release>;

filter_ptr empty_filter(std::uint32_t action) {
  filter_ptr out{seccomp_init(action)};
  REQUIRE(out);
  constexpr std::uint32_t others[] = {SCMP_ARCH_X86, SCMP_ARCH_X32,
                                      SCMP_ARCH_AARCH64};
  for (const auto each : others)
    REQUIRE(seccomp_arch_add(out.get(), each) == 0);
  return out;
}

void add(const filter_ptr& to, std::uint32_t action, const std::string& name,
         std::vector<scmp_arg_cmp> conditions = {}) {
  INFO(name);
  const auto number = seccomp_syscall_resolve_name(name.c_str());
  REQUIRE(seccomp_rule_add_array(to.get(), action, number,
                                 static_cast<unsigned>(conditions.size()),
                                 conditions.data())
          == 0);
}

/// As libseccomp writes it; `shape` 2 is its binary tree.
bytes written(const filter_ptr& filter, std::uint32_t shape) {
  REQUIRE(seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, shape) == 0);
  const sys::unique_fd fd{::memfd_create("filter", MFD_CLOEXEC)};
  REQUIRE(seccomp_export_bpf(filter.get(), fd.get()) == 0);
  struct stat about {};
  REQUIRE(::fstat(fd.get(), &about) == 0);
  bytes out(static_cast<std::size_t>(about.st_size));
  REQUIRE(::pread(fd.get(), out.data(), out.size(), 0) == about.st_size);
  return out;
}

/// Every number that a profile could mean, on architectures in it and not.
void check_same(const bytes& before, const bytes& after) {
  bpf_machine old{before};
  bpf_machine fresh{after};
  constexpr std::uint64_t samples[] = {
    0, 1, 2, 5, 0x7e020000, 0xffff'ffff, 0x1'0000'0000};
  std::vector<int> calls;
  for (auto number = -2; number < 1100; ++number)
    calls.insert(calls.end(), {number, number + __X32_SYSCALL_BIT});
  constexpr std::uint32_t architectures[] = {
    AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, AUDIT_ARCH_ARM, 0};
  for (const auto architecture : architectures)
    for (const auto number : calls)
      for (const auto sample : samples) {
        const auto call = test::system_call{
          number,
          {sample, sample, sample, sample, sample, sample},
          architecture};
        const auto expected = old.run(call);
        REQUIRE(expected);
        if (fresh.run(call) != expected)
          FAIL_CHECK(architecture << " " << number << " " << sample);
      }
}

} // namespace

TEST_CASE("a filter by ranges answers as libseccomp's does", "[seccomp]") {
  const auto shape = GENERATE(1U, 2U);
  const auto filter = empty_filter(SCMP_ACT_ERRNO(EPERM));
  SECTION("without a rule") {
  }
  SECTION("with one") {
    add(filter, SCMP_ACT_ALLOW, "read");
  }
  SECTION("at the ends of the numbers") {
    add(filter, SCMP_ACT_ALLOW, "read");
    add(filter, SCMP_ACT_KILL_PROCESS, "clone3");
    add(filter, SCMP_ACT_LOG, "openat2");
  }
  SECTION("with arguments") {
    add(filter, SCMP_ACT_ALLOW, "personality", {{0, SCMP_CMP_EQ, 2, 0}});
    add(filter, SCMP_ACT_ALLOW, "personality", {{0, SCMP_CMP_EQ, 5, 0}});
    add(filter, SCMP_ACT_TRAP, "write", {{2, SCMP_CMP_GT, 0x1'0000'0000, 0}});
    add(filter, SCMP_ACT_ALLOW, "clone",
        {{0, SCMP_CMP_MASKED_EQ, 0x7e020000, 0}});
    add(filter, SCMP_ACT_ALLOW, "mmap", {{0, SCMP_CMP_NE, 1, 0}});
    add(filter, SCMP_ACT_ALLOW, "mprotect", {{1, SCMP_CMP_GE, 5, 0}});
  }
  const auto before = written(filter, shape);
  check_same(before, plan::in_ranges(before));
}

TEST_CASE("docker's profile gets much shorter by ranges", "[seccomp]") {
  const auto shape = GENERATE(1U, 2U);
  const auto filter = empty_filter(SCMP_ACT_ERRNO(EPERM));
  for (const auto& rule : default_seccomp({}).syscalls) {
    if (rule.action != "SCMP_ACT_ALLOW" || !rule.args.empty())
      continue;
    for (const auto& name : rule.names)
      if (seccomp_syscall_resolve_name(name.c_str()) != __NR_SCMP_ERROR)
        add(filter, SCMP_ACT_ALLOW, name);
  }
  add(filter, SCMP_ACT_ALLOW, "personality", {{0, SCMP_CMP_EQ, 2, 0}});
  const auto before = written(filter, shape);
  const auto after = plan::in_ranges(before);
  check_same(before, after);
  CHECK(after.size() * 3 < before.size());
}

TEST_CASE("what libseccomp would not write is left alone", "[seccomp]") {
  const auto program = [](std::vector<sock_filter> code) {
    bytes out(code.size() * sizeof(sock_filter));
    std::memcpy(out.data(), code.data(), out.size());
    return out;
  };
  const auto odd = GENERATE_COPY(values({
    bytes{},
    program({{BPF_LD | BPF_W | BPF_ABS, 0, 0, 0}}), // has no end
    program({{BPF_JMP | BPF_JA, 0, 0, 7}}),         // out of it
    program({{BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1},  // of nothing
             {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}}),
    program({{BPF_LD | BPF_W | BPF_ABS, 0, 0, 0}, // bits of a number
             {BPF_JMP | BPF_JSET | BPF_K, 1, 0, 1},
             {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
             {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_KILL}}),
    program({{BPF_LD | BPF_W | BPF_LEN, 0, 0, 0},
             {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}}),
  }));
  CHECK(plan::in_ranges(odd) == odd);
}

} // namespace troupe::seccomp_ranges_test
