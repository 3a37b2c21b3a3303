# What troupe needs of Debian 12, sourced by ./quickstart and ./check.

build_packages=(
  g++ cmake ninja-build pkg-config
  libcaf-dev nlohmann-json3-dev libcap-dev libspdlog-dev libfmt-dev catch2
  libseccomp-dev libnl-route-3-dev libsqlite3-dev libboost-dev libcli11-dev libexpected-dev libssl-dev
  libsystemd-dev # troupe-scope: scopes for --systemd-cgroup
)
run_packages=(busybox-static curl jq procps)
check_packages=(uidmap clang-format-14 git
  runc crun # their bundles, and how they compare
  strace # what a start costs in system calls
  tmux)  # what a person sees
clang_packages=(clang libclang-rt-14-dev clang-tidy-14) # ./check asan, tidy
# tests/conformance: Go, what the OCI validation programs import, and a runtime
# to compare with.
conformance_packages=(
  golang-go golang-github-opencontainers-runtime-tools-dev golang-github-google-uuid-dev
  runc dpkg-dev xz-utils python3
)
# tests/vm: the machine; the guest's kernel is unpacked, not installed.
vm_packages=(qemu-system-x86 busybox-static xz-utils)
# bench/run: the peers, and what draws the plots.
bench_packages=(runc crun podman conmon containerd busybox-static gnuplot-nox)
# tests/clients: the clients, the makers of bundles, the runtime to compare with,
# and what they run.
client_packages=(podman conmon containerd runc catatonit containernetworking-plugins iptables uidmap
  crun umoci busybox-static python3)
# tests/fault: what drives it.
fault_packages=(python3)
# tests/cluster: networks of namespaces, and who asks over HTTPS.
cluster_packages=(python3 iproute2 curl socat bsdutils)
