#include "runtime/shim/protocol/frames.hpp"

#include <catch2/catch.hpp>

namespace troupe::frames_test {

TEST_CASE("a frame's header has its stream and its length, big endian",
          "[shim]") {
  constexpr auto header = shim::make_header(shim::frame_stream::err,
                                            0x01020304);

  CHECK(header == shim::frame_header{2, 0, 0, 0, 1, 2, 3, 4});
}

TEST_CASE("a frame's length survives its header", "[shim]") {
  const auto length = GENERATE(0U, 1U, 255U, 256U, 65'536U, shim::max_frame,
                               0xffffffffU);

  CHECK(shim::length_of(shim::make_header(shim::frame_stream::in, length))
        == length);
}

} // namespace troupe::frames_test
