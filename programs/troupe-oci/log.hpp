#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace troupe::oci_cli {

/// What is said beside a command's own output, as logrus says it for runc:
/// podman and containerd read it.
///
/// Warnings are kept until the end: podman parses the whole log file of a
/// failed command as exactly one object, its error.
class log {
public:
  /// `path` "": stderr.
  void open(std::string path, bool json) {
    path_ = std::move(path);
    json_ = json;
  }

  /// Whether records can be written.
  [[nodiscard]] bool is_usable() const;

  void warn(const std::string& message) {
    warnings_.push_back(message);
  }

  void debug(const std::string& message) const {
    write("debug", message);
  }

  /// Writes the warnings that nobody has to act on.
  void finish() const;

  /// Writes why the command failed; on stderr too, in plain words, if the log
  /// is a file.
  void fail(const std::string& message) const;

private:
  void write(std::string_view level, const std::string& message) const;

  std::string path_;
  bool json_ = false;
  std::vector<std::string> warnings_;
};

/// One record, with its newline.
[[nodiscard]] std::string record(std::string_view level,
                                 const std::string& message,
                                 std::string_view time, bool json);

} // namespace troupe::oci_cli
