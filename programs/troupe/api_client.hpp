#pragma once

#include "config/base/result.hpp"
#include "runtime/linux/unique_fd.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace troupe::client {

/// The supervisor's HTTP API over its unix socket (docs/api.md). Blocking; one
/// connection, kept open between calls.
class api_client {
public:
  /// `node`: whose API it is to be, by way of the supervisor; empty: its own.
  explicit api_client(std::string socket_path, std::string node = {});
  api_client(const api_client&) = delete;
  api_client& operator=(const api_client&) = delete;
  ~api_client();

  /// Calls and returns the JSON answer; an error document becomes a failure.
  /// A supervisor that is replaced while a GET waits is asked again.
  [[nodiscard]] result<nlohmann::json> get(const std::string& target);
  [[nodiscard]] result<nlohmann::json> post(const std::string& target);
  [[nodiscard]] result<nlohmann::json> post(const std::string& target,
                                            const nlohmann::json& body);
  [[nodiscard]] result<nlohmann::json> del(const std::string& target);

  /// GET, once; the answer as it came.
  [[nodiscard]] result<std::string> get_text(const std::string& target);

  /// Feeds a chunked answer to `take` as it comes, until the end or until
  /// `take` returns false.
  [[nodiscard]] outcome
  stream(const std::string& target,
         const std::function<bool(std::string_view)>& take);

  /// POSTs with `Upgrade: troupe-stream` and returns the bare socket.
  [[nodiscard]] result<sys::unique_fd> upgrade(const std::string& target);

private:
  struct connection;

  outcome connect();
  /// The body of the answer.
  result<std::string> exchange(std::string_view method,
                               const std::string& target,
                               const std::string& body);
  result<nlohmann::json> call(std::string_view method,
                              const std::string& target,
                              const std::string& body);
  result<nlohmann::json> call_again(std::string_view method,
                                    const std::string& target);

  std::string path_;
  std::string node_;
  std::unique_ptr<connection> connection_;
};

/// `target` as it is asked of `node`; one that names a node already, and any if
/// `node` is empty: unchanged.
[[nodiscard]] std::string on_node(std::string_view node,
                                  const std::string& target);

/// `text` as one path segment or query value of a URL.
[[nodiscard]] std::string url_encoded(std::string_view text);

} // namespace troupe::client
