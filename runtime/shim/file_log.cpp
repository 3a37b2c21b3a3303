#include "runtime/shim/file_log.hpp"

#include "config/base/fault_point.hpp"
#include "runtime/linux/file.hpp"
#include "runtime/log/json_lines.hpp"

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

std::string generation(const std::string& path, std::uint32_t n) {
  return n == 0 ? path : path + "." + std::to_string(n);
}

} // namespace

result<std::unique_ptr<log_sink>> file_log::open(log_options options) {
  std::unique_ptr<file_log> out{new file_log{std::move(options)}};
  TROUPE_CHECK(out->open_file());
  return out;
}

outcome file_log::open_file() {
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

void file_log::take(log::stream from, std::string_view bytes, time_ns now) {
  timestamp_ = rfc3339(now);
  lines_.feed(from, bytes, [&](auto begin, auto end, bool partial) {
    emit(from, begin, end, partial);
  });
  flush();
}

void file_log::retry() {
  blocked_ = false;
  flush();
}

void file_log::give_up() {
  options_.when_full = overflow::drop;
  retry();
}

void file_log::finish(time_ns now) {
  timestamp_ = rfc3339(now);
  give_up();
  for (const auto from : {log::stream::out, log::stream::err})
    lines_.finish(from, [&](auto begin, auto end, bool partial) {
      emit(from, begin, end, partial);
    });
  flush();
  file_.reset();
}

outcome file_log::reopen() {
  flush();
  return open_file();
}

void file_log::emit(log::stream from, std::string_view begin,
                    std::string_view end, bool partial) {
  auto& text = batch_.text;
  const auto before = text.size();
  if (options_.driver == log_driver::json_file) {
    log::append_json(text, timestamp_, from, begin, end, partial);
  } else {
    log::begin_record(text, timestamp_, from, partial);
    text.append(begin).append(end).append(1, '\n');
  }
  if (must_rotate(text.size())) {
    const auto record = text.substr(before);
    text.resize(before);
    flush();
    if (!blocked_)
      rotate();
    text.append(record);
  }
  batch_.marks.push_back(
    {text.size(), begin.size() + end.size() + (partial ? 0 : 1)});
  if (text.size() >= batch_size)
    flush();
}

void file_log::flush() {
  if (batch_.marks.empty() || blocked_)
    return;
  const fault_scope step{"log", "write"};
  if (const auto wanted = step.failure(); !wanted)
    return settle(0, wanted.error().os_errno);
  // No file: the last rotation could not make its new one.
  if (!file_)
    if (const auto opened = open_file(); !opened)
      return settle(0, opened.error().os_errno);
  const auto did = sys::write_all(file_.get(), batch_.text);
  settle(did.bytes, did.os_errno);
}

// Counts the records of which `written` bytes are in the file, and cuts off the
// one that is there by half.
void file_log::settle(std::size_t written, int why) {
  std::size_t whole = 0;
  for (const auto& each : batch_.marks) {
    if (each.end <= written) {
      count_logged(each.payload);
      whole = each.end;
    } else if (options_.when_full == overflow::drop) {
      count_dropped(why, each.payload);
    }
  }
  size_ += static_cast<std::int64_t>(whole);
  if (why != 0)
    count_trouble(why);
  struct stat info {};
  if (written > whole && ::fstat(file_.get(), &info) == 0)
    (void)!::ftruncate(file_.get(),
                       info.st_size - static_cast<off_t>(written - whole));
  if (why != 0 && options_.when_full == overflow::block)
    return hold_back(whole);
  batch_.text.clear();
  batch_.marks.clear();
}

void file_log::hold_back(std::size_t whole) {
  blocked_ = true;
  batch_.text.erase(0, whole);
  std::erase_if(batch_.marks,
                [&](const auto& each) { return each.end <= whole; });
  for (auto& each : batch_.marks)
    each.end -= whole;
}

bool file_log::must_rotate(std::size_t more) const noexcept {
  return file_ && rotate_at_ > 0
         && size_ + static_cast<std::int64_t>(more) > rotate_at_;
}

// path.N-1 to path.N … path to path.1, then a new path. If that fails the old
// file grows on by as much again before the next attempt.
void file_log::rotate() {
  const auto& path = options_.path;
  if (size_ == 0)
    return;
  const fault_scope step{"log", "rotate"};
  for (auto n = options_.max_files; n > 1; --n)
    ::rename(generation(path, n - 1).c_str(), generation(path, n).c_str());
  const auto moved = options_.max_files == 0
                       ? ::unlink(path.c_str())
                       : ::rename(path.c_str(), generation(path, 1).c_str());
  if (moved != 0 && errno != ENOENT) {
    count_trouble(errno);
    rotate_at_ += options_.max_size;
    return;
  }
  if (const auto opened = open_file(); !opened)
    count_trouble(opened.error().os_errno);
}

} // namespace troupe::shim
