#include "actors/shim_link.hpp"
#include "runtime/linux/seqpacket.hpp"
#include "tests/support/deterministic.hpp"

#include <caf/system_messages.hpp>

#include <cerrno>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace troupe::shim_link_test {

namespace {

shim::record record_of(const shim::process_key& key, std::int32_t pid) {
  shim::record out;
  out.key = key;
  out.pid = pid;
  out.state = shim::process_state::running;
  return out;
}

msg::shim_call signal_to(const shim::process_key& key) {
  return {shim::signal{0, key, 15}, {}};
}

/// The link on one end of a real socket, the test with the codec on the other.
/// Nothing runs by itself: `turn` serves the descriptor and every mailbox.
struct fixture : test::deterministic {
  fixture() : poller(sys::poller::create().value()) {
    auto [ours, theirs] = sys::seqpacket_pair().value();
    for (const auto* each : {&ours, &theirs})
      REQUIRE(::fcntl(each->get(), F_SETFL, O_NONBLOCK) == 0);
    peer = std::move(theirs);
    link = own(spawn_shim_link(system, *poller, std::move(ours)));
    self->monitor(link);
    settle();
  }

  ~fixture() {
    kill_owned();
  }

  void turn() {
    settle();
    poller->stop(); // What is ready already is served before.
    poller->run();
    settle();
  }

  void say(const shim::notice& x) {
    REQUIRE(sys::send_packet(peer.get(), shim::encode(x)));
    turn();
  }

  void greet() {
    say(shim::hello{shim::protocol_version, "1.2.3", 77, 2});
  }

  struct heard {
    shim::request request;
    std::vector<sys::unique_fd> fds;
  };

  std::optional<heard> listen() {
    auto got = sys::receive_packet(peer.get());
    if (!got)
      return std::nullopt;
    return heard{shim::decode_request(got->bytes).value(), std::move(got->fds)};
  }

  process_owner_actor owner() {
    return own(system.spawn([this]() -> process_owner_actor::behavior_type {
      return {
        [this](const msg::process_changed& x) { changes.push_back(x.record); },
        [this](const msg::process_warned& x) { warnings.push_back(x.warning); },
      };
    }));
  }

  sync_listener_actor listener() {
    return own(system.spawn([this]() -> sync_listener_actor::behavior_type {
      return {[this](const msg::shim_synced& x) { syncs.push_back(x); }};
    }));
  }

  /// Why the link has ended; it must have.
  failure ending() {
    REQUIRE(self->has_next_message());
    failure why;
    self->receive([&](const caf::down_msg& x) { why = from_caf(x.reason); });
    return why;
  }

  std::unique_ptr<sys::poller> poller;
  sys::unique_fd peer;
  shim_link_actor link;
  std::vector<shim::record> changes;
  std::vector<shim::warning> warnings;
  std::vector<msg::shim_synced> syncs;
};

} // namespace

TEST_CASE_METHOD(fixture, "who waits for the sync gets all records, once",
                 "[shim_link]") {
  tell(link, msg::await_sync{listener()});
  greet();
  say(record_of("web-1", 1));
  say(record_of("web-2", 2));
  say(record_of("web-1", 3));
  CHECK(syncs.empty());
  say(shim::synced{});
  REQUIRE(syncs.size() == 1);
  CHECK(syncs[0].shim_pid == 77);
  CHECK(syncs[0].spare_launchers == 2);
  CHECK(syncs[0].shim_version == "1.2.3");
  REQUIRE(syncs[0].records.size() == 2);
  for (const auto& each : syncs[0].records)
    CHECK(each.pid == (each.key == "web-1" ? 3 : 2));
  say(shim::synced{});
  CHECK(syncs.size() == 1);
  tell(link, msg::await_sync{listener()});
  CHECK(syncs.size() == 2);
}

