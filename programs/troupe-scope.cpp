// Speaks to systemd for a launcher: a process apart, because libsystemd is a
// shared library and launchers are static, and because a scope begins with a
// process in it.
//
//   troupe-scope start UNIT [NAME TYPE VALUE]...   makes the scope around
//   itself troupe-scope set UNIT [NAME TYPE VALUE]...     changes its
//   properties
//
// Says "ok" or what is wrong, one line on stdout; `start` then stays until its
// stdin ends. TYPE is a D-Bus signature: see runtime/plan/launch_plan.hpp.

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <systemd/sd-bus.h>
#include <unistd.h>
#include <vector>

namespace {

using std::string;
using std::string_view;

constexpr auto destination = "org.freedesktop.systemd1";
constexpr auto manager_path = "/org/freedesktop/systemd1";
constexpr auto manager = "org.freedesktop.systemd1.Manager";

/// systemd answers at once, or is busy starting up.
constexpr std::uint64_t patience_us = 25'000'000;

using bus_pointer
  = std::unique_ptr<sd_bus, decltype(&sd_bus_flush_close_unref)>;
using message_pointer
  = std::unique_ptr<sd_bus_message, decltype(&sd_bus_message_unref)>;

int say(const string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
  return line == "ok" ? 0 : 1;
}

string words_of(int error) {
  return std::strerror(-error);
}

string words_of(const sd_bus_error& error, int code) {
  return error.message ? error.message : words_of(code);
}

struct bus_error : sd_bus_error {
  bus_error() : sd_bus_error{} {
  }
  bus_error(const bus_error&) = delete;
  bus_error& operator=(const bus_error&) = delete;
  ~bus_error() {
    sd_bus_error_free(this);
  }
};

std::vector<std::uint8_t> bytes_of(string_view hexadecimal) {
  std::vector<std::uint8_t> out;
  for (; hexadecimal.size() >= 2; hexadecimal.remove_prefix(2))
    out.push_back(static_cast<std::uint8_t>(
      std::strtoul(string{hexadecimal.substr(0, 2)}.c_str(), nullptr, 16)));
  return out;
}

/// Appends a value of signature `type`; a negative errno.
int append_value(sd_bus_message* to, string_view type, const char* value) {
  if (type == "t")
    return sd_bus_message_append(to, "v", "t",
                                 std::strtoull(value, nullptr, 10));
  if (type == "u")
    return sd_bus_message_append(
      to, "v", "u",
      static_cast<std::uint32_t>(std::strtoul(value, nullptr, 10)));
  if (type == "x")
    return sd_bus_message_append(to, "v", "x",
                                 std::strtoll(value, nullptr, 10));
  if (type == "i")
    return sd_bus_message_append(
      to, "v", "i", static_cast<std::int32_t>(std::strtol(value, nullptr, 10)));
  if (type == "b")
    return sd_bus_message_append(to, "v", "b", string_view{value} == "true");
  if (type == "s")
    return sd_bus_message_append(to, "v", "s", value);
  if (type != "ay")
    return -EINVAL;
  const auto bytes = bytes_of(value);
  if (const auto opened = sd_bus_message_open_container(to, 'v', "ay");
      opened < 0)
    return opened;
  if (const auto put = sd_bus_message_append_array(to, 'y', bytes.data(),
                                                   bytes.size());
      put < 0)
    return put;
  return sd_bus_message_close_container(to);
}

/// The properties of the command line, and our own pid as the first process.
int append_properties(sd_bus_message* to, std::span<char*> words,
                      bool with_pid) {
  auto done = sd_bus_message_open_container(to, 'a', "(sv)");
  for (; done >= 0 && words.size() >= 3; words = words.subspan(3)) {
    done = sd_bus_message_open_container(to, 'r', "sv");
    if (done >= 0)
      done = sd_bus_message_append(to, "s", words[0]);
    if (done >= 0)
      done = append_value(to, words[1], words[2]);
    if (done >= 0)
      done = sd_bus_message_close_container(to);
  }
  if (done >= 0 && with_pid)
    done = sd_bus_message_append(to, "(sv)", "PIDs", "au", 1,
                                 static_cast<std::uint32_t>(::getpid()));
  return done < 0 ? done : sd_bus_message_close_container(to);
}

/// What became of a job: its path, and then systemd's word for it.
struct job {
  string path;
  string result;
};

int job_removed(sd_bus_message* m, void* data, sd_bus_error* /*error*/) {
  auto& mine = *static_cast<job*>(data);
  std::uint32_t id = 0;
  const char* path = nullptr;
  const char* unit = nullptr;
  const char* result = nullptr;
  if (sd_bus_message_read(m, "uoss", &id, &path, &unit, &result) >= 0
      && mine.path == path)
    mine.result = result;
  return 0;
}

/// Serves the bus until the job has ended; a negative errno.
int wait_for(sd_bus* bus, const job& mine) {
  std::uint64_t left = patience_us;
  while (mine.result.empty()) {
    auto done = sd_bus_process(bus, nullptr);
    if (done == 0) {
      done = sd_bus_wait(bus, left);
      if (done == 0)
        return -ETIMEDOUT;
    }
    if (done < 0)
      return done;
  }
  return 0;
}

int start(sd_bus* bus, const char* unit, std::span<char*> properties) {
  job mine;
  // Before the call: the job may be over when its answer comes.
  auto done = sd_bus_match_signal(bus, nullptr, destination, manager_path,
                                  manager, "JobRemoved", job_removed, &mine);
  bus_error error;
  if (done >= 0)
    done = sd_bus_call_method(bus, destination, manager_path, manager,
                              "Subscribe", &error, nullptr, "");
  if (done < 0)
    return say(words_of(error, done));
  sd_bus_message* raw = nullptr;
  done = sd_bus_message_new_method_call(bus, &raw, destination, manager_path,
                                        manager, "StartTransientUnit");
  const message_pointer call{raw, sd_bus_message_unref};
  if (done >= 0)
    done = sd_bus_message_append(call.get(), "ss", unit, "fail");
  if (done >= 0)
    done = append_properties(call.get(), properties, true);
  if (done >= 0)
    done = sd_bus_message_append(call.get(), "a(sa(sv))", 0);
  sd_bus_message* answered = nullptr;
  if (done >= 0)
    done = sd_bus_call(bus, call.get(), patience_us, &error, &answered);
  const message_pointer answer{answered, sd_bus_message_unref};
  const char* path = nullptr;
  if (done >= 0)
    done = sd_bus_message_read(answer.get(), "o", &path);
  if (done < 0)
    return say(words_of(error, done));
  mine.path = path;
  done = wait_for(bus, mine);
  if (done < 0)
    return say("its start job: " + words_of(done));
  if (mine.result != "done")
    return say("its start job: " + mine.result);
  return say("ok");
}

int set(sd_bus* bus, const char* unit, std::span<char*> properties) {
  sd_bus_message* raw = nullptr;
  auto done = sd_bus_message_new_method_call(
    bus, &raw, destination, manager_path, manager, "SetUnitProperties");
  const message_pointer call{raw, sd_bus_message_unref};
  if (done >= 0)
    done = sd_bus_message_append(call.get(), "sb", unit, 1); // not for ever
  if (done >= 0)
    done = append_properties(call.get(), properties, false);
  bus_error error;
  if (done >= 0)
    done = sd_bus_call(bus, call.get(), patience_us, &error, nullptr);
  return say(done < 0 ? words_of(error, done) : "ok");
}

} // namespace

int main(int argc, char** argv) {
  const std::span words{argv, static_cast<std::size_t>(argc)};
  if (words.size() < 3 || words.size() % 3 != 0)
    return say("usage: troupe-scope start|set UNIT [NAME TYPE VALUE]...");
  sd_bus* opened = nullptr;
  const auto connected = sd_bus_open_system(&opened);
  const bus_pointer bus{opened, sd_bus_flush_close_unref};
  if (connected < 0)
    return say("cannot reach the system bus: " + words_of(connected));
  const auto properties = words.subspan(3);
  if (string_view{words[1]} == "set")
    return set(bus.get(), words[2], properties);
  const auto code = start(bus.get(), words[2], properties);
  // Holds the scope until whoever has asked is in it.
  std::array<char, 64> ignored;
  while (code == 0 && ::read(STDIN_FILENO, ignored.data(), ignored.size()) > 0)
    continue;
  return code;
}
