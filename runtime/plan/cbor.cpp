#include "runtime/plan/cbor.hpp"

#include <limits>

namespace troupe::plan::cbor {

namespace {

// RFC 8949, 3.1: major types, in the three high bits of an item's first byte.
constexpr std::uint8_t unsigned_major = 0;
constexpr std::uint8_t negative_major = 1;
constexpr std::uint8_t binary_major = 2;
constexpr std::uint8_t text_major = 3;
constexpr std::uint8_t array_major = 4;
constexpr std::uint8_t simple_major = 7;

constexpr std::uint64_t simple_false = 20;
constexpr std::uint64_t simple_true = 21;

// The low five bits: up to 23 the argument itself, from 24 to 27 "it follows
// in 1, 2, 4 or 8 bytes", big-endian.
constexpr std::uint8_t one_byte_follows = 24;
constexpr std::uint8_t eight_bytes_follow = 27;

constexpr std::uint64_t max_int64 = std::numeric_limits<std::int64_t>::max();

} // namespace

// -- writer -------------------------------------------------------------------

void writer::head(std::uint8_t major, std::uint64_t argument) {
  const auto high = static_cast<std::uint8_t>(major << 5U);
  if (argument < one_byte_follows) {
    out_.push_back(high | static_cast<std::uint8_t>(argument));
    return;
  }
  auto log_size = 0U;
  while (log_size < 3 && argument >> (8U << log_size) != 0)
    ++log_size;
  out_.push_back(high | static_cast<std::uint8_t>(one_byte_follows + log_size));
  for (auto shift = 8U << log_size; shift != 0; shift -= 8)
    out_.push_back(static_cast<std::uint8_t>(argument >> (shift - 8)));
}

void writer::append(const void* from, std::size_t size) {
  const auto* bytes = static_cast<const std::uint8_t*>(from);
  out_.insert(out_.end(), bytes, bytes + size);
}

void writer::number(std::uint64_t x) {
  head(unsigned_major, x);
}

void writer::integer(std::int64_t x) {
  // A negative n is written as -1 - n, which is the complement of its bits.
  const auto bits = static_cast<std::uint64_t>(x);
  x < 0 ? head(negative_major, ~bits) : head(unsigned_major, bits);
}

void writer::boolean(bool x) {
  head(simple_major, x ? simple_true : simple_false);
}

void writer::text(std::string_view x) {
  head(text_major, x.size());
  append(x.data(), x.size());
}

void writer::binary(std::span<const std::uint8_t> x) {
  head(binary_major, x.size());
  append(x.data(), x.size());
}

void writer::array(std::size_t count) {
  head(array_major, count);
}

// -- reader -------------------------------------------------------------------

bool reader::head(std::uint8_t& major, std::uint64_t& argument) noexcept {
  if (left_.empty())
    return false;
  const auto first = left_.front();
  left_ = left_.subspan(1);
  major = first >> 5U;
  const auto low = static_cast<std::uint8_t>(first & 0x1fU);
  argument = low;
  if (low < one_byte_follows)
    return true;
  if (low > eight_bytes_follow)
    return false;
  const auto size = std::size_t{1} << (low - one_byte_follows);
  if (left_.size() < size)
    return false;
  argument = 0;
  for (const auto byte : left_.first(size))
    argument = argument << 8U | byte;
  left_ = left_.subspan(size);
  return true;
}

bool reader::counted(std::uint8_t major, std::size_t& size) noexcept {
  std::uint8_t found = 0;
  std::uint64_t argument = 0;
  if (!head(found, argument) || found != major || argument > left_.size())
    return false;
  size = argument;
  return true;
}

bool reader::number(std::uint64_t& x, std::uint64_t max) noexcept {
  std::uint8_t major = 0;
  return head(major, x) && major == unsigned_major && x <= max;
}

bool reader::integer(std::int64_t& x) noexcept {
  std::uint8_t major = 0;
  std::uint64_t bits = 0;
  if (!head(major, bits) || major > negative_major || bits > max_int64)
    return false;
  x = static_cast<std::int64_t>(major == negative_major ? ~bits : bits);
  return true;
}

bool reader::boolean(bool& x) noexcept {
  std::uint8_t major = 0;
  std::uint64_t word = 0;
  if (!head(major, word) || major != simple_major)
    return false;
  x = word == simple_true;
  return x || word == simple_false;
}

bool reader::text(std::string& x) {
  std::size_t size = 0;
  if (!counted(text_major, size))
    return false;
  x.assign(reinterpret_cast<const char*>(left_.data()), size);
  left_ = left_.subspan(size);
  return true;
}

bool reader::binary(std::vector<std::uint8_t>& x) {
  std::size_t size = 0;
  if (!counted(binary_major, size))
    return false;
  x.assign(left_.begin(), left_.begin() + static_cast<std::ptrdiff_t>(size));
  left_ = left_.subspan(size);
  return true;
}

bool reader::array(std::size_t& count) noexcept {
  return counted(array_major, count);
}

} // namespace troupe::plan::cbor
