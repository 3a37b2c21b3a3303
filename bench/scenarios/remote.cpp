#include "bench/harness/bundle.hpp"
#include "bench/harness/clock.hpp"
#include "bench/harness/output.hpp"
#include "bench/scenarios/participants.hpp"
#include "bench/scenarios/scenarios.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <chrono>
#include <filesystem>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>

/// Another node of a cluster beside this one: the same requests, over the same
/// connection, with and without `/v1/nodes/b` before them.
namespace troupe::bench {

namespace {

const metric remote_list{"list of 100", "ms"};
const metric remote_run{"create to removal", "ms"};
const metric remote_exec{"exec-sync", "ms"};
const metric attach_throughput{"attach throughput", "MiB/s", true};

constexpr std::size_t listed = 100;
constexpr auto joining_patience = std::chrono::seconds{30};

/// A TCP port of loopback that nobody listens on.
int free_port() {
  const sys::unique_fd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  ::bind(fd.get(), reinterpret_cast<sockaddr*>(&at), sizeof at);
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&at), &size);
  return ntohs(at.sin_port);
}

/// Two nodes on loopback, and TLS between them.
struct pair_of_nodes {
  std::unique_ptr<supervisor> a;
  std::unique_ptr<supervisor> b;
  std::unique_ptr<population> crowd_a;
  std::unique_ptr<population> crowd_b;

  [[nodiscard]] outcome start(session& in);
  [[nodiscard]] outcome finish();
};

std::unique_ptr<supervisor> node(session& in, const std::string& name,
                                 const std::string& certificates, int port,
                                 int seed) {
  std::vector<std::string> options{
    "--cluster-listen", "127.0.0.1:" + std::to_string(port),
    "--cluster-ca",     certificates + "/ca.pem",
    "--cluster-cert",   certificates + "/" + name + ".pem",
    "--cluster-key",    certificates + "/" + name + ".key"};
  if (seed != 0)
    options.insert(options.end(),
                   {"--join", "127.0.0.1:" + std::to_string(seed)});
  return std::make_unique<supervisor>(
    in.in.scratch("node-" + name), in.in.runtime_files("node-" + name),
    in.in.trouped->cgroup_parent() + "/" + name, world::program("trouped"),
    std::move(options));
}

