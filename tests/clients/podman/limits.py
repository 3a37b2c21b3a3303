"""podman run with limits: memory, cpu, processes, ulimits, sysctl."""
from harness.scenario import scenario
from podman.client import IMAGE

HERMIT = ("--network", "none", "--rm")


def knob(*names):
    """Prints those of the files that this machine's cgroup version has."""
    return f"cd /sys/fs/cgroup; for f in {' '.join(names)}; do [ -e $f ] && echo $f $(cat $f); done; true"


@scenario("podman")
def memory(podman):
    """--memory, --memory-reservation, --memory-swap, --memory-swappiness."""
    podman("run", *HERMIT, "--memory", "64m", "--memory-reservation", "32m", IMAGE, "sh", "-c",
           knob("memory/memory.limit_in_bytes", "memory/memory.soft_limit_in_bytes", "memory/memory.memsw.limit_in_bytes", "memory.max", "memory.low"))\
        .expect(has=r"(limit_in_bytes|memory.max) 67108864$")
    podman("run", *HERMIT, "--memory", "64m", "--memory-swappiness", "7", IMAGE, "sh", "-c", knob("memory/memory.swappiness"))
    podman("run", *HERMIT, "--memory", "1k", IMAGE, "true")


@scenario("podman")
def out_of_memory(podman):
    """A container over its limit is killed, not the machine."""
    podman("run", "--name", "hungry", "--network", "none", "--memory", "16m", IMAGE, "sh", "-c", "exec tail /dev/zero").expect(137)
    # .State.OOMKilled depends on whether conmon saw the event before the exit.
    podman("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", "hungry").expect(stdout="exited 137\n")
    podman("rm", "hungry").expect()


@scenario("podman")
def cpu(podman):
    """--cpus, --cpu-shares, --cpuset-cpus, --cpu-period and quota."""
    knobs = knob("cpu/cpu.shares", "cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us", "cpuset/cpuset.cpus", "cpuset/cpuset.mems", "cpu.weight", "cpu.max", "cpuset.cpus")
    podman("run", *HERMIT, "--cpus", "0.5", "--cpu-shares", "512", "--cpuset-cpus", "0", IMAGE, "sh", "-c", knobs).expect(has="50000").expect(has="cpuset.cpus 0$")
    podman("run", *HERMIT, "--cpu-period", "50000", "--cpu-quota", "20000", "--cpuset-mems", "0", IMAGE, "sh", "-c", knobs).expect(has="20000")
    podman("run", *HERMIT, "--cpuset-cpus", "0", IMAGE, "grep", "Cpus_allowed_list", "/proc/self/status").expect(has="\t0$")


@scenario("podman")
def pids(podman):
    """--pids-limit: one fork too many fails."""
    podman("run", *HERMIT, "--pids-limit", "20", IMAGE, "sh", "-c", knob("pids/pids.max", "pids.max")).expect(has=" 20$")
    podman("run", *HERMIT, "--pids-limit", "4", IMAGE, "sh", "-c", "for i in 1 2 3 4 5 6; do sleep 1 & done; wait").expect(2, error="can't fork")


@scenario("podman")
def process_limits(podman):
    """--ulimit, --oom-score-adj, --shm-size, --sysctl."""
    podman("run", *HERMIT, "--ulimit", "nofile=100:200", "--ulimit", "nproc=1000:2000", "--ulimit", "core=0", IMAGE, "sh", "-c",
           "ulimit -Sn; ulimit -Hn; ulimit -c; grep processes /proc/self/limits").expect(has="^100\n200\n0\nMax processes +1000 +2000")
    podman("run", *HERMIT, "--oom-score-adj", "500", IMAGE, "cat", "/proc/self/oom_score_adj").expect(stdout="500\n")
    podman("run", *HERMIT, "--shm-size", "1m", IMAGE, "sh", "-c", "df -k /dev/shm | tail -1", mask=[(" +", " ")]).expect(has="1024 ")
    podman("run", *HERMIT, "--sysctl", "net.ipv4.ip_default_ttl=77", "--sysctl", "kernel.msgmax=9000", IMAGE, "sh", "-c", "cat /proc/sys/net/ipv4/ip_default_ttl /proc/sys/kernel/msgmax").expect(stdout="77\n9000\n")
    podman("run", *HERMIT, "--sysctl", "net.ipv4.not_there=1", IMAGE, "true")


@scenario("podman")
def raised_limit(podman):
    """A ulimit above the hard limit is refused where the host may not raise it."""
    podman("run", *HERMIT, "--ulimit", "nofile=1000000000:1000000000", IMAGE, "true")


@scenario("podman")
def cgroups(podman):
    """--cgroup-parent, --cgroupns, --cgroups=disabled."""
    podman("run", *HERMIT, "--cgroup-parent", "/libpod_parent/mine", IMAGE, "cat", "/proc/self/cgroup").expect(has="/libpod_parent/mine/libpod-")
    podman("run", *HERMIT, "--cgroupns", "private", IMAGE, "cat", "/proc/self/cgroup").expect(has="pids:/$|0::/$")
    podman("run", *HERMIT, "--cgroups", "disabled", IMAGE, "true")


@scenario("podman")
def devices(podman):
    """--device gives a node and the right to it; --device-cgroup-rule the right alone."""
    podman("run", *HERMIT, "--device", "/dev/kmsg:/dev/log:r", IMAGE, "sh", "-c", "stat -c '%n %t,%T %F' /dev/log; grep -E 'c 1:11|a ' /sys/fs/cgroup/devices/devices.list").expect(has="/dev/log 1,b character")
    podman("run", *HERMIT, "--device-cgroup-rule", "c 77:* rwm", IMAGE, "grep", "77", "/sys/fs/cgroup/devices/devices.list").expect(has="c 77:")
    podman("run", *HERMIT, "--device", "/dev/absent", IMAGE, "true").expect(125)
