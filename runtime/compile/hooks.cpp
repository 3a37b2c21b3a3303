#include "runtime/compile/facilities.hpp"
#include "runtime/compile/pointer.hpp"

namespace troupe::plan {

namespace {

std::vector<hook> compile_list(const std::vector<oci::hook>& hooks,
                               std::string_view pointer) {
  std::vector<hook> out;
  for (std::size_t i = 0; i != hooks.size(); ++i) {
    const auto& x = hooks[i];
    out.push_back(
      {x.path, x.args, x.env, x.timeout.value_or(0), at(pointer, i)});
  }
  return out;
}

} // namespace

hooks compile_hooks(const oci::hooks& x) {
  hooks out;
  out.prestart = compile_list(x.prestart, "/hooks/prestart");
  out.create_runtime = compile_list(x.create_runtime, "/hooks/createRuntime");
  out.create_container = compile_list(x.create_container,
                                      "/hooks/createContainer");
  out.start_container = compile_list(x.start_container,
                                     "/hooks/startContainer");
  out.poststart = compile_list(x.poststart, "/hooks/poststart");
  out.poststop = compile_list(x.poststop, "/hooks/poststop");
  return out;
}

} // namespace troupe::plan
