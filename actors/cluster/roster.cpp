#include "actors/cluster/roster.hpp"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <tuple>
#include <utility>

namespace troupe::cluster {

using msg::node_state;

namespace {

constexpr auto first_pause = std::chrono::milliseconds{500};
constexpr auto longest_pause = std::chrono::seconds{30};
constexpr auto forget_after = std::chrono::hours{24};

constexpr std::uint64_t fnv_offset = 14695981039346656037U;
constexpr std::uint64_t fnv_prime = 1099511628211U;

/// FNV-1a, 64 bits.
std::uint64_t hash(std::string_view text) {
  auto out = fnv_offset;
  for (const unsigned char byte : text)
    out = (out ^ byte) * fnv_prime;
  return out;
}

std::uint64_t digest_of(const msg::member& x) {
  return hash(x.name + '/' + std::to_string(x.incarnation) + '/'
              + std::to_string(x.revision) + (x.left ? "/left" : "")
              + (x.removed ? "/removed" : ""));
}

/// Somebody else may have said that it left, of the revision of its own last
/// word.
bool is_newer(const msg::member& a, const msg::member& than) {
  return std::tie(a.incarnation, a.revision, a.left, a.removed)
         > std::tie(than.incarnation, than.revision, than.left, than.removed);
}

/// Its record, as of now.
msg::member told(const peer& x, moment now) {
  auto out = x.is;
  if (out.left)
    out.left_for = now - x.left;
  return out;
}

} // namespace

void back_off::failed(moment now, std::minstd_rand& chance) {
  pause_ = std::clamp<caf::timespan>(2 * pause_, first_pause, longest_pause);
  std::uniform_int_distribution<std::int64_t> part{pause_.count() / 2,
                                                   pause_.count()};
  next_ = now + caf::timespan{part(chance)};
}

const peer* roster::find(std::string_view name) const {
  const auto found = peers_.find(name);
  return found == peers_.end() ? nullptr : &found->second;
}

peer* roster::find(std::string_view name) {
  return const_cast<peer*>(std::as_const(*this).find(name));
}

peer* roster::find_link(link_id which) {
  const auto found = std::ranges::find_if(
    peers_, [&](const auto& each) { return each.second.link == which; });
  return which == 0 || found == peers_.end() ? nullptr : &found->second;
}

bool roster::merge(const msg::member& x, moment now) {
  if (x.name == me_.name || (x.left && x.left_for >= forget_after))
    return false;
  const auto [at, is_new] = peers_.try_emplace(x.name);
  auto& known = at->second;
  if (!is_new && !is_newer(x, known.is))
    return false;
  const auto starts_again = is_new || known.is.incarnation != x.incarnation;
  known.is = x;
  known.left = now - x.left_for;
  if (starts_again) {
    known.state = node_state::suspect;
    known.since = known.heard = now;
    known.again.succeeded();
  }
  return true;
}

msg::member roster::remove(peer& x, moment now) {
  if (!std::exchange(x.is.left, true))
    x.left = now;
  x.is.removed = true;
  ++x.is.revision;
  return told(x, now);
}

void roster::forget_who_left(moment now) {
  std::erase_if(peers_, [&](const auto& each) {
    const auto& x = each.second;
    return x.is.left && x.link == 0 && x.dialing == 0
           && now - x.left >= forget_after;
  });
}

msg::members roster::all(moment now) const {
  msg::members out{{me_}};
  for (const auto& [name, each] : peers_)
    out.all.push_back(told(each, now));
  return out;
}

std::uint64_t roster::digest() const {
  auto out = digest_of(me_);
  for (const auto& [name, each] : peers_)
    out ^= digest_of(each.is);
  return out;
}

std::optional<std::string> roster::objection(const greeting& by,
                                             moment now) const {
  if (by.name == me_.name)
    return by.incarnation == me_.incarnation
             ? "this is the node itself"
             : "the name " + by.name + " is this node's";
  const auto found = peers_.find(by.name);
  if (found == peers_.end())
    return std::nullopt;
  const auto& known = found->second;
  if (known.link != 0 && !is_silent(known, now))
    return known.is.incarnation == by.incarnation
             ? "there is a link already"
             : "the name " + by.name + " is taken, by the node at "
                 + known.is.address;
  if (known.dialing != 0 && prefers(known, true))
    return "a link is being made already";
  return std::nullopt;
}

bool roster::is_silent(const peer& x, moment now) const {
  return now - x.heard >= std::chrono::milliseconds{from_.suspect_after_ms};
}

bool roster::outdo(const msg::member& x) {
  if (x.name != me_.name || x.incarnation <= me_.incarnation)
    return false;
  me_.incarnation = x.incarnation + 1;
  return true;
}

bool roster::contradict(const msg::member& x) {
  if (x.name != me_.name || x.incarnation != me_.incarnation
      || !is_newer(x, me_))
    return false;
  me_.revision = x.revision + 1;
  return true;
}

node_state roster::state_of(const peer& x, moment now) const {
  if (x.is.left)
    return node_state::left;
  if (now - x.heard >= std::chrono::milliseconds{from_.down_after_ms})
    return node_state::down;
  if (!x.node || is_silent(x, now))
    return x.state == node_state::down ? node_state::down : node_state::suspect;
  return node_state::alive;
}

void roster::excuse(caf::timespan absence, moment now) {
  // What has waited meanwhile may have been heard before this is noticed.
  for (auto& [name, each] : peers_)
    each.heard = std::min(each.heard + absence, now);
}

const msg::member& roster::drain(bool begins) {
  me_.draining = begins;
  ++me_.revision;
  return me_;
}

const msg::member& roster::leave() {
  me_.left = true;
  ++me_.revision;
  return me_;
}

} // namespace troupe::cluster
