// What one start allocates on its way from config.json to the launcher,
// counted. Who makes it cheaper lowers the budget.

#include "config/oci/parse.hpp"
#include "config/run_options.hpp"
#include "runtime/compile/compile.hpp"
#include "tests/support/hosts.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> allocations{0};

} // namespace

void* operator new(std::size_t size) {
  ++allocations;
  if (auto* const out = std::malloc(size != 0 ? size : 1); out != nullptr)
    return out;
  throw std::bad_alloc{};
}

void operator delete(void* what) noexcept {
  std::free(what);
}

void operator delete(void* what, std::size_t /*size*/) noexcept {
  std::free(what);
}

namespace troupe::allocation_test {

namespace {

template <class F>
std::size_t allocations_of(const F& work) {
  const auto before = allocations.load();
  const auto out = work();
  const auto made = allocations.load() - before;
  REQUIRE(out);
  return made;
}

oci::spec true_spec() {
  auto spec = default_spec("/srv/bundle/rootfs");
  spec.process->args = {"/bin/true"};
  return spec;
}

} // namespace

// Measured, and five percent above.
TEST_CASE("a start keeps to its budget of allocations") {
  constexpr std::size_t parse_budget = 2763;
  constexpr std::size_t compile_budget = 241;
  constexpr std::size_t decode_budget = 94;
  constexpr std::size_t encode_budget = 16;
  const auto host = test::hybrid_host();
  const auto text = oci::to_json(true_spec()).dump();
  const auto spec = oci::parse(std::string_view{text});
  REQUIRE(spec);
  // The first compilation fills the cache of filters.
  const auto plan = plan::compile(*spec, host, "web", "/srv/bundle");
  REQUIRE(plan);
  const auto bytes = plan::encode(*plan);
  CHECK(allocations_of([&] { return oci::parse(std::string_view{text}); })
        <= parse_budget);
  CHECK(allocations_of(
          [&] { return plan::compile(*spec, host, "web", "/srv/bundle"); })
        <= compile_budget);
  CHECK(allocations_of([&] { return plan::decode_launch_plan(bytes); })
        <= decode_budget);
  CHECK(allocations_of([&] { return std::make_optional(plan::encode(*plan)); })
        <= encode_budget);
}

} // namespace troupe::allocation_test