TEST_CASE_METHOD(fixture, "an owner gets the newest record, then each change",
                 "[shim_link]") {
  greet();
  say(record_of("web-1", 1));
  say(record_of("web-1", 2));
  tell(link, msg::own_process{"web-1", owner()});
  CHECK(changes == std::vector{record_of("web-1", 2)});
  say(record_of("other", 9));
  say(record_of("web-1", 3));
  CHECK(changes == std::vector{record_of("web-1", 2), record_of("web-1", 3)});
  say(shim::warning{"web-1", "hook failed", false, {}});
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].what == "hook failed");
}

TEST_CASE_METHOD(fixture, "who disowns a process hears no more of it",
                 "[shim_link]") {
  greet();
  tell(link, msg::own_process{"web-1", owner()});
  tell(link, msg::disown_process{"web-1"});
  say(record_of("web-1", 1));
  say(shim::warning{"web-1", "hook failed", false, {}});
  CHECK(changes.empty());
  CHECK(warnings.empty());
  tell(link, msg::own_process{"web-1", owner()});
  CHECK(changes.size() == 1);
}

TEST_CASE_METHOD(fixture, "a record outlives its owner", "[shim_link]") {
  greet();
  const auto first = owner();
  tell(link, msg::own_process{"web-1", first});
  say(record_of("web-1", 1));
  self->send_exit(first, caf::exit_reason::kill);
  settle();
  say(record_of("web-1", 2));
  CHECK(changes.size() == 1);
  tell(link, msg::own_process{"web-1", owner()});
  REQUIRE(changes.size() == 2);
  CHECK(changes[1].pid == 2);
}

TEST_CASE_METHOD(fixture, "a forgotten record is told to nobody",
                 "[shim_link]") {
  greet();
  say(record_of("web-1", 1));
  auto asked = send(link, msg::shim_call{shim::forget{0, "web-1"}, {}});
  const auto seq = shim::seq_of(listen()->request);
  SECTION("once the shim agrees") {
    say(shim::reply{seq, 0, 0, "", false, {}});
    CHECK(taken<msg::shim_answer>(asked).reply.fault == 0);
    tell(link, msg::own_process{"web-1", owner()});
    CHECK(changes.empty());
  }
  SECTION("but a refusal forgets nothing") {
    const auto code = static_cast<std::uint8_t>(fault::wrong_state);
    say(shim::reply{seq, code, 0, "it runs", false, {}});
    CHECK(taken<msg::shim_answer>(asked).reply.what == "it runs");
    tell(link, msg::own_process{"web-1", owner()});
    CHECK(changes.size() == 1);
  }
}

TEST_CASE_METHOD(fixture, "replies find their callers in any order",
                 "[shim_link]") {
  greet();
  auto first = send(link, signal_to("web-1"));
  auto second = send(link, signal_to("web-2"));
  const auto one = shim::seq_of(listen()->request);
  const auto two = shim::seq_of(listen()->request);
  CHECK(one != two);
  say(shim::reply{two, 0, 0, "second", false, {}});
  CHECK(taken<msg::shim_answer>(second).reply.what == "second");
  CHECK_FALSE(answered());
  say(shim::reply{two, 0, 0, "again", false, {}});
  say(shim::reply{999, 0, 0, "of nobody", false, {}});
  CHECK_FALSE(answered());
  say(shim::reply{one, 0, 0, "first", false, {}});
  CHECK(taken<msg::shim_answer>(first).reply.what == "first");
}

TEST_CASE_METHOD(fixture, "descriptors travel with their call", "[shim_link]") {
  greet();
  auto fd = std::make_shared<sys::unique_fd>(::eventfd(42, EFD_CLOEXEC));
  self->send(link, msg::shim_call{shim::attach{0, "web-1", true, true},
                                  {std::move(fd)}});
  settle();
  const auto got = listen();
  REQUIRE(got);
  CHECK(std::get<shim::attach>(got->request).key == "web-1");
  REQUIRE(got->fds.size() == 1);
  std::uint64_t value = 0;
  REQUIRE(::read(got->fds[0].get(), &value, sizeof value) == sizeof value);
  CHECK(value == 42);
}

