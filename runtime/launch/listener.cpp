#include "runtime/launch/listener.hpp"

#include "runtime/linux/fd_socket.hpp"

#include <nlohmann/json.hpp>

#include <ctime>
#include <pthread.h>
#include <unistd.h>

namespace troupe::launch {

namespace {

using json = nlohmann::ordered_json;

constexpr auto nothing_yet = -1;
constexpr auto nothing_ever = -2;

/// runtime-spec, config-linux.md: SeccompFdName
constexpr auto* descriptor_name = "seccompFd";

std::string process_state(const plan::seccomp_filter& filter,
                          const std::string& version, pid_t pid,
                          const std::string& state) {
  const auto out = json{{"ociVersion", version},
                        {"fds", json::array({descriptor_name})},
                        {"pid", pid},
                        {"metadata", filter.listener_metadata},
                        {"state", json::parse(state, nullptr, false)}};
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

} // namespace

result<sys::unique_fd> connect_listener(const plan::seccomp_filter& filter,
                                        progress& at) {
  at = {plan::phase::seccomp, 1};
  if (filter.listener_path.empty())
    return sys::unique_fd{};
  return sys::connect_stream(filter.listener_path);
}

std::string process_state(const plan::launch_plan& plan, pid_t pid) {
  return process_state(plan.process.seccomp, plan.oci_version, pid,
                       state_document(plan, "created", pid));
}

std::string process_state(const plan::exec_plan& plan, pid_t pid, pid_t init) {
  auto container = plan::launch_plan{};
  container.id = plan.id;
  container.bundle = plan.bundle;
  container.oci_version = plan.oci_version;
  container.annotation_keys = plan.annotation_keys;
  container.annotation_values = plan.annotation_values;
  return process_state(plan.process.seccomp, plan.oci_version, pid,
                       state_document(container, "running", init));
}

listener_sender::listener_sender(int socket, std::string state, int report_line)
  : socket_(socket),
    state_(std::move(state)),
    report_line_(report_line),
    given_(nothing_yet) {
}

listener_sender::~listener_sender() {
  if (started_ && !done_.load(std::memory_order_acquire))
    send(nothing_ever);
}

outcome listener_sender::start() {
  auto thread = pthread_t{};
  if (const auto error = ::pthread_create(&thread, nullptr, run, this);
      error != 0)
    return fail_os(error, "pthread_create", "to send to the listener");
  started_ = true;
  ::pthread_detach(thread);
  return {};
}

void listener_sender::send(int notifications) noexcept {
  given_.store(notifications, std::memory_order_release);
  while (!done_.load(std::memory_order_acquire)) {
    // A system call here could wait for the listener itself.
  }
}

void* listener_sender::run(void* self) {
  static_cast<listener_sender*>(self)->hand_over();
  return nullptr;
}

void listener_sender::hand_over() {
  auto notifications = nothing_yet;
  // Polled, because the other side may make no system call to wake us: it takes
  // as long as the last steps before execve.
  constexpr auto pause = timespec{0, 50'000};
  while ((notifications = given_.load(std::memory_order_acquire))
         == nothing_yet)
    ::nanosleep(&pause, nullptr);
  if (notifications >= 0) {
    const auto sent = sys::send_with_fd(socket_, state_, notifications);
    if (!sent) {
      (void)send_report(report_line_,
                        make_report(report_kind::failed,
                                    {plan::phase::seccomp, 1}, sent.error()));
      ::_exit(1);
    }
    ::close(notifications);
  }
  done_.store(true, std::memory_order_release);
}

} // namespace troupe::launch
