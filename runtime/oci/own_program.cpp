#include "runtime/oci/own_program.hpp"

#include "runtime/linux/file.hpp"
#include "runtime/linux/memfd.hpp"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace troupe::oci_runtime {

outcome run_from_sealed_copy(char** argv) {
  constexpr auto own_file = "/proc/self/exe";
  {
    // Only a memfd has seals.
    TROUPE_TRY(const auto own, sys::open_file(AT_FDCWD, own_file, O_RDONLY));
    const auto seals = ::fcntl(own.get(), F_GET_SEALS);
    if (seals >= 0 && (seals & F_SEAL_WRITE) != 0)
      return {};
  }
  TROUPE_TRY(const auto copy, sys::sealed_copy("troupe-oci", own_file));
  ::fexecve(copy.get(), argv, environ);
  return fail_os(errno, "execute", "the sealed copy of troupe-oci");
}

} // namespace troupe::oci_runtime
