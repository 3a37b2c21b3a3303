#include "config/oci/fields.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

// docs/oci.md promises something of every property of the runtime-spec. The
// tables that the parser works from say which properties there are.

namespace troupe::oci_document_test {

namespace {

/// Walks the tables of config/oci/fields.hpp and notes every place in the
/// document, `*` for an index or a key.
class lister {
public:
  lister(std::string at, std::set<std::string>& to)
    : at_(std::move(at)), to_(to) {
  }

  template <class T>
  void required(std::string_view name, T& x) {
    visit(at_ + '/' + std::string{name}, x);
  }

  template <class T>
  void optional(std::string_view name, T& x) {
    required(name, x);
  }

  template <class T>
  void keyed(std::string_view name, std::vector<T>& x, std::string T::*) {
    required(name, x);
  }

  template <class T>
  void nested(std::string_view name, std::string_view member, T& x) {
    lister{at_ + '/' + std::string{name}, to_}.required(member, x);
  }

private:
  template <json::described T>
  void visit(const std::string& place, T& x) {
    lister inner{place, to_};
    fields(inner, x);
  }

  template <class T>
  void visit(const std::string& place, std::optional<T>&) {
    T one{};
    visit(place, one);
  }

  template <class T>
  void visit(const std::string& place, std::vector<T>&) {
    T one{};
    visit(json::described<T> ? place + "/*" : place, one);
  }

  template <class T>
  void visit(const std::string& place, std::map<std::string, T>&) {
    T one{};
    visit(place + "/*", one);
  }

  template <class T>
  void visit(const std::string& place, T&) {
    to_.insert(place);
  }

  std::string at_;
  std::set<std::string>& to_;
};

std::set<std::string> properties_of_the_spec() {
  std::set<std::string> out;
  auto spec = oci::spec{};
  lister all{"", out};
  fields(all, spec);
  return out;
}

std::string text_of(const std::filesystem::path& path) {
  std::ostringstream out;
  out << std::ifstream{path}.rdbuf();
  return out.str();
}

struct row {
  std::vector<std::string> cells;
};

std::string trimmed(std::string x) {
  const auto first = x.find_first_not_of(" `");
  const auto last = x.find_last_not_of(" `");
  return first == std::string::npos ? "" : x.substr(first, last - first + 1);
}

/// The rows whose first cell is a JSON pointer.
std::map<std::string, row> rows_of_the_page() {
  std::map<std::string, row> out;
  std::istringstream in{text_of(TROUPE_SOURCE_DIR "/docs/oci.md")};
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("| `/"))
      continue;
    row x;
    std::istringstream cells{line.substr(1)};
    for (std::string cell; std::getline(cells, cell, '|');)
      x.cells.push_back(trimmed(cell));
    CHECK(out.try_emplace(x.cells.front(), x).second);
  }
  return out;
}

/// `ioPriority` as the structs spell it.
std::string snake_case(const std::string& name) {
  std::string out;
  for (const auto c : name) {
    if (std::isupper(static_cast<unsigned char>(c)) != 0 && !out.empty()
        && out.back() != '_')
      out += '_';
    out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

/// A row is about one property, or, ending in this, about all below a place.
constexpr std::string_view whole = "/…";

bool covers(const std::string& row, const std::string& pointer) {
  if (!row.ends_with(whole))
    return row == pointer;
  return pointer.starts_with(row.substr(0, row.size() - whole.size()) + '/');
}

/// The name that a test of the property must at least mention.
std::string name_in(std::string pointer) {
  if (pointer.ends_with(whole))
    pointer.resize(pointer.size() - whole.size());
  if (pointer.ends_with("/*"))
    pointer.resize(pointer.size() - 2);
  return pointer.substr(pointer.rfind('/') + 1);
}

} // namespace

TEST_CASE("docs/oci.md has a row for every property of the spec", "[oci]") {
  const auto rows = rows_of_the_page();
  const auto properties = properties_of_the_spec();
  std::set<std::string> used;
  for (const auto& pointer : properties) {
    INFO(pointer << " has no row");
    const auto found = std::ranges::find_if(
      rows, [&](const auto& x) { return covers(x.first, pointer); });
    REQUIRE(found != rows.end());
    used.insert(found->first);
  }
  for (const auto& [pointer, ignored] : rows) {
    INFO(pointer << " is no property of the spec");
    CHECK(used.contains(pointer));
  }
}

TEST_CASE("docs/oci.md names, for every property, a test that mentions it",
          "[oci]") {
  for (const auto& [pointer, x] : rows_of_the_page()) {
    INFO(pointer);
    REQUIRE(x.cells.size() >= 4);
    const auto& supported = x.cells[1];
    CHECK((supported == "yes" || supported == "refused"
           || supported == "as the host has it" || supported == "kept"));
    auto mentioned = false;
    std::istringstream files{x.cells[3]};
    for (std::string file; files >> file;) {
      const auto path = std::filesystem::path{TROUPE_SOURCE_DIR "/tests"}
                        / trimmed(file);
      INFO(path << " is missing");
      CHECK(std::filesystem::exists(path));
      const auto text = text_of(path);
      const auto name = name_in(pointer);
      mentioned |= text.find(name) != std::string::npos
                   || text.find(snake_case(name)) != std::string::npos;
    }
    INFO(x.cells[3] << " mentions it nowhere");
    CHECK(mentioned);
  }
}

} // namespace troupe::oci_document_test
