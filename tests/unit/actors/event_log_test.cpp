#include "actors/errors.hpp"
#include "actors/event_log.hpp"
#include "actors/event_table.hpp"
#include "actors/system_config.hpp"
#include "tests/support/scratch_directory.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <catch2/catch.hpp>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sys/resource.h>
#include <unistd.h>

namespace troupe::event_log_test {

using namespace std::chrono_literals;

namespace {

msg::event event_of(const std::string& container, const std::string& type,
                    std::string once = {}) {
  return {0, 5, container, type, R"({"x":1})", std::move(once)};
}

/// The log is detached: it runs in a thread, in real time.
struct fixture {
  fixture() : system(config), self(system) {
  }

  ~fixture() {
    close();
  }

  void open(event_retention keep = {}) {
    auto opened = spawn_event_log(system, path, keep, warning);
    REQUIRE(opened);
    log = *opened;
  }

  void close() {
    if (!log)
      return;
    self->send_exit(log, caf::exit_reason::user_shutdown);
    self->wait_for(log);
    log = nullptr;
  }

  std::int64_t append(std::vector<msg::event> events) {
    std::int64_t last = -1;
    self->request(log, 30s, msg::append_events{std::move(events)})
      .receive([&](const msg::events_committed& x) { last = x.last_seq; },
               [&](const caf::error& x) { FAIL(system.render(x)); });
    return last;
  }

  msg::events read(const msg::read_events& what) {
    msg::events out;
    self->request(log, 30s, what)
      .receive([&](const msg::events& x) { out = x; },
               [&](const caf::error& x) { FAIL(system.render(x)); });
    return out;
  }

  std::vector<std::int64_t> seqs(const msg::read_events& what) {
    std::vector<std::int64_t> out;
    for (const auto& each : read(what).all)
      out.push_back(each.seq);
    return out;
  }

