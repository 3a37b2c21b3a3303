#pragma once

#include "config/base/result.hpp"
#include "runtime/linux/unique_fd.hpp"
#include "runtime/plan/cbor.hpp"
#include "runtime/shim/protocol/fields.hpp"
#include "runtime/shim/protocol/version.hpp"

#include <concepts>
#include <cstdint>
#include <cstring>
#include <deque>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

/// How one shim program leaves everything it holds to the next, which takes
/// its place in the same process by execve(2): the values in a memfd,
/// descriptors by their numbers, which stay open.
///
/// Every class that is handed over lists its members once, for both ways:
///
///     template <class Way> void hand_over(Way& with) { with(pid_, line_); }
///
/// and has a `resume` that watches again what it watched.
namespace troupe::shim {

namespace handover {

template <class T, class Way>
concept handed_over = requires(T& x, Way& with) {
  x.hand_over(with);
};

template <class T>
concept message = requires(T& x) {
  fields(x);
};

/// Plain old data, as its bytes: both programs are of one version.
template <class T>
concept plain
  = std::is_aggregate_v<T> && std::is_trivially_copyable_v<T> && !message<T>;

template <class T, template <class...> class Of>
constexpr auto is = false;
template <template <class...> class Of, class... Ts>
constexpr auto is<Of<Ts...>, Of> = true;

template <class T>
concept list = is<T, std::vector> || is<T, std::deque>;

} // namespace handover

/// Takes down what is handed over.
class saver {
public:
  static constexpr bool saving = true;

  template <class... T>
  void operator()(T&... each) {
    to_.array(sizeof...(T));
    (put(each), ...);
  }

  [[nodiscard]] std::vector<std::uint8_t> take() && {
    return std::move(to_).take();
  }

  /// The numbers of all descriptors so far.
  [[nodiscard]] const std::vector<int>& descriptors() const noexcept {
    return descriptors_;
  }

private:
  template <class T>
  void put(T& x) {
    if constexpr (std::same_as<T, bool>)
      to_.boolean(x);
    else if constexpr (std::signed_integral<T>)
      to_.integer(x);
    else if constexpr (std::unsigned_integral<T> || std::is_enum_v<T>)
      to_.number(static_cast<std::uint64_t>(x));
    else if constexpr (std::same_as<T, std::string>)
      to_.text(x);
    else if constexpr (std::same_as<T, sys::unique_fd>)
      put_descriptor(x);
    else if constexpr (handover::is<T, std::optional>) {
      to_.array(x ? 1 : 0);
      if (x)
        put(*x);
    } else if constexpr (handover::list<T>) {
      to_.array(x.size());
      for (auto& each : x)
        put(each);
    } else if constexpr (handover::handed_over<T, saver>)
      x.hand_over(*this);
    else if constexpr (handover::message<T>)
      std::apply([this](auto&... each) { (*this)(each...); }, fields(x));
    else {
      static_assert(handover::plain<T>);
      to_.text({reinterpret_cast<const char*>(&x), sizeof x});
    }
  }

  void put_descriptor(const sys::unique_fd& x) {
    to_.integer(x.get());
    if (x)
      descriptors_.push_back(x.get());
  }

  plan::cbor::writer to_;
  std::vector<int> descriptors_;
};

/// Takes over: the reverse of a `saver`. What cannot be read leaves `ok` false,
/// and everything from there on as it was.
class loader {
public:
  static constexpr bool saving = false;

  explicit loader(std::span<const std::uint8_t> from) : from_(from) {
  }

  template <class... T>
  void operator()(T&... each) {
    std::size_t count = 0;
    ok_ = ok_ && from_.array(count) && count == sizeof...(T);
    ((ok_ = ok_ && take(each)), ...);
  }

  [[nodiscard]] bool ok() const noexcept {
    return ok_;
  }

  [[nodiscard]] bool at_end() const noexcept {
    return ok_ && from_.at_end();
  }

private:
  template <class T>
  bool take(T& x) {
    if constexpr (std::same_as<T, bool>)
      return from_.boolean(x);
    else if constexpr (std::signed_integral<T>) {
      std::int64_t wide = 0;
      const auto found = from_.integer(wide);
      x = static_cast<T>(wide);
      return found && x == wide;
    } else if constexpr (std::unsigned_integral<T> || std::is_enum_v<T>) {
      std::uint64_t wide = 0;
      const auto found = from_.number(
        wide, std::numeric_limits<std::uint64_t>::max());
      x = static_cast<T>(wide);
      return found && static_cast<std::uint64_t>(x) == wide;
    } else if constexpr (std::same_as<T, std::string>)
      return from_.text(x);
    else if constexpr (std::same_as<T, sys::unique_fd>)
      return take_descriptor(x);
    else if constexpr (handover::is<T, std::optional>) {
      std::size_t count = 0;
      return from_.array(count) && (count == 0 || take(x.emplace()));
    } else if constexpr (handover::list<T>) {
      std::size_t count = 0;
      if (!from_.array(count))
        return false;
      x.resize(count);
      for (auto& each : x)
        if (!take(each))
          return false;
      return true;
    } else if constexpr (handover::handed_over<T, loader>) {
      x.hand_over(*this);
      return ok_;
    } else if constexpr (handover::message<T>) {
      std::apply([this](auto&... each) { (*this)(each...); }, fields(x));
      return ok_;
    } else {
      static_assert(handover::plain<T>);
      std::string bytes;
      if (!from_.text(bytes) || bytes.size() != sizeof x)
        return false;
      std::memcpy(&x, bytes.data(), sizeof x);
      return true;
    }
  }

  /// It is not to survive the next execve.
  bool take_descriptor(sys::unique_fd& x);

  plan::cbor::reader from_;
  bool ok_ = true;
};

/// Of a class behind an interface: its `members`, which lists them as a
/// `hand_over` does.
template <class Final, class Interface>
class hands_over : public Interface {
public:
  void hand_over(saver& with) final {
    static_cast<Final&>(*this).members(with);
  }
  void hand_over(loader& with) final {
    static_cast<Final&>(*this).members(with);
  }
};

/// Whether they are there after execve(2).
[[nodiscard]] outcome keep_over_exec(const std::vector<int>& descriptors,
                                     bool keep);

} // namespace troupe::shim