outcome pair_of_nodes::start(session& in) {
  const auto certificates = in.in.scratch("certificates");
  const auto troupe = world::program("troupe");
  for (const auto& words : std::array<std::vector<std::string>, 3>{
         {{"init-ca"}, {"issue-cert", "a"}, {"issue-cert", "b"}}}) {
    std::vector<std::string> all{troupe, "cluster"};
    all.insert(all.end(), words.begin(), words.end());
    all.insert(all.end(), {"--dir", certificates});
    TROUPE_CHECK(in.in.run.time({std::move(all)}));
  }
  const auto first = free_port();
  a = node(in, "a", certificates, first, 0);
  TROUPE_CHECK(a->start());
  b = node(in, "b", certificates, free_port(), first);
  TROUPE_CHECK(b->start());
  client::api_client there{a->socket(), "b"};
  const auto end = std::chrono::steady_clock::now() + joining_patience;
  for (auto seen = there.get("/v1/info"); !seen; seen = there.get("/v1/info")) {
    if (std::chrono::steady_clock::now() > end)
      return fail(seen.error());
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
  crowd_a = std::make_unique<population>(a->socket(), in.in.idle_bundle());
  crowd_b = std::make_unique<population>(b->socket(), in.in.idle_bundle());
  TROUPE_CHECK(crowd_a->resize(listed));
  return crowd_b->resize(listed);
}

outcome pair_of_nodes::finish() {
  TROUPE_CHECK(crowd_a->resize(0));
  TROUPE_CHECK(crowd_b->resize(0));
  TROUPE_CHECK(b->finish());
  return a->finish();
}

/// Reads what a client of ours would: everything, in chunks of 64 KiB.
result<double> attach_all(client::api_client& api, const std::string& bundle,
                          int mib) {
  const auto id = fresh_id();
  const auto path = "/v1/containers/" + id;
  TROUPE_CHECK(
    api.post("/v1/containers", nlohmann::json{{"id", id},
                                              {"bundle", bundle},
                                              {"log", {{"driver", "none"}}}}));
  TROUPE_TRY(const auto stream, api.upgrade(path + "/attach?raw=1"));
  const auto began = now_ns();
  TROUPE_CHECK(api.post(path + "/start"));
  std::array<char, 64U << 10U> buffer;
  std::int64_t bytes = 0;
  for (ssize_t n = 0;
       (n = ::recv(stream.get(), buffer.data(), buffer.size(), 0)) > 0;)
    bytes += n;
  const auto took = ms_since(began);
  TROUPE_CHECK(api.del(path + "?force=1"));
  if (bytes < std::int64_t{mib} << 20)
    return fail(fault::os,
                "attach gave " + std::to_string(bytes) + " bytes only");
  return 1000.0 * mib / took;
}

participant speaker(session& in, const pair_of_nodes& nodes, bool remote,
                    const std::string& target) {
  struct connections {
    client::api_client api;
    container_api life;
    connections(const std::string& socket, const std::string& node)
      : api(socket, node), life(socket, node) {
    }
  };
  const auto with = std::make_shared<connections>(nodes.a->socket(),
                                                  remote ? "b" : "");
  return {remote ? "remote" : "local",
          [&in, with, target]() -> result<readings> {
            const auto began = now_ns();
            TROUPE_TRY(const auto all, with->api.get("/v1/containers"));
            const auto got = now_ns();
            if (all.size() < listed)
              return fail(fault::os, "the list is not complete");
            TROUPE_CHECK(with->life.run(fresh_id(), in.in.true_bundle()));
            const auto ran = now_ns();
            TROUPE_TRY(const auto said,
                       with->api.post("/v1/containers/" + target + "/exec-sync",
                                      {{"args", {"/bin/true"}}}));
            const auto executed = now_ns();
            if (said.value("exit_code", -1) != 0)
              return fail(fault::os, "exec ended badly: " + said.dump());
            return readings{{remote_list, ms_between(began, got)},
                            {remote_run, ms_between(got, ran)},
                            {remote_exec, ms_between(ran, executed)}};
          }};
}

participant reader(const pair_of_nodes& nodes, bool remote,
                   const std::string& bundle, int mib) {
  const auto api = std::make_shared<client::api_client>(nodes.a->socket(),
                                                        remote ? "b" : "");
  return {remote ? "remote" : "local",
          [api, bundle, mib]() -> result<readings> {
            TROUPE_TRY(const auto rate, attach_all(*api, bundle, mib));
            return readings{{attach_throughput, rate}};
          }};
}

} // namespace

outcome measure_remote(session& in) {
  pair_of_nodes nodes;
  TROUPE_CHECK(nodes.start(in));
  TROUPE_CHECK(
    in.interleave("2 nodes",
                  {speaker(in, nodes, false, nodes.crowd_a->ids().front()),
                   speaker(in, nodes, true, nodes.crowd_b->ids().front())},
                  in.rounds(60, 5)));
  const auto mib = in.in.with.quick ? 16 : 256;
  const auto bundle = in.in.scratch("writer");
  TROUPE_CHECK(make_bundle(bundle, in.in.rootfs(),
                           {"/bin/probe", "lines", std::to_string(mib << 20)}));
  TROUPE_CHECK(in.interleave(
    "raw",
    {reader(nodes, false, bundle, mib), reader(nodes, true, bundle, mib)},
    in.rounds(8, 2)));
  // What heartbeats cost.
  TROUPE_CHECK(measure_rest(
    in, "2 nodes",
    {{"no cluster", in.in.trouped->pid()}, {"one of two", nodes.a->pid()}},
    in.rounds(60, 3)));
  return nodes.finish();
}

} // namespace troupe::bench
