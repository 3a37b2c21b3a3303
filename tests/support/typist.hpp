#pragma once

#include "runtime/linux/unique_fd.hpp"
#include "tests/support/patience.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <vector>

namespace troupe::test {

/// Somebody at a terminal who has started a program there: types, looks, and
/// changes the window's size.
class typist {
public:
  typist(std::vector<std::string> argv, std::uint16_t rows,
         std::uint16_t cols) {
    master_.reset(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    REQUIRE(master_);
    REQUIRE(::grantpt(master_.get()) == 0);
    REQUIRE(::unlockpt(master_.get()) == 0);
    slave_.reset(
      ::open(::ptsname(master_.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
    REQUIRE(slave_);
    resize(rows, cols);
    std::vector<char*> words;
    for (auto& each : argv)
      words.push_back(each.data());
    words.push_back(nullptr);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ != 0)
      return;
    ::setsid();
    ::ioctl(slave_.get(), TIOCSCTTY, 0);
    for (auto fd = 0; fd < 3; ++fd)
      ::dup2(slave_.get(), fd);
    ::execv(words[0], words.data());
    ::_exit(127);
  }
  typist(const typist&) = delete;
  typist& operator=(const typist&) = delete;

  ~typist() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }

  void type(const std::string& text) {
    REQUIRE(::write(master_.get(), text.data(), text.size())
            == static_cast<ssize_t>(text.size()));
  }

  /// Sets the window's size, which the kernel tells the program.
  void resize(std::uint16_t rows, std::uint16_t cols) {
    winsize size{};
    size.ws_row = rows;
    size.ws_col = cols;
    REQUIRE(::ioctl(master_.get(), TIOCSWINSZ, &size) == 0);
  }

  /// Waits until `text` is to be read after what was waited for before.
  bool sees(const std::string& text,
            std::chrono::milliseconds within = std::chrono::seconds{30}) {
    const auto deadline = std::chrono::steady_clock::now() + patient(within);
    for (;;) {
      if (const auto at = seen_.find(text, looked_at_); at != seen_.npos) {
        looked_at_ = at + text.size();
        return true;
      }
      if (std::chrono::steady_clock::now() > deadline || !read_more())
        return false;
    }
  }

  void signal(int signo) const {
    REQUIRE(::kill(pid_, signo) == 0);
  }

  /// Its exit code, or 128 + signal.
  int wait() {
    auto status = 0;
    while (::waitpid(pid_, &status, WNOHANG) == 0)
      read_more();
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  /// Whether the terminal echoes and edits lines: as nobody has touched it.
  [[nodiscard]] bool is_cooked() const {
    termios now{};
    return ::tcgetattr(slave_.get(), &now) == 0 && (now.c_lflag & ICANON) != 0
           && (now.c_lflag & ECHO) != 0 && (now.c_lflag & ISIG) != 0;
  }

  [[nodiscard]] const std::string& screen() const {
    return seen_;
  }

private:
  bool read_more() {
    pollfd fd{master_.get(), POLLIN, 0};
    if (::poll(&fd, 1, 20) == 0)
      return true;
    std::array<char, 4096> piece;
    const auto got = ::read(master_.get(), piece.data(), piece.size());
    if (got > 0)
      seen_.append(piece.data(), static_cast<std::size_t>(got));
    return got > 0;
  }

  sys::unique_fd master_;
  sys::unique_fd slave_; ///< Kept, so that the terminal outlives the program.
  pid_t pid_ = -1;
  std::string seen_;
  std::size_t looked_at_ = 0;
};

} // namespace troupe::test