  test::scratch_directory scratch;
  std::string path = scratch / "events.db";
  system_config config;
  caf::actor_system system;
  caf::scoped_actor self;
  std::string warning;
  event_log_actor log;
};

using numbers = std::vector<std::int64_t>;

} // namespace

TEST_CASE_METHOD(fixture, "events get consecutive numbers and are read back",
                 "[event_log]") {
  open();
  CHECK(warning.empty());
  CHECK(append({event_of("web-1", "created"), event_of("db", "created")}) == 2);
  CHECK(append({event_of("web-1", "started")}) == 3);
  const auto all = read({});
  CHECK(all.last_seq == 3);
  REQUIRE(all.all.size() == 3);
  auto expected = event_of("web-1", "started");
  expected.seq = 3;
  CHECK(all.all[2] == expected);
  CHECK(append({}) == 3);
}

TEST_CASE_METHOD(fixture, "reading filters and stops at the limit",
                 "[event_log]") {
  open();
  for (auto i = 0; i < 5; ++i)
    append({event_of("web-1", "started"), event_of("db", "exited")});
  CHECK(seqs({0, 3, "", ""}) == numbers{1, 2, 3});
  CHECK(seqs({7, 256, "", ""}) == numbers{8, 9, 10});
  CHECK(seqs({0, 2, "db", ""}) == numbers{2, 4});
  CHECK(seqs({4, 256, "db", ""}) == numbers{6, 8, 10});
  CHECK(seqs({5, 256, "", "started"}) == numbers{7, 9});
  CHECK(seqs({0, 256, "db", "started"}).empty());
  CHECK(seqs({0, 256, "nobody", ""}).empty());
  CHECK(seqs({6, 256, "nobody,db,web-1", ""}) == numbers{7, 8, 9, 10});
  CHECK(seqs({6, 256, "db,nobody", "oom,exited"}) == numbers{8, 10});
  CHECK(seqs({6, 256, "", "exit,xstarted"}).empty());
  CHECK(seqs({0, -1, "", ""}).empty());
  CHECK(read({10, 256, "", ""}).last_seq == 10);
}

TEST_CASE_METHOD(fixture, "an event of a known key is written once",
                 "[event_log]") {
  open();
  CHECK(append({event_of("web-1", "exited", "web-1/1/exited")}) == 1);
  CHECK(append({event_of("web-1", "exited", "web-1/1/exited"),
                event_of("web-1", "stopped"), event_of("web-1", "stopped"),
                event_of("web-1", "exited", "web-1/1/exited"),
                event_of("web-1", "exited", "web-1/2/exited")})
        == 4);
  CHECK(seqs({}) == numbers{1, 2, 3, 4});
  CHECK(read({3, 1, "", ""}).all[0].once == "web-1/2/exited");
}

TEST_CASE_METHOD(fixture, "numbers go on after a restart", "[event_log]") {
  open();
  append({event_of("web-1", "created", "key")});
  close();
  open();
  CHECK(warning.empty());
  CHECK(append({event_of("web-1", "created", "key")}) == 1);
  CHECK(append({event_of("web-1", "started")}) == 2);
}

TEST_CASE_METHOD(fixture, "only the newest events are kept", "[event_log]") {
  open({3});
  for (auto i = 0; i < 5; ++i)
    append({event_of("web-1", "created"), event_of("web-1", "started")});
  CHECK(seqs({}) == numbers{8, 9, 10});
  close();
  open({1});
  CHECK(append({event_of("web-1", "exited")}) == 11);
  CHECK(seqs({}) == numbers{11});
}

TEST_CASE_METHOD(fixture, "a batch is answered as one commit", "[event_log]") {
  open();
  constexpr auto calls = 500;
  for (auto i = 0; i < calls; ++i)
    self->send(log, msg::read_events{}); // Fills the mailbox.
  std::vector<decltype(self->request(log, 30s, msg::append_events{}))> asked;
  for (auto i = 0; i < calls; ++i)
    asked.push_back(self->request(
      log, 30s, msg::append_events{{event_of("web-1", "started")}}));
  std::int64_t last = 0;
  auto commits = 0;
  for (auto& each : asked)
    each.receive(
      [&](const msg::events_committed& x) {
        CHECK(x.last_seq >= last);
        commits += x.last_seq != last ? 1 : 0;
        last = x.last_seq;
      },
      [&](const caf::error& x) { FAIL(system.render(x)); });
  CHECK(last == calls);
  CHECK(commits < calls);
}

TEST_CASE_METHOD(fixture, "a subscriber hears of each commit until it ends",
                 "[event_log]") {
  open();
  append({event_of("web-1", "created", "key")});
  const caf::scoped_actor ear{system};
  const auto subscriber = system.spawn(
    [target = caf::actor{ear}]() -> event_subscriber_actor::behavior_type {
      return {
        [=](const msg::events_committed& x) { caf::anon_send(target, x); }};
    });
  const auto hears = [&](std::int64_t expected) {
    auto heard = false;
    ear->receive(
      [&](const msg::events_committed& x) {
        CHECK(x.last_seq == expected);
        heard = true;
      },
      caf::after(30s) >> [] {});
    CHECK(heard);
  };
  self->send(log, msg::subscribe_events{subscriber});
  hears(1);
  append({event_of("web-1", "started")});
  hears(2);
  append({event_of("web-1", "created", "key")}); // Nothing new.
  append({event_of("web-1", "exited")});
  hears(3);
  self->send_exit(subscriber, caf::exit_reason::user_shutdown);
  self->wait_for(subscriber);
  CHECK(append({event_of("web-1", "stopped")}) == 4);
}

TEST_CASE_METHOD(fixture, "what was queued when the log ends is written",
                 "[event_log]") {
  open();
  auto asked = self->request(log, 30s,
                             msg::append_events{{event_of("web-1", "exited")}});
  close();
  asked.receive([](const msg::events_committed& x) { CHECK(x.last_seq == 1); },
                [&](const caf::error& x) { FAIL(system.render(x)); });
  open();
  CHECK(seqs({}) == numbers{1});
}

TEST_CASE_METHOD(fixture, "a file that is no database is set aside",
                 "[event_log]") {
  scratch.write("events.db", std::string(10'000, 'x'));
  open();
  CHECK_THAT(warning,
             Catch::Contains("not a database") && Catch::Contains(".corrupt-"));
  CHECK(append({event_of("web-1", "created")}) == 1);
  auto kept = 0;
  for (const auto& each : std::filesystem::directory_iterator{scratch.path()})
    if (each.path().string().find(".corrupt-") != std::string::npos)
      ++kept;
  CHECK(kept == 1);
}

TEST_CASE_METHOD(fixture, "a database of another version is set aside",
                 "[event_log]") {
  {
    auto other = sqlite::database::open(path).value();
    REQUIRE(other.execute("CREATE TABLE precious(x); PRAGMA user_version = 7"));
  }
  open();
  CHECK_THAT(warning, Catch::Contains("schema version 7, expected 1"));
}

TEST_CASE_METHOD(fixture, "a database that is damaged while it is open",
                 "[event_log]") {
  open();
  std::vector<msg::event> many;
  for (auto i = 0; i < 5000; ++i)
    many.push_back(event_of("web-" + std::to_string(i), "started"));
  append(many);
  close(); // All of it is in the file itself now.
  open();
  const auto size = std::filesystem::file_size(path);
  std::fstream file{path, std::ios::binary | std::ios::in | std::ios::out};
  file.seekp(4096);
  file << std::string(size - 4096, 'x');
  file.close();
  CHECK(append({event_of("web-1", "exited")}) == 5001);
  CHECK(seqs({}) == numbers{5001});
  auto kept = 0;
  for (const auto& each : std::filesystem::directory_iterator{scratch.path()})
    if (each.path().string().find(".corrupt-") != std::string::npos)
      ++kept;
  CHECK(kept >= 1);
}

TEST_CASE_METHOD(fixture, "events go with their age, and the newest stays",
                 "[event_log]") {
  constexpr time_ns hour = 3'600'000'000'000;
  open({.max_events = 100, .max_age = hour});
  const auto aged = [&](time_ns age) {
    auto out = event_of("web-1", "started");
    out.time = now_ns() - age;
    return out;
  };
  CHECK(append({aged(3 * hour), aged(2 * hour), aged(hour / 2)}) == 3);
  CHECK(seqs({}) == numbers{3});
  append({aged(0), aged(2 * hour), aged(0)});
  // The numbers are their order: an old one behind a young one has its turn.
  CHECK(seqs({}) == numbers{3, 4, 5, 6});
  close();
  open({.max_events = 100, .max_age = 1});
  CHECK(append({aged(hour)}) == 7);
  CHECK(seqs({}) == numbers{7});
  CHECK(append({aged(hour)}) == 8);
  CHECK(seqs({}) == numbers{8});
}

TEST_CASE_METHOD(fixture, "a log without a place is a failure", "[event_log]") {
  const auto opened = spawn_event_log(system, scratch / "no/such/events.db", {},
                                      warning);
  REQUIRE_FALSE(opened);
  CHECK_THAT(opened.error().what, Catch::Contains("unable to open"));
  CHECK(warning.empty());
}

TEST_CASE("an append that fails leaves no trace, and the next one works",
          "[event_log]") {
  const test::scratch_directory scratch;
  const auto path = scratch / "events.db";
  auto table = event_table::open(path, {}).value();
  auto other = sqlite::database::open(path).value();
  REQUIRE(other.execute(
    "CREATE TRIGGER full BEFORE INSERT ON events WHEN new.type = 'full' "
    "BEGIN SELECT raise(ABORT, 'no room'); END"));
  const msg::append_events good{{event_of("web-1", "created")}};
  const msg::append_events bad{
    {event_of("web-1", "started"), event_of("web-1", "full")}};
  REQUIRE(table.append(std::vector{&good}));
  const auto failed = table.append(std::vector{&good, &bad});
  REQUIRE_FALSE(failed);
  CHECK_THAT(failed.error().what, Catch::Contains("no room"));
  CHECK(table.last_seq() == 1);
  CHECK(table.read({}).value().all.size() == 1);
  REQUIRE(table.append(std::vector{&good}));
  CHECK(table.last_seq() == 2);
}

TEST_CASE("a write that fails leaves a table that works", "[event_log]") {
  const test::scratch_directory scratch;
  const auto path = scratch / "events.db";
  auto table = event_table::open(path, {}).value();
  msg::append_events large{{event_of("web-1", "created")}};
  large.events[0].data.assign(1 << 20, 'x');
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const rlimit small{64 << 10, before.rlim_max};
  // trouped has every signal blocked.
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const auto failed = table.append(
    std::vector<const msg::append_events*>{&large});
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  ::signal(SIGXFSZ, handler);
  REQUIRE_FALSE(failed);
  CHECK(table.last_seq() == 0);
  CHECK(table.append(std::vector<const msg::append_events*>{&large}));
  CHECK(table.last_seq() == 1);
}

} // namespace troupe::event_log_test
