#include "config/base/container_id.hpp"
#include "config/base/signal_number.hpp"
#include "config/json/cursor.hpp"
#include "config/oci/parse.hpp"
#include "config/run_options.hpp"
#include "config/settings.hpp"
#include "runtime/compile/compile.hpp"
#include "runtime/linux/proc_info.hpp"
#include "runtime/log/cri.hpp"
#include "runtime/oci/ps.hpp"
#include "runtime/plan/launch_plan.hpp"
#include "runtime/probe/cgroup_mounts.hpp"
#include "runtime/shim/protocol/messages.hpp"
#include "runtime/store/state_file.hpp"
#include "tests/support/hosts.hpp"
#include "tests/support/maximal_plan.hpp"
#include "tests/support/mutator.hpp"
#include "tests/unit/config/full_document.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

// Every parser of untrusted or damaged input, fed with what is almost right.
// None crashes (preset asan looks closer), every refusal says why, and what is
// accepted is the same after it was written and read once more.

namespace troupe::mutation_test {

using test::mutator;

namespace {

std::string text_of(const std::vector<std::uint8_t>& bytes) {
  return {bytes.begin(), bytes.end()};
}

std::vector<std::uint8_t> bytes_of(const std::string& text) {
  return {text.begin(), text.end()};
}

/// Parses `count` mutants; returns how many were accepted.
template <class Parse>
int feed(mutator& from, int count, Parse parse) {
  auto accepted = 0;
  for (auto i = 0; i < count; ++i) {
    const auto text = from.next();
    const auto out = parse(text);
    if (out)
      ++accepted;
    else if (out.error().what.empty())
      FAIL("refused without a word: " << text);
  }
  return accepted;
}

/// The whole way of a config.json to a plan.
result<plan::launch_plan> plan_of(const std::string& text) {
  TROUPE_TRY(const auto spec, oci::parse(text));
  if (oci::parse(oci::to_json(spec)) != spec)
    FAIL("changes by being written: " << text);
  TROUPE_CHECK(oci::validate(spec));
  return plan::compile(spec, test::hybrid_host(), "web-1", "/srv/bundle");
}

/// Docker's defaults with a filter of a few names: compiling all of them takes
/// longer than all mutants together.
nlohmann::json small_document() {
  auto spec = default_spec("/srv/rootfs");
  spec.process->args = {"sh"};
  auto& calls = spec.linux_.seccomp->syscalls;
  calls.resize(1);
  calls[0].names.resize(3);
  return oci::to_json(spec);
}

} // namespace

TEST_CASE("mutants of a config.json are refused with a reason, or compiled",
          "[rule-8]") {
  const auto whole = plan_of(small_document().dump());
  INFO((whole ? "" : whole.error().what));
  REQUIRE(whole);
  mutator texts{{small_document().dump(), test::full_document().dump()}};
  CHECK(feed(texts, 300, plan_of) > 0);
}

TEST_CASE("a config.json with a wrong value in any one place does no harm",
          "[rule-8]") {
  const auto document = small_document();
  const nlohmann::json values[] = {
    nullptr, -1,      4294967295U,      0,    ~std::uint64_t{0}, 1e300,
    "",      "../..", "a\nb: \xc3\xa4", true, {{"", ""}}};
  auto next = std::size_t{0};
  auto compiled = 0;
  for (const auto& place : test::places_of(document)) {
    auto mutant = document;
    mutant[nlohmann::json::json_pointer{place}]
      = values[next++ % std::size(values)];
    const auto plan = plan_of(mutant.dump());
    CAPTURE(place);
    if (plan)
      ++compiled;
    else
      CHECK_FALSE(plan.error().what.empty());
  }
  CHECK(compiled > 0);
  CHECK(next > 200);
}

TEST_CASE("mutants of a state.json are refused, or read as they are written",
          "[rule-8]") {
  store::state state;
  state.id = "web-1";
  state.status = "running";
  state.bundle = "/srv/web";
  state.pid = 42;
  state.error = "exec: \xff: ENOENT";
  state.annotations = {{"a", "b"}};
  mutator texts{{store::to_text(state), store::to_text({})}};
  const auto accepted = feed(texts, 2000, [](const std::string& text) {
    auto out = store::parse_state(text);
    if (out && store::parse_state(store::to_text(*out)).value() != *out)
      FAIL("changes by being written: " << text);
    return out;
  });
  CHECK(accepted > 0);
}

TEST_CASE("mutants of a plan are refused, or decoded as they are encoded",
          "[rule-8]") {
  mutator plans{{text_of(encode(test::maximal<plan::launch_plan>())),
                 text_of(encode(plan::launch_plan{}))}};
  feed(plans, 2000, [](const std::string& text) {
    auto out = plan::decode_launch_plan(bytes_of(text));
    if (out && plan::decode_launch_plan(encode(*out)).value() != *out)
      FAIL("changes by being written");
    return out;
  });
  mutator sessions{{text_of(encode(test::maximal<plan::exec_plan>())),
                    text_of(encode(plan::exec_plan{}))}};
  feed(sessions, 2000, [](const std::string& text) {
    auto out = plan::decode_exec_plan(bytes_of(text));
    if (out && plan::decode_exec_plan(encode(*out)).value() != *out)
      FAIL("changes by being written");
    return out;
  });
}

TEST_CASE("mutants of the shim's packets are refused, or decoded as they are "
          "encoded",
          "[rule-8]") {
  using namespace shim;
  const auto step = step_report{7, 3, 2, "mount /data: ENOENT"};
  shim::launch launching{1, "web-1/s", "web-1", true, false, {},
                         0, 0,         false,   "",   0};
  launching.log.path = "/log";
  mutator requests{{text_of(encode(request{launching})),
                    text_of(encode(request{shim::signal{3, "web-1", 15}})),
                    text_of(encode(request{attach{4, "web-1", true, false}})),
                    text_of(encode(request{resize{5, "web-1", 24, 80}})),
                    text_of(encode(request{quit{~std::uint64_t{0}}}))}};
  CHECK(feed(requests, 5000,
             [](const std::string& text) {
               auto out = decode_request(bytes_of(text));
               if (out && decode_request(encode(*out)).value() != *out)
                 FAIL("changes by being written");
               return out;
             })
        > 0);
  record exited;
  exited.key = "web-1";
  exited.state = process_state::exited;
  mutator notices{{text_of(encode(notice{hello{1, "0.1.0", 42, 1}})),
                   text_of(encode(notice{exited})),
                   text_of(encode(notice{reply{1, 2, 3, "w", true, step}})),
                   text_of(encode(notice{warning{"web-1", "w", true, step}}))}};
  CHECK(feed(notices, 5000,
             [](const std::string& text) {
               auto out = decode_notice(bytes_of(text));
               if (out && decode_notice(encode(*out)).value() != *out)
                 FAIL("changes by being written");
               return out;
             })
        > 0);
}

TEST_CASE("mutants of log lines are no records, or read as they are written",
          "[rule-8]") {
  mutator lines{{"2026-11-22T05:23:00.000000001Z stdout F hello",
                 "2026-11-22T05:23:00.5+01:00 stderr P ", "text"}};
  auto records = 0;
  for (auto i = 0; i < 20'000; ++i) {
    const auto line = lines.next();
    const auto found = log::parse(line);
    if (!found)
      continue;
    ++records;
    std::string again;
    log::format(again, *found);
    REQUIRE(again.ends_with('\n'));
    again.pop_back();
    const auto same = log::parse(again);
    if (!same || same->time != found->time || same->text != found->text
        || same->stream != found->stream || same->partial != found->partial)
      FAIL("changes by being written: " << line);
  }
  CHECK(records > 0);
}

TEST_CASE("mutants of words are refused with a reason, or in their range",
          "[rule-8]") {
  mutator signals{{"SIGTERM", "9", "rtmin+3", "kill", "64"}};
  CHECK(feed(signals, 5000,
             [](const std::string& text) {
               auto out = signal_number(text);
               if (out && (*out < 1 || *out > 64))
                 FAIL("a signal of " << *out << ": " << text);
               return out;
             })
        > 0);
  mutator sizes{{"64m", "1.5g", "512", "10KiB", "9223372036854775807"}};
  CHECK(feed(sizes, 5000,
             [](const std::string& text) {
               auto out = parse_size(text);
               if (out && *out < 0)
                 FAIL("a size of " << *out << ": " << text);
               return out;
             })
        > 0);
  mutator ids{{"web-1", "A_b.c+d", "0"}};
  CHECK(feed(ids, 5000,
             [](const std::string& text) {
               auto out = checked_id(text);
               constexpr auto allowed
                 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                   "0123456789_.+-";
               if (out
                   && (*out != text || text.starts_with('.') || text.empty()
                       || text.find_first_not_of(allowed) != std::string::npos))
                 FAIL("taken for an id: " << text);
               return out;
             })
        > 0);
}

TEST_CASE("mutants of documents of ours and of the kernel's do no harm",
          "[rule-8]") {
  run_options options;
  options.args = {"sh"};
  options.user = "1000:100";
  options.volumes = {"/srv:/data:ro"};
  mutator requests{{nlohmann::json(options).dump()}};
  feed(requests, 1000, [](const std::string& text) -> outcome {
    TROUPE_TRY(const auto document, json::parse(text));
    TROUPE_TRY(const auto read, parse_run_options(document));
    auto spec = default_spec("/srv/rootfs");
    return apply(read, spec);
  });
  mutator configs{{R"({"root": "/run/troupe", "log_level": "debug"})"}};
  feed(configs, 1000,
       [](const std::string& text) { return parse_settings(text, {}); });
  mutator stats{{"42 (a (b) c) S 1 42 42 0 -1 4194560 1 0 0 0 7 8 0 0 20 0 1 0 "
                 "999 4096 5"}};
  CHECK(feed(stats, 2000,
             [](const std::string& text) { return sys::parse_stat(text); })
        > 0);
  mutator tables{{"  PID TTY TIME CMD\n   42 ? 00:00:00 sh\n", "UID PID\n0 7"}};
  feed(tables, 2000, [](const std::string& text) {
    return oci_runtime::lines_of(text, {42, 7});
  });
  mutator mounts{{"25 1 0:21 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 "
                  "cgroup2 rw\n",
                  "30 25 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup "
                  "rw,memory\n"}};
  for (auto i = 0; i < 2000; ++i) {
    plan::host_facts facts;
    sys::add_cgroup_mounts(facts, mounts.next(), mounts.next());
  }
}

} // namespace troupe::mutation_test
