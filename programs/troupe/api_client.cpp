#include "programs/troupe/api_client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <thread>
#include <utility>

namespace troupe::client {

namespace beast = boost::beast;
namespace http = beast::http;
using local = boost::asio::local::stream_protocol;

namespace {

/// How long a GET looks for a restarted supervisor before it gives up.
constexpr auto reconnect_patience = std::chrono::seconds{15};
constexpr auto reconnect_interval = std::chrono::milliseconds{50};

failure no_answer(const std::string& path,
                  const boost::system::error_code& why) {
  auto what = "no supervisor answers at " + path + " (" + why.message() + ")\n";
  what
    += "start one with: trouped    (as root; another place: trouped --socket "
       "PATH, then troupe --socket PATH or TROUPE_SOCKET)";
  return {fault::unavailable, why.value(), std::move(what)};
}

failure lost(const boost::system::error_code& why) {
  return {fault::unavailable, why.value(),
          "the supervisor closed the connection: " + why.message()};
}

fault fault_named(std::string_view name) {
  for (auto i = 1; i <= static_cast<int>(fault::os); ++i)
    if (to_string(static_cast<fault>(i)) == name)
      return static_cast<fault>(i);
  return fault::os;
}

/// The failure in an error document, or in whatever came instead of one.
failure failure_of(unsigned status, const std::string& body) {
  const auto document = nlohmann::json::parse(body, nullptr, false);
  if (document.is_object() && document.contains("error")
      && document["error"].is_object())
    return {fault_named(document["error"].value("code", "os")), 0,
            document["error"].value("message", body)};
  return {fault::os, 0,
          "the supervisor answered " + std::to_string(status) + ": " + body};
}

result<nlohmann::json> answer_of(const std::string& body) {
  if (body.empty())
    return nlohmann::json::object();
  auto document = nlohmann::json::parse(body, nullptr, false);
  if (document.is_discarded())
    return fail(fault::os, "the supervisor's answer is not JSON: " + body);
  return document;
}

http::request<http::string_body> request_of(std::string_view method,
                                            const std::string& target,
                                            const std::string& body) {
  http::request<http::string_body> out;
  out.method_string({method.data(), method.size()});
  out.target(target);
  out.version(11);
  out.set(http::field::host, "troupe");
  if (!body.empty()) {
    out.set(http::field::content_type, "application/json");
    out.body() = body;
  }
  out.prepare_payload();
  return out;
}

} // namespace

struct api_client::connection {
  boost::asio::io_context io;
  local::socket socket{io};
  beast::flat_buffer buffer;
};

api_client::api_client(std::string socket_path, std::string node)
  : path_(std::move(socket_path)), node_(std::move(node)) {
}

api_client::~api_client() = default;

outcome api_client::connect() {
  if (connection_)
    return {};
  if (path_.size() >= 108) // sun_path, unix(7)
    return fail(fault::invalid_config, "socket path " + path_
                                         + ": longer than 107 bytes, which is "
                                           "all that unix(7) allows");
  auto fresh = std::make_unique<connection>();
  boost::system::error_code why;
  fresh->socket.connect(local::endpoint{path_}, why);
  if (why)
    return fail(no_answer(path_, why));
  connection_ = std::move(fresh);
  return {};
}

result<std::string> api_client::exchange(std::string_view method,
                                         const std::string& target,
                                         const std::string& body) {
  TROUPE_CHECK(connect());
  auto& with = *connection_;
  boost::system::error_code why;
  http::write(with.socket, request_of(method, on_node(node_, target), body),
              why);
  http::response_parser<http::string_body> answer;
  answer.body_limit(64U << 20U);
  if (!why)
    http::read(with.socket, with.buffer, answer, why);
  if (why) {
    connection_.reset();
    return fail(lost(why));
  }
  if (!answer.get().keep_alive())
    connection_.reset();
  const auto status = answer.get().result_int();
  if (status >= 300)
    return fail(failure_of(status, answer.get().body()));
  return std::move(answer.get().body());
}

result<nlohmann::json> api_client::call(std::string_view method,
                                        const std::string& target,
                                        const std::string& body) {
  TROUPE_TRY(const auto answer, exchange(method, target, body));
  return answer_of(answer);
}

result<std::string> api_client::get_text(const std::string& target) {
  return exchange("GET", target, {});
}

result<nlohmann::json> api_client::call_again(std::string_view method,
                                              const std::string& target) {
  const auto until = std::chrono::steady_clock::now() + reconnect_patience;
  for (;;) {
    auto answer = call(method, target, {});
    if (answer || answer.error().code != fault::unavailable
        || std::chrono::steady_clock::now() > until)
      return answer;
    std::this_thread::sleep_for(reconnect_interval);
  }
}

result<nlohmann::json> api_client::get(const std::string& target) {
  // A supervisor that is not there at all is an error at once; one that goes
  // away while we wait is being restarted.
  TROUPE_CHECK(connect());
  return call_again("GET", target);
}

result<nlohmann::json> api_client::post(const std::string& target) {
  return call("POST", target, {});
}

result<nlohmann::json> api_client::post(const std::string& target,
                                        const nlohmann::json& body) {
  // Names from the command line may hold any bytes: those that are no UTF-8
  // are sent as replacement characters and refused there.
  return call(
    "POST", target,
    body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

result<nlohmann::json> api_client::del(const std::string& target) {
  return call("DELETE", target, {});
}

outcome api_client::stream(const std::string& target,
                           const std::function<bool(std::string_view)>& take) {
  TROUPE_CHECK(connect());
  auto with = std::move(connection_); // One stream uses its connection up.
  boost::system::error_code why;
  http::write(with->socket, request_of("GET", on_node(node_, target), {}), why);
  http::response_parser<http::buffer_body> answer;
  answer.body_limit(std::numeric_limits<std::uint64_t>::max());
  if (!why)
    http::read_header(with->socket, with->buffer, answer, why);
  if (why)
    return fail(lost(why));
  const auto status = answer.get().result_int();
  std::string error_text;
  std::array<char, 64U << 10U> chunk{};
  while (!answer.is_done()) {
    answer.get().body().data = chunk.data();
    answer.get().body().size = chunk.size();
    http::read_some(with->socket, with->buffer, answer, why);
    const auto size = chunk.size() - answer.get().body().size;
    if (why && why != http::error::need_buffer)
      return fail(lost(why));
    if (status >= 300)
      error_text.append(chunk.data(), size);
    else if (size != 0 && !take({chunk.data(), size}))
      return {};
  }
  if (status >= 300)
    return fail(failure_of(status, error_text));
  return {};
}

result<sys::unique_fd> api_client::upgrade(const std::string& target) {
  api_client fresh{path_};
  TROUPE_CHECK(fresh.connect());
  auto& with = *fresh.connection_;
  auto request = request_of("POST", on_node(node_, target), {});
  request.set(http::field::connection, "Upgrade");
  request.set(http::field::upgrade, "troupe-stream");
  boost::system::error_code why;
  http::write(with.socket, request, why);
  // The answer is read byte by byte up to its blank line: what follows is not
  // HTTP and belongs to the stream.
  http::response_parser<http::string_body> answer;
  std::string head;
  while (!why && !head.ends_with("\r\n\r\n")) {
    char byte = 0;
    boost::asio::read(with.socket, boost::asio::buffer(&byte, 1), why);
    head += byte;
  }
  if (why)
    return fail(lost(why));
  if (head.starts_with("HTTP/1.1 101"))
    return sys::unique_fd{with.socket.release()};
  answer.put(boost::asio::buffer(head), why);
  with.buffer.clear();
  if (!why || why == http::error::need_more)
    http::read(with.socket, with.buffer, answer, why);
  return fail(failure_of(answer.get().result_int(), answer.get().body()));
}

std::string on_node(std::string_view node, const std::string& target) {
  constexpr std::string_view api = "/v1";
  if (node.empty() || target.starts_with("/v1/nodes")
      || !target.starts_with(api))
    return target;
  return "/v1/nodes/" + url_encoded(node) + target.substr(api.size());
}

std::string url_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  constexpr std::string_view plain = "-_.~+";
  std::string out;
  for (const auto c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || plain.find(c) != std::string_view::npos) {
      out += c;
      continue;
    }
    out += '%';
    out += digits[byte >> 4U];
    out += digits[byte & 15U];
  }
  return out;
}

} // namespace troupe::client
