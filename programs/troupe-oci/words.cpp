#include "programs/troupe-oci/words.hpp"

namespace troupe::oci_cli {

namespace {

/// The option that `word` names, or null. `-no-subreaper` names a long one,
/// `-it` does not.
const CLI::Option* option_of(const CLI::App& app, std::string word) {
  word = word.substr(0, word.find('='));
  if (word.starts_with("--"))
    return app.get_option_no_throw(word);
  const auto* with_two = word.size() > 2 ? app.get_option_no_throw('-' + word)
                                         : nullptr;
  return with_two ? with_two : app.get_option_no_throw(word);
}

bool is_long_with_one_dash(const CLI::App& app, const std::string& word) {
  return word.size() > 2 && word[1] != '-'
         && app.get_option_no_throw('-' + word.substr(0, word.find('=')));
}

/// Takes the options of `app` from `words` at `next` on, up to what is none.
void take_options(const CLI::App& app, const std::vector<std::string>& words,
                  std::size_t& next, std::vector<std::string>& out) {
  while (next < words.size() && words[next].size() > 1 && words[next][0] == '-'
         && words[next] != "--") {
    const auto& word = words[next++];
    const auto* option = option_of(app, word);
    out.push_back(is_long_with_one_dash(app, word) ? '-' + word : word);
    const auto wants_value = option != nullptr && option->get_expected_min() > 0
                             && word.find('=') == std::string::npos;
    if (!wants_value || next == words.size())
      continue;
    // A value that looks like an option: `--memory-swap -1`.
    if (out.back().starts_with("--") && words[next].starts_with('-'))
      out.back() += '=' + words[next++];
    else
      out.push_back(words[next++]);
  }
}

const CLI::App* find_command(const CLI::App& app, const std::string& name) {
  for (const auto* each : app.get_subcommands({}))
    if (each->get_name() == name)
      return each;
  return nullptr;
}

bool ends_in_foreign_words(const CLI::App& command) {
  return command.get_name() == "exec" || command.get_name() == "ps";
}

} // namespace

command_line prepare(const CLI::App& app,
                     const std::vector<std::string>& words) {
  command_line out;
  std::size_t next = 0;
  take_options(app, words, next, out.words);
  if (next == words.size())
    return out;
  out.words.push_back(words[next]);
  const auto* command = find_command(app, words[next++]);
  if (command == nullptr)
    out.unknown = out.words.back();
  while (command != nullptr && next < words.size()) {
    take_options(*command, words, next, out.words);
    if (next == words.size())
      return out;
    out.words.push_back(words[next++]);
    if (ends_in_foreign_words(*command) && out.words.back() != "--")
      break;
  }
  // `exec ID -- CMD` and `exec ID CMD` are the same.
  if (command != nullptr && next < words.size() && words[next] == "--")
    ++next;
  out.rest.assign(words.begin() + static_cast<std::ptrdiff_t>(next),
                  words.end());
  return out;
}

} // namespace troupe::oci_cli
