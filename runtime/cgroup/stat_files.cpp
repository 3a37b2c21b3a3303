#include "runtime/cgroup/stat_files.hpp"

#include "runtime/cgroup/tree.hpp"

#include <algorithm>
#include <charconv>

namespace troupe::cgroup {

namespace {

/// v1's "unlimited" is INT64_MAX rounded down to a page, of up to 64 KiB.
constexpr auto v1_no_limit = no_limit - 0xffff;

/// Takes the part up to the next `separator` off `text`.
std::string_view take(std::string_view& text, char separator) {
  const auto size = std::min(text.find(separator), text.size());
  const auto out = text.substr(0, size);
  text.remove_prefix(std::min(size + 1, text.size()));
  return out;
}

/// `each(key, value)` for every "key=value" of a line.
template <class Each>
void pairs(std::string_view line, Each each) {
  while (!line.empty()) {
    auto value = take(line, ' ');
    const auto key = take(value, '=');
    each(key, value);
  }
}

/// The device that a line begins with, "8:0 "; false: it does not.
bool take_device(std::string_view& line, block_io& out) {
  auto device = take(line, ' ');
  const auto major = take(device, ':');
  out.major = to_number(major);
  out.minor = to_number(device);
  return out.major >= 0 && out.minor >= 0;
}

block_io& device_of(std::vector<block_io>& all, const block_io& device) {
  for (auto& each : all)
    if (each.major == device.major && each.minor == device.minor)
      return each;
  return all.emplace_back(device);
}

struct block_field {
  std::string_view name; ///< In io.stat, or of a v1 operation.
  std::int64_t block_io::*to;
};

constexpr block_field v1_bytes[] = {{"Read", &block_io::read_bytes},
                                    {"Write", &block_io::write_bytes},
                                    {"Discard", &block_io::discard_bytes}};
constexpr block_field v1_ios[] = {{"Read", &block_io::read_ios},
                                  {"Write", &block_io::write_ios},
                                  {"Discard", &block_io::discard_ios}};
constexpr block_field v2_fields[] = {
  {"rbytes", &block_io::read_bytes},    {"wbytes", &block_io::write_bytes},
  {"dbytes", &block_io::discard_bytes}, {"rios", &block_io::read_ios},
  {"wios", &block_io::write_ios},       {"dios", &block_io::discard_ios}};

template <std::size_t N>
void set_field(block_io& to, const block_field (&fields)[N],
               std::string_view name, std::string_view value) {
  for (const auto& field : fields)
    if (field.name == name)
      to.*field.to = std::max<std::int64_t>(to_number(value), 0);
}

template <std::size_t N>
void add_v1(std::vector<block_io>& to, std::string_view text,
            const block_field (&fields)[N]) {
  while (!text.empty()) {
    auto line = take(text, '\n');
    block_io device;
    if (!take_device(line, device))
      continue; // "Total 0"
    const auto operation = take(line, ' ');
    set_field(device_of(to, device), fields, operation, line);
  }
}

double to_percent(std::string_view text) {
  auto out = 0.0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

} // namespace

std::int64_t to_number(std::string_view text) {
  if (text.starts_with("max"))
    return no_limit;
  auto value = std::int64_t{-1};
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value >= v1_no_limit ? no_limit : value;
}

std::int64_t field_in(std::string_view text, std::string_view key) {
  return to_number(field_of(text, key));
}

std::vector<named_number> parse_named(std::string_view text) {
  std::vector<named_number> out;
  while (!text.empty()) {
    auto line = take(text, '\n');
    const auto name = take(line, ' ');
    if (!name.empty() && !line.empty())
      out.push_back({std::string{name}, to_number(line)});
  }
  return out;
}

std::vector<std::int64_t> parse_list(std::string_view text) {
  std::vector<std::int64_t> out;
  while (!text.empty())
    if (const auto word = take(text, ' '); !word.empty() && word != "\n")
      out.push_back(to_number(word));
  return out;
}

std::vector<block_io> parse_block_v1(std::string_view bytes,
                                     std::string_view ios) {
  std::vector<block_io> out;
  add_v1(out, bytes, v1_bytes);
  add_v1(out, ios, v1_ios);
  return out;
}

std::vector<block_io> parse_block_v2(std::string_view text) {
  std::vector<block_io> out;
  while (!text.empty()) {
    auto line = take(text, '\n');
    block_io device;
    if (!take_device(line, device))
      continue;
    pairs(line, [&](std::string_view key, std::string_view value) {
      set_field(device, v2_fields, key, value);
    });
    out.push_back(device);
  }
  return out;
}

pressure parse_pressure(std::string_view text) {
  pressure out;
  while (!text.empty()) {
    auto line = take(text, '\n');
    const auto kind = take(line, ' ');
    if (kind != "some" && kind != "full")
      continue;
    auto& to = kind == "some" ? out.some : out.full;
    pairs(line, [&](std::string_view key, std::string_view value) {
      if (key == "total")
        to.total_us = to_number(value);
      else if (key == "avg10")
        to.avg10 = to_percent(value);
      else if (key == "avg60")
        to.avg60 = to_percent(value);
      else if (key == "avg300")
        to.avg300 = to_percent(value);
    });
  }
  return out;
}

std::vector<rdma_device> parse_rdma(std::string_view text) {
  std::vector<rdma_device> out;
  while (!text.empty()) {
    auto line = take(text, '\n');
    rdma_device device{std::string{take(line, ' ')}};
    pairs(line, [&](std::string_view key, std::string_view value) {
      if (key == "hca_handle")
        device.handles = to_number(value);
      else if (key == "hca_object")
        device.objects = to_number(value);
    });
    if (!device.name.empty())
      out.push_back(std::move(device));
  }
  return out;
}

} // namespace troupe::cgroup
