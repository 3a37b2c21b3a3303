#include "runtime/shim/successor.hpp"

#include "runtime/linux/memfd.hpp"
#include "runtime/linux/seqpacket.hpp"
#include "runtime/shim/protocol/start.hpp"

#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

namespace troupe::shim {

namespace {

/// A rehearsal takes milliseconds; a program that is no shim may never end.
constexpr std::chrono::seconds patience{10};

} // namespace

successor::successor(const surroundings& in, sys::unique_fd program,
                     orders words, std::function<void(outcome)> done)
  : program_(std::move(program)),
    orders_(std::move(words)),
    done_(std::move(done)),
    rehearsal_(in, {[this](int line) { return read(line); },
                    [this](const std::string& how) { finish(how); }}) {
}

result<std::unique_ptr<successor>>
successor::rehearse(const surroundings& in, sys::unique_fd program,
                    orders words, saver all,
                    std::function<void(outcome)> done) {
  TROUPE_CHECK(sys::check_sealed(program.get()));
  std::unique_ptr<successor> out{
    new successor{in, std::move(program), std::move(words), std::move(done)}};
  TROUPE_CHECK(out->open(in.loop, std::move(all)));
  return out;
}

outcome successor::open(loop& in, saver all) {
  TROUPE_CHECK(rehearsal_.run([&](int line) {
    const auto why = become(std::move(all), line);
    const auto& text = why.error().what;
    (void)!::write(line, text.data(), text.size());
    return 1;
  }));
  in.after(patience, [to = std::weak_ptr{self_}] {
    if (const auto self = to.lock())
      (*self)->rehearsal_.kill();
  });
  return {};
}

bool successor::read(int line) {
  auto got = sys::receive_packet(line);
  if (!got || got->closed)
    return !got && got.error().code == fault::exhausted;
  said_.append(got->bytes.begin(), got->bytes.end());
  return true;
}

void successor::finish(const std::string& how_it_ended) {
  if (said_ == ready_word)
    return done_({});
  done_(fail(fault::wrong_state,
             "upgrade: the program cannot take over: "
               + (said_.empty() ? "it ended with " + how_it_ended : said_)));
}

outcome successor::take_over(saver all) const {
  const auto descriptors = all.descriptors();
  auto why = become(std::move(all), -1);
  (void)keep_over_exec(descriptors, false);
  return why;
}

outcome successor::become(saver all, int ready) const {
  const auto rehearsal = ready >= 0;
  auto descriptors = all.descriptors();
  TROUPE_TRY(const auto values,
             sys::sealed_memfd("troupe-handover", std::move(all).take()));
  descriptors.push_back(values.get());
  if (rehearsal)
    descriptors.push_back(ready);
  TROUPE_CHECK(keep_over_exec(descriptors, true));
  std::vector<std::string> words{"troupe-shim",
                                 "--listen",
                                 orders_.path,
                                 "--spare-launchers",
                                 std::to_string(orders_.spare_launchers),
                                 "--protocol",
                                 std::to_string(orders_.protocol),
                                 "--take-over",
                                 std::to_string(values.get())};
  if (rehearsal)
    words.insert(words.end(),
                 {"--rehearse", "--ready-fd", std::to_string(ready)});
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (auto& each : words)
    argv.push_back(each.data());
  argv.push_back(nullptr);
  char* const environment[] = {nullptr};
  ::syscall(SYS_execveat, program_.get(), "", argv.data(), environment,
            AT_EMPTY_PATH);
  return fail_os(errno, "execveat", "troupe-shim");
}

} // namespace troupe::shim
