#include "config/base/clock.hpp"
#include "programs/troupe/command.hpp"
#include "runtime/log/cri.hpp"

#include <cstdio>
#include <memory>

namespace troupe::client {

namespace {

struct logs_request {
  std::string id;
  bool follow = false;
  bool timestamps = false;
  bool reopen = false;
  std::string tail;
  std::string since;
  std::string until;
  std::string stream;
};

/// `10m` is ten minutes ago; anything else is a moment.
result<time_ns> moment_of(const std::string& option, const std::string& text) {
  if (auto moment = parse_time(text); moment)
    return moment;
  const auto seconds = parse_seconds(text);
  if (!seconds)
    return fail(fault::invalid_config,
                option + " " + text
                  + ": neither a moment (RFC 3339, unix seconds) nor an age "
                    "(90s, 10m, 2h)");
  return now_ns() - static_cast<time_ns>(*seconds * 1e9);
}

/// Puts records back together as the bytes that the process wrote.
class printer {
public:
  explicit printer(bool timestamps) : timestamps_(timestamps) {
  }

  void take(std::string_view bytes) {
    pending_.append(bytes);
    std::size_t at = 0;
    for (auto end = pending_.find('\n'); end != std::string::npos;
         end = pending_.find('\n', at)) {
      print_record({pending_.data() + at, end - at});
      at = end + 1;
    }
    pending_.erase(0, at);
    std::fflush(stdout);
    std::fflush(stderr);
  }

private:
  void print_record(std::string_view line) {
    const auto entry = log::parse(line);
    if (!entry)
      return;
    auto* to = entry->stream == log::stream::err ? stderr : stdout;
    if (timestamps_ && at_line_start_)
      std::fprintf(to, "%s ", rfc3339(entry->time).c_str());
    std::fwrite(entry->text.data(), 1, entry->text.size(), to);
    if (!entry->partial)
      std::fputc('\n', to);
    at_line_start_ = !entry->partial;
  }

  bool timestamps_;
  bool at_line_start_ = true;
  std::string pending_;
};

outcome logs(const context& with, const logs_request& x) {
  if (x.reopen) {
    auto api = with.api();
    TROUPE_CHECK(api.post(container_path(x.id, "/logs/reopen")));
    return {};
  }
  auto target = container_path(x.id, "/logs?format=cri");
  if (x.follow)
    target += "&follow=1";
  if (!x.tail.empty() && x.tail != "all")
    target += "&tail=" + url_encoded(x.tail);
  if (!x.since.empty()) {
    TROUPE_TRY(const auto since, moment_of("--since", x.since));
    target += "&since=" + url_encoded(rfc3339(since));
  }
  if (!x.until.empty()) {
    TROUPE_TRY(const auto until, moment_of("--until", x.until));
    target += "&until=" + url_encoded(rfc3339(until));
  }
  if (!x.stream.empty())
    target += "&stream=" + x.stream;
  printer out{x.timestamps};
  auto api = with.api();
  return api.stream(target, [&](std::string_view bytes) {
    out.take(bytes);
    return std::ferror(stdout) == 0;
  });
}

} // namespace

void add_logs_command(CLI::App& app, context& with) {
  auto request = std::make_shared<logs_request>();
  auto* command = app.add_subcommand(
    "logs", "Print a container's output: its stdout on ours, its stderr on "
            "ours");
  command->add_option("CONTAINER", request->id, "Id")->required();
  command->add_flag("-f,--follow", request->follow,
                    "Go on until the container ends");
  command->add_flag("-t,--timestamps", request->timestamps,
                    "Put its time before each line");
  command->add_option("-n,--tail", request->tail, "The last N lines, or all");
  command->add_option("--since", request->since,
                      "From a moment (RFC 3339) or an age (10m) on");
  command->add_option("--until", request->until,
                      "Up to a moment, or an age; with -f, and then end");
  command
    ->add_option("--stream", request->stream,
                 "stdout or stderr alone (default: all)")
    ->check(CLI::IsMember({"all", "stdout", "stderr"}));
  command->add_flag("--reopen", request->reopen,
                    "Print nothing: open the log file by its path again, after "
                    "somebody has moved it");
  command->callback([&with, request] {
    with.action = [&with, request] {
      const auto did = logs(with, *request);
      return did ? 0 : complain(did.error());
    };
  });
}

} // namespace troupe::client
