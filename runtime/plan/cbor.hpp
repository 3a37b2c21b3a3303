#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The part of CBOR (RFC 8949) that plans need: definite lengths, no tags, no
/// floats. Written here and not with nlohmann's reader, because the shim
/// decodes plans, must never die, and that reader recurses once per level of
/// nesting of its input and throws on absurd lengths; this one follows the
/// shape of the plan, so neither depth nor memory is the input's choice.
namespace troupe::plan::cbor {

class writer {
public:
  void number(std::uint64_t x);
  void integer(std::int64_t x);
  void boolean(bool x);
  void text(std::string_view x);
  void binary(std::span<const std::uint8_t> x);
  /// Opens an array; the next `count` items are its elements.
  void array(std::size_t count);

  [[nodiscard]] std::vector<std::uint8_t> take() && {
    return std::move(out_);
  }

private:
  void head(std::uint8_t major, std::uint64_t argument);
  void append(const void* from, std::size_t size);

  std::vector<std::uint8_t> out_;
};

/// Reads items one after the other. Each verb returns false if the next item
/// is not of its kind, out of range or cut off; what it left in `x` is then
/// unspecified, and reading on is pointless.
class reader {
public:
  explicit reader(std::span<const std::uint8_t> from) noexcept : left_(from) {
  }

  [[nodiscard]] bool number(std::uint64_t& x, std::uint64_t max) noexcept;
  [[nodiscard]] bool integer(std::int64_t& x) noexcept;
  [[nodiscard]] bool boolean(bool& x) noexcept;
  [[nodiscard]] bool text(std::string& x);
  [[nodiscard]] bool binary(std::vector<std::uint8_t>& x);
  /// `count` is never more than the bytes that are left.
  [[nodiscard]] bool array(std::size_t& count) noexcept;

  [[nodiscard]] bool at_end() const noexcept {
    return left_.empty();
  }

private:
  [[nodiscard]] bool head(std::uint8_t& major,
                          std::uint64_t& argument) noexcept;
  [[nodiscard]] bool counted(std::uint8_t major, std::size_t& size) noexcept;

  std::span<const std::uint8_t> left_;
};

} // namespace troupe::plan::cbor
