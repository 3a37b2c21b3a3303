# What troupe needs of Debian 12, sourced by ./quickstart and ./check.

build_packages=(
  g++ cmake ninja-build pkg-config
  libcaf-dev nlohmann-json3-dev libcap-dev libspdlog-dev libfmt-dev catch2
  libseccomp-dev libsqlite3-dev libboost-dev libcli11-dev libexpected-dev
)
run_packages=(busybox-static curl jq procps)
check_packages=(clang clang-format-14 clang-tidy-14 libclang-rt-14-dev git
  runc crun) # their bundles, and how they compare
