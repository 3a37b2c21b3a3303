#include "runtime/oci/terminal.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace troupe::oci_runtime {

namespace {

constexpr std::size_t piece = 4096;

/// Reads a piece; false at the end, or where reading fails for good.
bool read_piece(int fd, std::string& into) {
  std::array<char, piece> bytes{};
  const auto n = ::read(fd, bytes.data(), bytes.size());
  if (n > 0)
    into.append(bytes.data(), static_cast<std::size_t>(n));
  return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

void write_piece(int fd, std::string& from) {
  const auto n = ::write(fd, from.data(), from.size());
  if (n > 0)
    from.erase(0, static_cast<std::size_t>(n));
  else if (n < 0 && errno != EAGAIN && errno != EINTR)
    from.clear(); // there is no reader any more
}

} // namespace

terminal terminal::carry(sys::unique_fd master) {
  terminal out;
  out.master_ = std::move(master);
  ::fcntl(out.master_.get(), F_SETFL, O_RDWR | O_NONBLOCK);
  termios own{};
  if (::tcgetattr(STDIN_FILENO, &own) == 0) {
    out.before_ = own;
    ::cfmakeraw(&own);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &own);
    out.resize();
  }
  return out;
}

terminal::~terminal() {
  // A moved-from one has no master, and nothing to restore.
  if (master_ && before_)
    ::tcsetattr(STDIN_FILENO, TCSANOW, &*before_);
}

void terminal::resize() noexcept {
  winsize size{};
  if (::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
    ::ioctl(master_.get(), TIOCSWINSZ, &size);
}

void terminal::ask(pollfd& stdin_, pollfd& stdout_,
                   pollfd& master) const noexcept {
  stdin_ = {!in_ended_ && in_.empty() ? STDIN_FILENO : -1, POLLIN, 0};
  stdout_ = {out_.empty() ? -1 : STDOUT_FILENO, POLLOUT, 0};
  auto events = 0;
  if (!in_.empty())
    events |= POLLOUT;
  if (out_.empty() && !out_ended_)
    events |= POLLIN;
  // A hang-up is reported unasked, and for ever.
  master = {events == 0 || out_ended_ ? -1 : master_.get(),
            static_cast<short>(events), 0};
}

bool terminal::read_master() {
  // EIO: nobody has the other side open.
  return read_piece(master_.get(), out_);
}

void terminal::write_stdout() {
  write_piece(STDOUT_FILENO, out_);
}

void terminal::move(const pollfd& stdin_, const pollfd& stdout_,
                    const pollfd& master) {
  if (stdin_.revents != 0)
    in_ended_ = !read_piece(STDIN_FILENO, in_);
  if (stdout_.revents != 0)
    write_stdout();
  if ((master.revents & POLLOUT) != 0)
    write_piece(master_.get(), in_);
  if ((master.revents & (POLLIN | POLLHUP | POLLERR)) != 0 && out_.empty())
    out_ended_ = !read_master();
}

void terminal::finish() {
  do {
    while (!out_.empty())
      write_stdout();
    read_master();
  } while (!out_.empty());
}

} // namespace troupe::oci_runtime
