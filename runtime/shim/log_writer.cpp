#include "runtime/shim/log_writer.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::shim {

namespace {

/// A batch this long is written before more is added, so that a chunk of empty
/// lines (40 bytes of record for one of output) stays cheap.
constexpr std::size_t batch_size = 64U << 10U;

/// A kept line's buffer above this is given back when the line is done.
constexpr std::size_t small_buffer = 1024;

std::string generation(const std::string& path, std::uint32_t n) {
  return n == 0 ? path : path + "." + std::to_string(n);
}

// Writes on until all is written or a write fails; returns how much, and the
// errno.
std::pair<std::size_t, int> write_all(int fd, std::string_view text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const auto n = ::write(fd, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return {done, errno};
    done += static_cast<std::size_t>(n);
  }
  return {done, 0};
}

} // namespace

result<log_writer> log_writer::open(log_options options) {
  log_writer out;
  out.options_ = std::move(options);
  TROUPE_CHECK(out.open_file());
  return out;
}

outcome log_writer::open_file() {
  // O_NONBLOCK: a fifo must not stop the shim; regular files ignore it.
  file_.reset(::open(
    options_.path.c_str(),
    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640));
  if (!file_)
    return fail_os(errno, "open log", options_.path);
  struct stat info {};
  if (::fstat(file_.get(), &info) != 0)
    return fail_os(errno, "fstat log", options_.path);
  size_ = info.st_size;
  rotate_at_ = S_ISREG(info.st_mode) ? options_.max_size : 0;
  return {};
}

void log_writer::write(log::stream from, std::string_view bytes, time_ns now) {
  counters_.bytes_in += static_cast<std::int64_t>(bytes.size());
  batch records;
  records.timestamp = rfc3339(now);
  feed(records, from, bytes);
  flush(records);
}

void log_writer::finish(time_ns now) {
  batch records;
  records.timestamp = rfc3339(now);
  for (const auto from : {log::stream::out, log::stream::err})
    if (!kept(from).empty())
      emit(records, from, {}, true);
  flush(records);
  file_.reset();
}

void log_writer::feed(batch& to, log::stream from, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto room = log::max_text - kept(from).size();
    const auto end = bytes.substr(0, room + 1).find('\n');
    if (end != std::string_view::npos) {
      emit(to, from, bytes.substr(0, end), false);
      bytes.remove_prefix(end + 1);
    } else if (bytes.size() > room) {
      emit(to, from, bytes.substr(0, room), true);
      bytes.remove_prefix(room);
    } else {
      kept(from).append(bytes);
      return;
    }
  }
}

void log_writer::emit(batch& to, log::stream from, std::string_view text,
                      bool partial) {
  auto& begin = kept(from);
  const auto payload = begin.size() + text.size() + (partial ? 0 : 1);
  const auto length = payload + to.timestamp.size() + sizeof " stdout F \n";
  if (must_rotate(to.text.size() + length)) {
    flush(to);
    rotate();
  }
  log::begin_record(to.text, to.timestamp, from, partial);
  to.text.append(begin).append(text).append(1, '\n');
  to.marks.push_back({to.text.size(), payload});
  begin.clear();
  if (begin.capacity() > small_buffer)
    begin.shrink_to_fit();
  if (to.text.size() >= batch_size)
    flush(to);
}

void log_writer::flush(batch& from) {
  if (from.marks.empty())
    return;
  std::pair<std::size_t, int> outcome{0, 0};
  // No file: the last rotation could not make its new one.
  if (const auto opened = file_ ? troupe::outcome{} : open_file(); !opened)
    outcome.second = opened.error().os_errno;
  else
    outcome = write_all(file_.get(), from.text);
  settle(from, outcome.first, outcome.second);
  from.text.clear();
  from.marks.clear();
}

// Counts the records of a batch of which `written` bytes are in the file, and
// cuts off the one that is there by half.
void log_writer::settle(const batch& from, std::size_t written, int why) {
  std::size_t whole = 0;
  for (const auto& each : from.marks) {
    const auto fits = each.end <= written;
    auto& counter = fits ? counters_.bytes_logged : counters_.bytes_dropped;
    counter += static_cast<std::int64_t>(each.payload);
    if (fits)
      whole = each.end;
  }
  size_ += static_cast<std::int64_t>(whole);
  if (why != 0)
    counters_.last_errno = why;
  struct stat info {};
  if (written > whole && ::fstat(file_.get(), &info) == 0)
    (void)!::ftruncate(file_.get(),
                       info.st_size - static_cast<off_t>(written - whole));
}

bool log_writer::must_rotate(std::size_t more) const noexcept {
  return file_ && rotate_at_ > 0
         && size_ + static_cast<std::int64_t>(more) > rotate_at_;
}

// path.N-1 to path.N … path to path.1, then a new path. If that fails the old
// file grows on by as much again before the next attempt.
void log_writer::rotate() {
  const auto& path = options_.path;
  if (size_ == 0)
    return;
  for (auto n = options_.max_files; n > 1; --n)
    ::rename(generation(path, n - 1).c_str(), generation(path, n).c_str());
  const auto moved = options_.max_files == 0
                       ? ::unlink(path.c_str())
                       : ::rename(path.c_str(), generation(path, 1).c_str());
  if (moved != 0 && errno != ENOENT) {
    counters_.last_errno = errno;
    rotate_at_ += options_.max_size;
    return;
  }
  if (const auto opened = open_file(); !opened)
    counters_.last_errno = opened.error().os_errno;
}

std::string& log_writer::kept(log::stream from) noexcept {
  return kept_[from == log::stream::out ? 0 : 1];
}

} // namespace troupe::shim
