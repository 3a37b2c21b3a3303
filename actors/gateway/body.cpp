#include "actors/gateway/body.hpp"

#include "config/json/fields.hpp"

#include <chrono>
#include <utility>

namespace troupe::gateway {

namespace {

/// An object that is passed on as text, to be read by whom it concerns.
struct document {
  std::string text;
};

outcome read(const json::cursor& at, document& out) {
  TROUPE_TRY(const auto* members, at.object());
  out.text = nlohmann::json(*members).dump();
  return {};
}

constexpr double longest_timeout = 366 * 86400.0; ///< Seconds.
constexpr auto largest_capture = std::int64_t{64} << 20;
constexpr std::int64_t most_fds = 60;

template <class T>
outcome check_range(std::string_view pointer, T found, T least, T most) {
  if (found >= least && found <= most)
    return {};
  return fail(fault::invalid_config,
              std::string{pointer} + ": expected a number from "
                + nlohmann::json(least).dump() + " to "
                + nlohmann::json(most).dump() + ", found "
                + nlohmann::json(found).dump());
}

failure missing(std::string_view what) {
  return {fault::invalid_config, 0, std::string{what}};
}

} // namespace

result<msg::create_container> parse_create_container(std::string_view body) {
  TROUPE_TRY(const auto parsed, json::parse(body));
  msg::create_container out;
  document spec;
  document options;
  json::reader io{json::cursor{parsed}};
  io.optional("id", out.id);
  io.optional("bundle", out.bundle);
  io.optional("rootfs", out.rootfs);
  io.optional("spec", spec);
  io.optional("options", options);
  io.optional("open_stdin", out.open_stdin);
  io.optional("auto_remove", out.auto_remove);
  io.optional("log", out.log);
  TROUPE_CHECK(std::move(io).done_strictly());
  TROUPE_CHECK(validate(out.log, json::pointer{"/log"}));
  // Absent asks for a random one; empty is a mistake in somebody's script.
  if (out.id.empty() && parsed.contains("id"))
    return fail(missing("/id: expected an id, found ''"));
  if (out.bundle.empty() == out.rootfs.empty())
    return fail(missing("/bundle: expected either a bundle or a rootfs"));
  const auto& path = out.bundle.empty() ? out.rootfs : out.bundle;
  if (!path.starts_with('/'))
    return fail(missing((out.bundle.empty() ? "/rootfs" : "/bundle")
                        + std::string{": expected an absolute path, found "}
                        + quote(path)));
  out.spec = std::move(spec.text);
  out.options = std::move(options.text);
  return out;
}

result<msg::create_exec> parse_create_exec(std::string_view body) {
  TROUPE_TRY(const auto parsed, json::parse(body));
  msg::create_exec out;
  json::reader io{json::cursor{parsed}};
  io.required("args", out.args);
  io.optional("env", out.env);
  io.optional("cwd", out.cwd);
  io.optional("user", out.user);
  io.optional("cap_add", out.cap_add);
  io.optional("open_stdin", out.open_stdin);
  io.optional("tty", out.tty);
  io.optional("rows", out.rows);
  io.optional("cols", out.cols);
  double timeout = 0;
  io.optional("timeout", timeout);
  io.optional("capture", out.capture);
  io.optional("ignore_paused", out.ignore_paused);
  io.optional("files", out.files);
  io.optional("preserve_fds", out.preserve_fds);
  TROUPE_CHECK(std::move(io).done_strictly());
  TROUPE_CHECK(check_range("/timeout", timeout, 0.0, longest_timeout));
  TROUPE_CHECK(
    check_range("/capture", out.capture, std::int64_t{0}, largest_capture));
  TROUPE_CHECK(
    check_range("/preserve_fds", out.preserve_fds, std::int64_t{0}, most_fds));
  out.timeout = std::chrono::duration_cast<caf::timespan>(
    std::chrono::duration<double>{timeout});
  if (out.args.empty())
    return fail(missing("/args: expected a command, found an empty array"));
  return out;
}

} // namespace troupe::gateway