TEST_CASE_METHOD(fixture, "calls wait in order while the socket is full",
                 "[shim_link]") {
  greet();
  constexpr auto calls = 3000;
  for (auto i = 0; i < calls; ++i)
    self->send(link, signal_to(std::string(200, 'x') + std::to_string(i)));
  settle();
  auto heard_now = 0;
  std::uint64_t last = 0;
  const auto drain = [&] {
    auto count = 0;
    for (auto got = listen(); got; got = listen(), ++count) {
      CHECK(shim::seq_of(got->request) == last + 1);
      last = shim::seq_of(got->request);
    }
    return count;
  };
  heard_now = drain();
  CHECK(heard_now < calls); // Else this tests nothing.
  for (auto rounds = 0; heard_now < calls && rounds < calls; ++rounds) {
    turn();
    heard_now += drain();
  }
  CHECK(heard_now == calls);
}

TEST_CASE_METHOD(fixture, "too many waiting calls are refused", "[shim_link]") {
  greet();
  for (auto i = 0; i < 8000; ++i)
    self->send(link, signal_to("web-1"));
  const auto why = refused<msg::shim_answer>(link, signal_to("web-1"));
  CHECK(why.code == fault::exhausted);
}

TEST_CASE_METHOD(fixture, "a call the shim never answers gives way in the end",
                 "[shim_link]") {
  greet();
  auto oldest = send(link, signal_to("web-1"));
  for (auto i = 0; i < 16'384; ++i) {
    CHECK_FALSE(answered());
    self->send(link, signal_to("web-2"));
    settle();
    CHECK(listen());
  }
  CHECK(refusal<msg::shim_answer>(oldest).code == fault::timed_out);
}

TEST_CASE_METHOD(fixture, "a call that is too long is refused alone",
                 "[shim_link]") {
  greet();
  const auto why = refused<msg::shim_answer>(
    link, signal_to(std::string(shim::max_packet, 'x')));
  CHECK(why.code == fault::invalid_config);
  CHECK_FALSE(listen());
  self->send(link, signal_to("web-1"));
  settle();
  CHECK(listen());
}

TEST_CASE_METHOD(fixture, "when the shim is gone, everyone hears it",
                 "[shim_link]") {
  greet();
  auto first = send(link, signal_to("web-1"));
  auto second = send(link, signal_to("web-2"));
  peer.reset();
  turn();
  CHECK(refusal<msg::shim_answer>(first).code == fault::unavailable);
  CHECK(refusal<msg::shim_answer>(second).code == fault::unavailable);
  CHECK(ending().code == fault::unavailable);
}

TEST_CASE_METHOD(fixture, "a call on a broken socket is refused",
                 "[shim_link]") {
  greet();
  peer.reset();
  CHECK(refused<msg::shim_answer>(link, signal_to("web-1")).code
        == fault::unavailable);
  CHECK(ending().code == fault::unavailable);
}

TEST_CASE_METHOD(fixture, "the link ends with a shim that speaks otherwise",
                 "[shim_link]") {
  SECTION("another protocol") {
    say(shim::hello{shim::protocol_version + 1, "9", 1, 0});
    const auto why = ending();
    CHECK(why.code == fault::unavailable);
    CHECK_THAT(why.what,
               Catch::Contains("speaks protocol "
                               + std::to_string(shim::protocol_version + 1)));
  }
  SECTION("no greeting") {
    say(record_of("web-1", 1));
    CHECK_THAT(ending().what, Catch::Contains("does not greet"));
  }
  SECTION("noise") {
    greet();
    const std::vector<std::uint8_t> noise{0xff, 0x00, 0x17};
    REQUIRE(sys::send_packet(peer.get(), noise));
    turn();
    CHECK_THAT(ending().what, Catch::Contains("no notice"));
  }
}

TEST_CASE_METHOD(fixture, "a link that is ended answers and hangs up",
                 "[shim_link]") {
  greet();
  auto asked = send(link, signal_to("web-1"));
  self->send_exit(link, caf::exit_reason::user_shutdown);
  settle();
  CHECK(refusal<msg::shim_answer>(asked).code == fault::unavailable);
  CHECK(listen());
  const auto end = sys::receive_packet(peer.get());
  REQUIRE(end);
  CHECK(end->closed);
}

} // namespace troupe::shim_link_test
