#include "runtime/linux/regular_file.hpp"

#include <array>
#include <cerrno>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::sys {

result<std::string> read_regular(int fd, const std::string& path,
                                 std::size_t limit) {
  struct stat is {};
  if (::fstat(fd, &is) != 0)
    return fail_os(errno, "fstat", path);
  if (!S_ISREG(is.st_mode))
    return fail(fault::invalid_config,
                "read " + path + ": expected a regular file");
  std::string content;
  std::array<char, 16 << 10> chunk;
  for (;;) {
    const auto got = TEMP_FAILURE_RETRY(::read(fd, chunk.data(), chunk.size()));
    if (got < 0)
      return fail_os(errno, "read", path);
    if (got == 0)
      return content;
    content.append(chunk.data(), static_cast<std::size_t>(got));
    if (content.size() > limit)
      return fail(failure{fault::invalid_config, EFBIG,
                          "read " + path + ": expected at most "
                            + std::to_string(limit) + " bytes, found more"});
  }
}

} // namespace troupe::sys
