#include "runtime/oci/wording.hpp"

#include <cctype>
#include <cerrno>
#include <cstring>

namespace troupe::oci_runtime {

namespace {

/// `ENOENT` as Go says it: "no such file or directory".
std::string error_text(int os_errno) {
  const auto* known = ::strerrordesc_np(os_errno);
  auto out = std::string{known ? known : "unknown error"};
  if (out.size() > 1 && std::islower(static_cast<unsigned char>(out[1])))
    out[0] = static_cast<char>(
      std::tolower(static_cast<unsigned char>(out[0])));
  return out;
}

std::string exec_text(const launch::report& from, const std::string& name) {
  // The file was there, and the kernel refused it or its interpreter.
  constexpr std::string_view call = "execve ";
  if (const auto subject = from.subject_text(); subject.starts_with(call)) {
    const auto path = subject.substr(call.size());
    return "exec " + std::string{path.substr(0, path.find(": E"))} + ": "
           + error_text(from.os_errno);
  }
  const auto quoted = "exec: \"" + name + "\": ";
  if (from.os_errno != ENOENT)
    return quoted + error_text(from.os_errno);
  return name.find('/') == std::string::npos
           ? quoted + "executable file not found in $PATH"
           : quoted + "stat " + name + ": " + error_text(ENOENT);
}

} // namespace

failure to_failure(const launch::report& from, const plan::process& process,
                   const plan::launch_plan* plan) {
  auto out = launch::to_failure(from, plan);
  if (from.phase == plan::phase::exec && !process.args.empty())
    out.what = exec_text(from, process.args.front());
  return std::move(out).during("unable to start container process");
}

} // namespace troupe::oci_runtime
