#include "actors/cluster/messages.hpp"
#include "actors/interfaces.hpp"
#include "tests/support/deterministic.hpp"

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace troupe::wire_test {

namespace {

/// An inspector that counts what a message lists and fills it with values that
/// are not the default and differ from their neighbours'.
class filler {
public:
  using result_type = void;

  template <class... Fields>
  void operator()(caf::meta::type_name_t, Fields&... each) {
    (fill(each), ...);
    listed = sizeof...(Fields); // After those of nested messages.
  }

  /// Of one that is kept in another shape than it travels in.
  template <class Field, class Taken>
  void operator()(Field& each, caf::meta::load_callback_t<Taken> taken) {
    fill(each);
    CHECK(taken.fun() == caf::none);
  }

  void fill(bool& x) {
    x = !x;
  }

  void fill(std::string& x) {
    x = "text " + std::to_string(++count_) + " \xff";
  }

  void fill(caf::timespan& x) {
    x = caf::timespan{++count_};
  }

  void fill(double& x) {
    x = 0.5 + static_cast<double>(++count_);
  }

  template <std::integral T>
  void fill(T& x) {
    x = static_cast<T>(-++count_);
  }

  template <class T>
  requires std::is_enum_v<T>
  void fill(T& x) {
    x = static_cast<T>(1);
  }

  template <class T>
  void fill(std::vector<T>& x) {
    x.resize(2);
    for (auto& each : x)
      fill(each);
  }

  template <class T>
  requires std::is_class_v<T>
  void fill(T& x) {
    inspect(*this, x);
  }

  std::size_t listed = 0;

private:
  std::int64_t count_ = 0;
};

/// Whatever a member may be made from.
struct anything {
  template <class T>
  operator T() const; // NOLINT: only ever asked for, never called.
};

template <class T, std::size_t... I>
constexpr bool has_members(std::index_sequence<I...>) {
  return requires {
    T{(static_cast<void>(I), anything{})...};
  };
}

/// How many members an aggregate has.
template <class T, std::size_t N = 0>
constexpr std::size_t member_count() {
  if constexpr (has_members<T>(std::make_index_sequence<N + 1>{}))
    return member_count<T, N + 1>();
  else
    return N;
}

template <class Block, class Check>
void for_each_type_of(Check check) {
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (check
       .template operator()<typename caf::type_by_id<Block::begin + I>::type>(),
     ...);
  }
  (std::make_index_sequence<Block::end - Block::begin>{});
}

template <class Check>
void for_each_type(Check check) {
  for_each_type_of<caf::id_block::troupe_wire>(check);
  for_each_type_of<caf::id_block::troupe_cluster>(check);
}

template <class T>
std::string name_of() {
  return caf::type_name_by_id<caf::type_id<T>::value>::value;
}

} // namespace

TEST_CASE_METHOD(test::deterministic, "every message type survives the wire",
                 "[wire]") {
  for_each_type([this]<class T>() {
    INFO(name_of<T>());
    T sent{};
    filler{}.fill(sent);
    std::vector<char> bytes;
    caf::binary_serializer sink{system, bytes};
    CHECK(sink(sent) == caf::none);
    T received{};
    caf::binary_deserializer source{system, bytes};
    CHECK(source(received) == caf::none);
    CHECK(sent == received);
  });
}

TEST_CASE("every member of every message travels", "[wire]") {
  for_each_type([]<class T>() {
    if constexpr (std::is_class_v<T>) {
      INFO(name_of<T>());
      T x{};
      filler f;
      inspect(f, x);
      CHECK(f.listed == member_count<T>());
    }
  });
}

TEST_CASE_METHOD(test::deterministic, "a failure survives as a CAF error",
                 "[wire]") {
  const failure why{fault::paused, 11, "exec web-1: it is paused"};
  CHECK(from_caf(to_caf(why)) == why);
  CHECK(system.render(to_caf(why)) == why.what);
  CHECK(to_caf(why) == fault::paused);
  CHECK(from_caf(caf::sec::request_timeout).code == fault::timed_out);
  CHECK(from_caf(caf::sec::request_receiver_down).code == fault::destroyed);
}

} // namespace troupe::wire_test
