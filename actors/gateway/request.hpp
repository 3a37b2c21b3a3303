#pragma once

#include "actors/messages_local.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace troupe::gateway {

/// Who is at the other end of a connection.
struct visitor {
  std::string name;       ///< For the log: "uid 0 pid 12", "observer ops".
  std::int32_t pid = 0;   ///< 0: not of this pid namespace.
  bool observing = false; ///< It may look, and not act.
};

/// One HTTP request, read whole.
struct request {
  std::string method; ///< "GET"
  std::string target; ///< "/v1/events?follow=1", undecoded.
  std::string body;
  /// `Connection: Upgrade` and `Upgrade: troupe-stream`.
  bool wants_stream = false;
  /// Bytes came behind the request: the client has not waited for an answer.
  bool has_more = false;
  /// Its `Sec-WebSocket-Key`, of an upgrade to websocket; else empty.
  std::string websocket_key{};
  std::int32_t peer = 0;  ///< The client's pid; 0: not of this pid namespace.
  bool from_node = false; ///< Another node asks, for a client of its own.
  bool observing = false; ///< See visitor.
};

struct response {
  unsigned status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::string allow{};        ///< Of a 405.
  bool offers_stream = false; ///< Of a 426: `Upgrade: troupe-stream`.
};

/// A session's end of its connection. Every call returns at once and is carried
/// out by the gateway's thread, in the order of the calls; on a connection that
/// is gone they do nothing.
class client {
public:
  client() = default;
  client(const client&) = delete;
  client& operator=(const client&) = delete;
  virtual ~client() = default;

  /// Answers the request.
  virtual void respond(response what) = 0;

  /// Answers with a chunked body. `pulled` tells the session that it can send.
  virtual void begin_stream(std::string content_type) = 0;

  /// Sends one chunk, not empty. To be called once for each `pulled`: so there
  /// is never more than one chunk in memory for a client that reads slowly.
  virtual void send(std::string chunk) = 0;

  /// Ends the chunked body.
  virtual void end_stream() = 0;

  /// Answers 101 and, once that is written, gives the socket to `take`, which
  /// is called in the gateway's thread, before any later request is read.
  /// `websocket_key`: of a WebSocket's; else it is a troupe-stream.
  virtual void upgrade(std::string websocket_key,
                       std::function<void(msg::shared_fd)> take)
    = 0;

  /// Drops the connection.
  virtual void close() = 0;
};

} // namespace troupe::gateway
