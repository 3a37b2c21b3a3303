#include "runtime/log/reader.hpp"
#include "runtime/shim/log_sink.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace troupe::log_reader_test {

namespace {

constexpr time_ns second = 1'000'000'000;

std::unique_ptr<shim::log_sink> opened(const shim::log_options& how) {
  return shim::log_sink::open(how, "web-1", {}).value();
}

/// A log at a path of its own, in a directory that goes with it.
class scratch_log {
public:
  scratch_log() {
    char name[] = "/tmp/troupe-test-XXXXXX";
    REQUIRE(::mkdtemp(name) != nullptr);
    directory_ = name;
  }

  scratch_log(const scratch_log&) = delete;
  scratch_log& operator=(const scratch_log&) = delete;

  ~scratch_log() {
    std::filesystem::remove_all(directory_);
  }

  [[nodiscard]] std::string path() const {
    return directory_ / "log";
  }

  [[nodiscard]] std::unique_ptr<shim::log_sink>
  writer(std::int64_t max_size = 0, std::uint32_t max_files = 5,
         shim::log_driver driver = shim::log_driver::k8s_file) const {
    return opened({driver, path(), max_size, max_files});
  }

  [[nodiscard]] log::reader
  reader(const log::read_options& options = {}) const {
    return log::reader::open(path(), options).value();
  }

private:
  std::filesystem::path directory_;
};

/// The texts of all records there are for now, one a line.
std::string rest_of(log::reader& from, std::size_t limit = 100) {
  std::string out;
  for (;;) {
    const auto lines = from.next(limit).value();
    if (lines.empty())
      return out;
    std::istringstream each{lines};
    for (std::string line; std::getline(each, line);) {
      const auto record = log::parse(line);
      REQUIRE(record);
      out.append(record->text).append("\n");
    }
  }
}

void write_lines(const std::unique_ptr<shim::log_sink>& to, int from,
                 int count) {
  for (auto i = from; i < from + count; ++i)
    to->write(log::stream::out, std::to_string(i) + "\n", i * second);
}

std::string lines(int from, int count) {
  std::string out;
  for (auto i = from; i < from + count; ++i)
    out += std::to_string(i) + "\n";
  return out;
}

} // namespace

TEST_CASE("a log that does not exist yet is empty, and then is read", "[log]") {
  const scratch_log log;
  auto reader = log.reader();

  CHECK(rest_of(reader).empty());
  auto writer = log.writer();
  write_lines(writer, 1, 2);
  CHECK(rest_of(reader) == lines(1, 2));
}

TEST_CASE("a reader goes on where it stopped, through rotations", "[log]") {
  const scratch_log log;
  // Three records a file.
  auto writer = log.writer(150, 100);
  auto reader = log.reader();
  write_lines(writer, 1, 1);
  std::string got;

  for (auto i = 2; i < 60; i += i % 7 + 1) {
    got += rest_of(reader);
    write_lines(writer, i, i % 7 + 1);
  }
  got += rest_of(reader);

  REQUIRE(std::filesystem::exists(log.path() + ".10"));
  CHECK(got.starts_with(lines(1, 50)));
  CHECK(std::count(got.begin(), got.end(), '\n')
        == std::stoi(got.substr(got.rfind('\n', got.size() - 2) + 1)));
}

TEST_CASE("a reader whose file has been removed goes on with the oldest",
          "[log]") {
  const scratch_log log;
  auto writer = log.writer(150, 1);
  write_lines(writer, 1, 2);
  auto reader = log.reader();
  CHECK(rest_of(reader) == lines(1, 2));

  write_lines(writer, 3, 20);

  const auto got = rest_of(reader);
  CHECK(got.ends_with("22\n"));
  CHECK(got.starts_with("3\n")); // still in the file that it holds open
}

TEST_CASE("the tail is the last records, over the files' bounds", "[log]") {
  const scratch_log log;
  auto writer = log.writer(150, 100);
  write_lines(writer, 1, 20);
  const auto n = GENERATE(0, 1, 3, 4, 19, 20, 100);

  auto reader = log.reader({0, n});

  const auto wanted = std::min(n, 20);
  CHECK(rest_of(reader) == lines(21 - wanted, wanted));
  write_lines(writer, 21, 1);
  CHECK(rest_of(reader) == lines(21, 1));
}

TEST_CASE("records before the wanted time are left out", "[log]") {
  const scratch_log log;
  auto writer = log.writer(150, 100);
  write_lines(writer, 1, 20);

  auto reader = log.reader({15 * second, {}});
  auto both = log.reader({15 * second, 2});

  CHECK(rest_of(reader) == lines(15, 6));
  CHECK(rest_of(both) == lines(19, 2));
}

TEST_CASE("a record is handed out when it is whole", "[log]") {
  const scratch_log log;
  std::ofstream file{log.path()};
  auto reader = log.reader();

  file << "2026-11-22T05:23:00Z stdout F hel" << std::flush;
  CHECK(reader.next().value().empty());
  file << "lo\n" << std::flush;

  CHECK(reader.next().value() == "2026-11-22T05:23:00Z stdout F hello\n");
}

