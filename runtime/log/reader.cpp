#include "runtime/log/reader.hpp"

#include "runtime/log/json_lines.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace troupe::log {

namespace {

std::optional<std::uint64_t> inode_of(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0)
    return {};
  return info.st_ino;
}

// Invalid, without a failure, if there is no such file.
result<sys::unique_fd> open_if_there(const std::string& path) {
  sys::unique_fd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (!fd && errno != ENOENT)
    return fail_os(errno, "open", path);
  return fd;
}

result<std::size_t> read_some(int fd, char* to, std::size_t size,
                              const std::string& path) {
  for (;;) {
    const auto n = ::read(fd, to, size);
    if (n >= 0)
      return static_cast<std::size_t>(n);
    if (errno != EINTR)
      return fail_os(errno, "read", path);
  }
}

std::optional<entry> parse_as(file_format how, std::string_view line,
                              std::string& text) {
  return how == file_format::json ? parse_json(line, text) : parse(line);
}

} // namespace

result<reader> reader::open(std::string path, const read_options& options) {
  reader out;
  out.path_ = std::move(path);
  out.options_ = options;
  if (options.tail)
    TROUPE_CHECK(out.seek_tail(*options.tail));
  return out;
}

result<std::string> reader::next(std::size_t limit) {
  std::string out;
  while (out.empty() && !finished_) {
    TROUPE_TRY(const auto got, fill(limit));
    if (got) {
      take_lines(out);
      continue;
    }
    TROUPE_TRY(const auto more, open_next_file());
    if (!more)
      break;
  }
  return out;
}

std::string reader::path_of(unsigned generation) const {
  return generation == 0 ? path_ : path_ + "." + std::to_string(generation);
}

unsigned reader::oldest_generation() const {
  auto generation = 0U;
  while (inode_of(path_of(generation + 1)))
    ++generation;
  return generation;
}

std::optional<unsigned> reader::generation_of_current() const {
  for (auto generation = 0U;; ++generation) {
    const auto inode = inode_of(path_of(generation));
    if (inode == inode_)
      return generation;
    // The live file is absent for a moment in the middle of a rotation.
    if (!inode && generation > 0)
      return {};
  }
}

// Walks back from the live file until there are enough lines, and begins with
// that file.
outcome reader::seek_tail(std::uint64_t lines) {
  std::uint64_t found = 0;
  const auto oldest = oldest_generation();
  auto generation = 0U;
  for (;; ++generation) {
    TROUPE_TRY(const auto more, count(generation));
    found += more;
    if (found >= lines || generation >= oldest)
      break;
  }
  lines_to_skip_ = found > lines ? found - lines : 0;
  TROUPE_CHECK(open_file(generation));
  return {};
}

/// Nothing has to be known of a record to hand it out.
bool reader::as_it_is() const noexcept {
  return options_.format == file_format::cri && !options_.only
         && options_.since == 0 && options_.until == 0;
}

/// The records of a file that `only` lets through.
result<std::uint64_t> reader::count(unsigned generation) const {
  const auto path = path_of(generation);
  TROUPE_TRY(const auto fd, open_if_there(path));
  std::uint64_t out = 0;
  std::string rest;
  std::string text;
  std::array<char, 64U << 10U> buffer;
  while (fd) {
    TROUPE_TRY(const auto n,
               read_some(fd.get(), buffer.data(), buffer.size(), path));
    if (n == 0)
      break;
    if (as_it_is()) {
      out += static_cast<std::uint64_t>(
        std::count(buffer.data(), buffer.data() + n, '\n'));
      continue;
    }
    rest.append(buffer.data(), n);
    std::size_t begin = 0;
    for (auto end = rest.find('\n'); end != std::string::npos;
         end = rest.find('\n', begin)) {
      const auto line = std::string_view{rest}.substr(begin, end - begin);
      const auto record = parse_as(options_.format, line, text);
      const auto wanted
        = record && (!options_.only || record->stream == *options_.only);
      out += wanted ? 1U : 0U;
      begin = end + 1;
    }
    rest.erase(0, begin);
  }
  return out;
}

result<bool> reader::open_file(unsigned generation) {
  const auto path = path_of(generation);
  TROUPE_TRY(auto fd, open_if_there(path));
  if (!fd)
    return false;
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0)
    return fail_os(errno, "fstat", path);
  file_ = std::move(fd);
  inode_ = info.st_ino;
  rotated_ = false;
  unread_.clear(); // a record that the old file never finished
  return true;
}

// At the end of `file_`: true if there is, or may be, more to read.
result<bool> reader::open_next_file() {
  if (!file_)
    return open_file(oldest_generation());
  const auto generation = generation_of_current();
  if (generation == 0U)
    return false;
  // What was written between our last read and the rotation comes first.
  if (!std::exchange(rotated_, true))
    return true;
  if (!generation)
    return open_file(oldest_generation());
  auto old_file = std::move(file_);
  const auto old_inode = inode_;
  const auto opened = open_file(*generation - 1);
  if (opened.value_or(false) && inode_of(path_of(*generation)) == old_inode)
    return true;
  // Rotated again in between: what we have opened is not the next one.
  file_ = std::move(old_file);
  inode_ = old_inode;
  rotated_ = true;
  TROUPE_CHECK(opened);
  return *opened;
}

// Reads on; false at the end of the file.
result<bool> reader::fill(std::size_t limit) {
  if (!file_)
    return false;
  const auto had = unread_.size();
  unread_.resize(had + std::max<std::size_t>(limit, 1));
  const auto n = read_some(file_.get(), unread_.data() + had,
                           unread_.size() - had, path_);
  unread_.resize(had + n.value_or(0));
  TROUPE_CHECK(n);
  return *n > 0;
}

void reader::take_lines(std::string& out) {
  const std::string_view all{unread_};
  std::size_t begin = 0;
  for (auto end = all.find('\n'); end != std::string_view::npos;
       end = all.find('\n', begin)) {
    take_line(out, all.substr(begin, end - begin));
    begin = end + 1;
  }
  unread_.erase(0, begin);
}

void reader::take_line(std::string& out, std::string_view line) {
  const auto record = as_it_is() ? std::nullopt
                                 : parse_as(options_.format, line, text_);
  if (finished_ || (!as_it_is() && !record))
    return;
  if (options_.only && record->stream != *options_.only)
    return;
  if (lines_to_skip_ > 0) {
    --lines_to_skip_;
    return;
  }
  if (record && record->time < options_.since)
    return;
  if (record && options_.until != 0 && record->time > options_.until) {
    finished_ = true;
    return;
  }
  if (options_.format == file_format::json)
    format(out, *record);
  else
    out.append(line).append(1, '\n');
}

} // namespace troupe::log
