#include "programs/troupe-oci/command.hpp"

#include <cstdio>

namespace troupe::oci_cli {

oci_runtime::runtime context::runtime() {
  oci_runtime::runtime out{root};
  out.warn = [this](const std::string& what) { log.warn(what); };
  return out;
}

void add_id(CLI::App& to, std::string& id) {
  to.add_option("CONTAINER", id, "Its id")->required();
}

result<int> done(const outcome& how) {
  if (!how)
    return fail(how.error());
  return 0;
}

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

} // namespace troupe::oci_cli
