#include "bench/floor/writer.hpp"

#include <cerrno>
#include <fstream>
#include <iterator>
#include <sys/stat.h>

namespace troupe::floor {

namespace {

bool is_v2(const plan::cgroup_dir& dir) {
  return dir.controller.empty();
}

bool is_cpuset(const plan::cgroup_dir& dir) {
  return dir.controller == "cpuset";
}

std::string text_of(const std::string& path) {
  std::ifstream in{path};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// Parents are there before the first start, as a supervisor's would be; a v1
/// cpuset hands nothing down by itself.
outcome make_parents(const plan::cgroup_dir& dir) {
  for (auto end = dir.path.find('/', 1); end != std::string::npos;
       end = dir.path.find('/', end + 1)) {
    const auto path = dir.mount + dir.path.substr(0, end);
    if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST)
      return fail_os(errno, "mkdir", path);
    if (!is_cpuset(dir))
      continue;
    for (const auto* name : {"/cpuset.cpus", "/cpuset.mems"}) {
      const auto above = path.substr(0, path.rfind('/')) + name;
      if (!(std::ofstream{path + name} << text_of(above) << std::flush))
        return fail_os(errno, "write", path + name);
    }
  }
  return {};
}

} // namespace

void writer::write(std::vector<call>& to, const char* file, const char* text) {
  to.push_back({.what = op::open_file, .a = file});
  to.push_back({.what = op::write_file, .a = text});
  to.push_back({.what = op::close_file});
}

/// Rules of one file after the other go through one descriptor.
outcome writer::limits() {
  const auto& in = plan_.cgroup;
  std::string opened;
  for (const auto& x : in.writes) {
    if (x.dir >= in.dirs.size() || x.file.find('|') != std::string::npos)
      return fail(fault::unsupported,
                  "the floor does not know the limit " + x.file);
    const auto file = own(in.dirs[x.dir]) + "/" + x.file;
    if (file != opened) {
      if (!opened.empty())
        out_.before.push_back({.what = op::close_file});
      out_.before.push_back({.what = op::open_file, .a = keep(file)});
      opened = file;
    }
    out_.before.push_back({.what = op::write_file, .a = keep(x.value)});
  }
  if (!opened.empty())
    out_.before.push_back({.what = op::close_file});
  return {};
}

outcome writer::cgroups() {
  for (const auto& dir : plan_.cgroup.dirs) {
    TROUPE_CHECK(make_parents(dir));
    const auto* path = keep(own(dir));
    out_.before.push_back({.what = op::make_directory, .a = path, .n = 0755});
    if (is_cpuset(dir))
      for (const auto* name : {"/cpuset.cpus", "/cpuset.mems"}) {
        const auto parent = dir.mount + dir.path;
        auto value = text_of(parent.substr(0, parent.rfind('/')) + name);
        write(out_.before, keep(path + std::string{name}),
              keep(std::move(value)));
      }
    if (is_v2(dir))
      out_.v2_cgroup = path;
    else
      write(out_.inside, keep(path + std::string{"/tasks"}), "0");
    out_.after.push_back({.what = op::remove_directory, .a = path});
  }
  return limits();
}

} // namespace troupe::floor