TEST_CASE("lines come together from pieces, whatever the reads", "[log]") {
  const scratch_log log;
  auto writer = log.writer();

  writer->write(log::stream::out, "one\ntw", second);
  writer->write(log::stream::err, "err", second);
  writer->write(log::stream::out, "o\nthr", second);
  writer->write(log::stream::out, "ee", second);
  writer->finish(second);

  auto reader = log.reader();
  CHECK(rest_of(reader) == "one\ntwo\nthree\nerr\n");
  CHECK(writer->counters() == shim::log_counters{16, 16, 0, 0});
}

TEST_CASE("a line is split at the longest text, and not before", "[log]") {
  const scratch_log log;
  auto writer = log.writer();
  const auto extra = GENERATE(0, 1);
  const auto text = std::string(log::max_text + extra, 'x');

  writer->write(log::stream::out, text.substr(0, 1000), second);
  writer->write(log::stream::out, text.substr(1000) + "\n", second);

  auto reader = log.reader();
  CHECK(rest_of(reader)
        == text.substr(0, log::max_text) + "\n" + (extra ? "x\n" : ""));
}

TEST_CASE("what a full disk refuses is counted", "[log]") {
  auto writer = opened({shim::log_driver::k8s_file, "/dev/full", 0, 5});

  writer->write(log::stream::out, "hello\nwor", second);
  writer->finish(second);

  CHECK(writer->counters()
        == shim::log_counters{9, 0, 9, ENOSPC, {{ENOSPC, 9}}});
}

TEST_CASE("a log that is waited for keeps what it cannot write", "[log]") {
  const scratch_log log;
  // A directory in its place: nothing can be written, until it is gone.
  auto writer = opened(
    {shim::log_driver::k8s_file, log.path(), 100, 5, shim::overflow::block});
  writer->write(log::stream::out, "one\n", second);
  CHECK_FALSE(writer->blocked());
  std::filesystem::rename(log.path(), log.path() + ".old");
  std::filesystem::create_directory(log.path());
  CHECK_FALSE(writer->reopen());

  writer->write(log::stream::out, "two\n", 2 * second);
  CHECK(writer->blocked());
  writer->retry();
  CHECK(writer->blocked());
  CHECK(writer->counters() == shim::log_counters{8, 4, 0, EISDIR, {}});

  std::filesystem::remove(log.path());
  writer->retry();
  CHECK_FALSE(writer->blocked());
  CHECK(writer->counters().bytes_logged == 8);
  auto reader = log.reader();
  CHECK(rest_of(reader) == "two\n");
}

TEST_CASE("a log that is waited for gives up when its process is gone",
          "[log]") {
  auto writer = opened(
    {shim::log_driver::k8s_file, "/dev/full", 0, 5, shim::overflow::block});
  writer->write(log::stream::out, "hello\nwor", second);
  CHECK(writer->blocked());
  CHECK(writer->counters().bytes_dropped == 0);
  writer->finish(second);
  CHECK(writer->counters()
        == shim::log_counters{9, 0, 9, ENOSPC, {{ENOSPC, 9}}});
}

TEST_CASE("a log that somebody has moved goes on at its path", "[log]") {
  const scratch_log log;
  auto writer = log.writer();
  write_lines(writer, 1, 2);
  std::filesystem::rename(log.path(), log.path() + ".moved");
  write_lines(writer, 3, 1);
  REQUIRE(writer->reopen());
  write_lines(writer, 4, 1);
  auto reader = log.reader();
  CHECK(rest_of(reader) == lines(4, 1));
  CHECK(std::filesystem::file_size(log.path() + ".moved") > 100);
}

TEST_CASE("JSON lines are rotated and read like CRI lines", "[log]") {
  const scratch_log log;
  auto writer = log.writer(250, 100, shim::log_driver::json_file);
  log::read_options how;
  how.format = log::file_format::json;
  auto reader = log.reader(how);
  std::string got;
  for (auto i = 1; i < 40; i += 3) {
    write_lines(writer, i, 3);
    got += rest_of(reader);
  }
  REQUIRE(std::filesystem::exists(log.path() + ".5"));
  CHECK(got == lines(1, 39));
}

TEST_CASE("a reader takes one stream, and ends at a moment", "[log]") {
  const scratch_log log;
  auto writer = log.writer(150, 100);
  for (auto i = 1; i <= 9; ++i)
    writer->write(i % 3 == 0 ? log::stream::err : log::stream::out,
                  std::to_string(i) + "\n", i * second);
  log::read_options how;
  SECTION("stdout") {
    how.only = log::stream::out;
    auto reader = log.reader(how);
    CHECK(rest_of(reader) == "1\n2\n4\n5\n7\n8\n");
  }
  SECTION("the last of stderr") {
    how.only = log::stream::err;
    how.tail = 2;
    auto reader = log.reader(how);
    CHECK(rest_of(reader) == "6\n9\n");
  }
  SECTION("until a moment") {
    how.since = 3 * second;
    how.until = 5 * second;
    auto reader = log.reader(how);
    CHECK(rest_of(reader) == "3\n4\n5\n");
    CHECK(reader.finished());
  }
}

} // namespace troupe::log_reader_test
