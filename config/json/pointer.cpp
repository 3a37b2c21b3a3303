#include "config/json/pointer.hpp"

namespace troupe::json {

pointer pointer::operator/(std::string_view name) const {
  pointer out{*this};
  out.text_ += '/';
  for (const char c : name) {
    if (c == '~')
      out.text_ += "~0";
    else if (c == '/')
      out.text_ += "~1";
    else
      out.text_ += c;
  }
  return out;
}

pointer pointer::operator/(std::size_t index) const {
  return *this / std::string_view{std::to_string(index)};
}

} // namespace troupe::json
