#include "actors/gateway/jobs.hpp"
#include "actors/gateway/patience.hpp"
#include "actors/gateway/render.hpp"

#include <boost/archive/iterators/base64_from_binary.hpp>
#include <boost/archive/iterators/transform_width.hpp>
#include <caf/send.hpp>
#include <nlohmann/json.hpp>

#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace troupe::gateway {

namespace {

std::string base64(const std::string& bytes) {
  using namespace boost::archive::iterators;
  using digits
    = base64_from_binary<transform_width<std::string::const_iterator, 6, 8>>;
  std::string out{digits{bytes.begin()}, digits{bytes.end()}};
  out.append((3 - bytes.size() % 3) % 3, '=');
  return out;
}

std::string whole(int file) {
  struct stat info {};
  if (::fstat(file, &info) != 0)
    return {};
  std::string out(static_cast<std::size_t>(info.st_size), '\0');
  const auto n = ::pread(file, out.data(), out.size(), 0);
  out.resize(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
  return out;
}

class exec_sync_job : public job {
public:
  exec_sync_job(session& in, exec_session_actor of)
    : in_(in), session_(std::move(of)) {
  }

  ~exec_sync_job() override {
    caf::anon_send(session_, msg::remove{true});
  }

  void exec_ended(const msg::exec_snapshot& last) override {
    in_.ask<msg::captured>(
      session_, patience::lookup, msg::take_output{},
      [this, last](const msg::captured& output) { answer(last, output); });
  }

  void target_gone() override {
    in_.refuse({fault::destroyed, 0, "exec: its container is gone"});
  }

  void interrupted() override {
    in_.refuse({fault::unavailable, 0, "exec: the supervisor is ending"});
  }

private:
  void answer(const msg::exec_snapshot& last, const msg::captured& output) {
    auto out = nlohmann::json::parse(render(last));
    out["stdout"] = base64(whole(output.out->get()));
    out["stderr"] = base64(whole(output.err->get()));
    in_.answer({200, dump(out)});
  }

  session& in_;
  exec_session_actor session_;
};

} // namespace

void run_and_capture(session& in, const msg::container_found& target,
                     const msg::create_exec& what) {
  const auto settings = in.with().settings.now();
  in.ask<msg::exec_created>(
    target.container, patience::creating(what, *settings), what,
    [&in, settings](const msg::exec_created& made) {
      const auto& session = made.session;
      in.begin(std::make_unique<exec_sync_job>(in, session));
      in.watch(session);
      in.tell(session, msg::await_exec{in.self()});
      in.ask<msg::exec_snapshot>(session, patience::launching(*settings),
                                 msg::start{},
                                 [](const msg::exec_snapshot&) {});
    });
}

} // namespace troupe::gateway
