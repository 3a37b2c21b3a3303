#pragma once

#include "config/base/failure.hpp"

#include <tl/expected.hpp>

#include <utility>

namespace troupe {

/// A value, or the failure that prevented it.
template <class T>
using result = tl::expected<T, failure>;

/// The outcome of an operation that only succeeds or fails.
using outcome = result<void>;

/// Wraps a failure for `return`.
[[nodiscard]] inline tl::unexpected<failure> fail(failure why) {
  return tl::unexpected<failure>{std::move(why)};
}

[[nodiscard]] inline tl::unexpected<failure> fail(fault code,
                                                  std::string what) {
  return fail(failure{code, 0, std::move(what)});
}

[[nodiscard]] inline tl::unexpected<failure>
fail_os(int os_errno, std::string_view call, std::string_view subject) {
  return fail(os_failure(os_errno, call, subject));
}

} // namespace troupe

#define TROUPE_CONCAT_(a, b) a##b
#define TROUPE_CONCAT(a, b) TROUPE_CONCAT_(a, b)

/// Binds the value of `expr` to `decl`, or returns its failure.
#define TROUPE_TRY(decl, expr)                                                 \
  TROUPE_TRY_(TROUPE_CONCAT(try_, __LINE__), decl, expr)
#define TROUPE_TRY_(tmp, decl, expr)                                           \
  auto tmp = (expr);                                                           \
  if (!tmp)                                                                    \
    return ::troupe::fail(std::move(tmp).error());                             \
  decl = *std::move(tmp)

/// Returns the failure of `expr`, if it failed; for outcomes without a value.
#define TROUPE_CHECK(expr)                                                     \
  do {                                                                         \
    if (auto checked = (expr); !checked)                                       \
      return ::troupe::fail(std::move(checked).error());                       \
  } while (false)
