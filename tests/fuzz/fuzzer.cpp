#include "actors/cluster/frames.hpp"
#include "actors/cluster/greeting.hpp"
#include "actors/gateway/body.hpp"
#include "actors/gateway/query.hpp"
#include "config/json/cursor.hpp"
#include "config/oci/parse.hpp"
#include "config/settings.hpp"
#include "runtime/compile/compile.hpp"
#include "runtime/linux/passwd.hpp"
#include "runtime/shim/client_codec.hpp"
#include "runtime/shim/handover.hpp"
#include "runtime/shim/line_splitter.hpp"
#include "runtime/shim/protocol/messages.hpp"
#include "runtime/store/state_file.hpp"
#include "tests/support/hosts.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <span>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

/// Every parser of what others have written, under libFuzzer, with
/// AddressSanitizer and UBSan (preset fuzz):
///
///     troupe-fuzz --target=config tests/fuzz/corpus/config
///
/// What is refused must say why; what is taken must stay the same when it is
/// written and read once more.
namespace troupe::fuzz {

namespace {

using input = std::span<const std::uint8_t>;

std::string_view text_of(input from) {
  return {reinterpret_cast<const char*>(from.data()), from.size()};
}

void require(bool holds) {
  if (!holds)
    std::abort();
}

template <class T>
bool taken(const result<T>& from) {
  require(from || !from.error().what.empty());
  return from.has_value();
}

void config(input bytes) {
  const auto spec = oci::parse(text_of(bytes));
  if (!taken(spec))
    return;
  require(oci::parse(oci::to_json(*spec)) == *spec);
  if (const auto valid = oci::validate(*spec); !valid) {
    require(!valid.error().what.empty());
    return;
  }
  const auto plan = plan::compile(*spec, test::hybrid_host(), "web-1",
                                  "/srv/bundle");
  if (taken(plan))
    require(plan::decode_launch_plan(plan::encode(*plan)) == *plan);
}

void process(input bytes) {
  if (const auto document = json::parse(std::string{text_of(bytes)}))
    (void)taken(oci::parse_process(*document, "/process"));
}

void settings(input bytes) {
  (void)taken(parse_settings(text_of(bytes)));
}

void plan(input bytes) {
  const auto plan = plan::decode_launch_plan(bytes);
  if (taken(plan))
    require(plan::decode_launch_plan(plan::encode(*plan)) == *plan);
  (void)taken(plan::decode_exec_plan(bytes));
  (void)taken(plan::decode_kept_limits(bytes));
}

void request(input bytes) {
  const auto found = shim::decode_request(bytes);
  if (taken(found))
    require(shim::decode_request(shim::encode(*found)) == *found);
}

void notice(input bytes) {
  const auto found = shim::decode_notice(bytes);
  if (taken(found))
    require(shim::decode_notice(shim::encode(*found)) == *found);
  (void)shim::decode_greeting(bytes);
}

// Without descriptors: their numbers would be the fuzzer's own.
void handover(input bytes) {
  shim::loader from{bytes};
  shim::record record;
  std::vector<std::string> texts;
  std::optional<std::uint64_t> number;
  from(record, texts, number);
}

struct listener final : shim::client_codec::sink {
  void input(std::string_view bytes) override {
    taken += bytes.size();
  }
  void end_of_input() override {
  }
  void reply(std::string_view bytes) override {
    replied += bytes.size();
  }
  std::size_t taken = 0;
  std::size_t replied = 0;
};

/// All at once, and byte by byte: the same comes out of it.
void client(shim::framing what, input bytes) {
  listener whole;
  listener pieces;
  const auto one = shim::client_codec::of(what);
  const auto two = shim::client_codec::of(what);
  const auto good = one->take(text_of(bytes), whole);
  auto still = true;
  for (const auto& byte : text_of(bytes))
    still = still && two->take({&byte, 1}, pieces);
  if (good && still) {
    require(whole.taken == pieces.taken && whole.replied == pieces.replied);
  }
}

void frames(input bytes) {
  client(shim::framing::frames, bytes);
}

void websocket(input bytes) {
  client(shim::framing::websocket, bytes);
}

/// A root with an etc/passwd and an etc/group, which are two halves of the
/// input.
void passwd(input bytes) {
  static const auto root = [] {
    static char name[] = "/tmp/troupe-fuzz-XXXXXX";
    require(::mkdtemp(name) != nullptr);
    std::atexit([] {
      for (const auto* each : {"/etc/passwd", "/etc/group"})
        ::unlink((std::string{name} + each).c_str());
      ::rmdir((std::string{name} + "/etc").c_str());
      ::rmdir(name);
    });
    require(::mkdir((std::string{name} + "/etc").c_str(), 0700) == 0);
    return ::open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
  }();
  const auto half = bytes.size() / 2;
  const auto write = [&](const char* path, input what) {
    const sys::unique_fd file{
      ::openat(root, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
    require(::write(file.get(), what.data(), what.size())
            == static_cast<ssize_t>(what.size()));
  };
  write("etc/passwd", bytes.first(half));
  write("etc/group", bytes.subspan(half));
  for (const auto* user : {"", "www", "1000", "dev:audio", "33:999"})
    (void)taken(sys::find_user(root, user));
}

void state(input bytes) {
  const auto found = store::parse_state(text_of(bytes));
  if (taken(found))
    require(store::parse_state(store::to_text(*found)) == *found);
}

void query(input bytes) {
  constexpr std::array<std::string_view, 5> names{"follow", "tail", "since",
                                                  "signal", "timeout"};
  const auto found = gateway::query::parse(text_of(bytes), names);
  if (!taken(found))
    return;
  (void)taken(found->flag("follow"));
  (void)taken(found->natural("tail", 1000));
  (void)taken(found->moment("since"));
  (void)taken(found->signal("signal", 15));
  (void)taken(found->seconds("timeout", std::chrono::seconds{1}));
}

/// Of a request: Boost.Beast has parsed the rest.
void body(input bytes) {
  (void)taken(gateway::parse_create_container(text_of(bytes)));
  (void)taken(gateway::parse_create_exec(text_of(bytes)));
}

/// What a node is told before anything else: its length, and an object.
void greeting(input bytes) {
  const auto text = text_of(bytes);
  if (text.size() < cluster::length_size)
    return;
  if (!taken(cluster::decode_length(text)))
    return;
  const auto found = cluster::decode_greeting(
    text.substr(cluster::length_size));
  if (!taken(found))
    return;
  const auto again = cluster::encode(*found);
  require(cluster::decode_greeting(again.substr(cluster::length_size))
          == *found);
}

/// All at once, and byte by byte: refused at the same place.
void basp(input bytes) {
  cluster::frames whole;
  cluster::frames pieces;
  auto still = true;
  for (const auto& byte : text_of(bytes))
    still = still && pieces.take({&byte, 1});
  require(whole.take(text_of(bytes)) == still);
}

struct target {
  std::string_view name;
  void (*run)(input);
};

constexpr std::array targets{
  target{"config", config},       target{"process", process},
  target{"settings", settings},   target{"plan", plan},
  target{"request", request},     target{"notice", notice},
  target{"handover", handover},   target{"frames", frames},
  target{"websocket", websocket}, target{"passwd", passwd},
  target{"state", state},         target{"query", query},
  target{"body", body},           target{"greeting", greeting},
  target{"basp", basp},
};

void (*chosen)(input) = nullptr;

} // namespace

} // namespace troupe::fuzz

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  using namespace troupe::fuzz;
  constexpr std::string_view option = "--target=";
  for (auto i = 1; i < *argc; ++i)
    for (const auto& each : targets)
      if (std::string{option}.append(each.name) == (*argv)[i])
        chosen = each.run;
  if (chosen != nullptr)
    return 0;
  std::fputs("usage: troupe-fuzz --target=", stderr);
  for (const auto& each : targets)
    std::fprintf(stderr, "%s%s", each.name.data(),
                 &each == &targets.back() ? " [CORPUS]\n" : "|");
  std::exit(2);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  troupe::fuzz::chosen({data, size});
  return 0;
}
