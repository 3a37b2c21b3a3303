"""What a container's process finds: namespaces, mounts, devices, privileges."""
from harness.scenario import scenario
from podman.client import IMAGE

HERMIT = ("--network", "none", "--rm")
# Mount ids, device numbers and peer groups are the kernel's to choose.
MOUNTS = [(r"^\d+ \d+ \d+:\d+ ", ""), (r"(shared|master):\d+", r"\1:<n>"), (r"/overlay/(l/)?\w+", "/overlay/<layer>"), (r"l/[A-Z0-9]{26}", "l/<layer>")]
PRIVILEGES = "grep -E 'Cap|Seccomp:|NoNewPrivs|Groups|^Uid|^Gid' /proc/self/status; cat /proc/self/oom_score_adj"
NAMESPACES = "for n in cgroup ipc mnt net pid time user uts; do readlink /proc/self/ns/$n; done"


def host_namespaces(podman, step):
    """Which of the printed namespaces are those of the harness."""
    import os
    kinds = [line.split(":")[0] for line in step.stdout.splitlines()]
    return {kind for kind, line in zip(kinds, step.stdout.splitlines()) if os.readlink(f"/proc/self/ns/{kind}") == line}


def expect_shared(podman, shared, *options):
    step = podman("run", "--rm", *options, IMAGE, "sh", "-c", NAMESPACES, mask=[(r"\[\d+\]", "[<n>]")]).expect(has="mnt:")
    found = host_namespaces(podman, step)
    podman.require(found == set(shared), f"{' '.join(options)}: shares {sorted(found)} with the host, expected {sorted(shared)}")


@scenario("podman")
def default_mounts(podman):
    """The whole mount table, with every option."""
    podman("run", *HERMIT, IMAGE, "sh", "-c", "sort -k 5,5 -s /proc/self/mountinfo", mask=MOUNTS).expect(has=" / / ").expect(has=" /proc/timer_list ")
    podman("run", *HERMIT, "--read-only", IMAGE, "sh", "-c", "sort -k 5,5 -s /proc/self/mountinfo", mask=MOUNTS).expect(has=" / / ro")
    podman("run", *HERMIT, "--systemd=always", IMAGE, "sh", "-c", "sort -k 5,5 -s /proc/self/mountinfo", mask=MOUNTS).expect(has=" /run ")


@scenario("podman")
def default_files(podman):
    """/dev, /proc's masked and read-only paths, /sys."""
    podman("run", *HERMIT, IMAGE, "sh", "-c", "cd /dev; ls -ln . mqueue shm; stat -c '%n %a %u:%g %F %t,%T' *", mask=[(r"\w{3} +\d+ +\d\d:\d\d", "<date>"), (r" \d+ \d+ <date>", " <date>")]).expect(has="null 666")
    podman("run", *HERMIT, IMAGE, "sh", "-c", "for f in /proc/timer_list /proc/keys /proc/timer_list; do wc -c $f; done; ls /proc/acpi /sys/firmware; for f in /proc/sys/kernel/hostname /proc/sysrq-trigger /sys/x; do (: >$f); done")\
        .expect(1, error="Read-only file system")


@scenario("podman")
def default_privileges(podman):
    """Capabilities, seccomp, groups, limits, environment, oom score, process tree."""
    podman("run", *HERMIT, IMAGE, "sh", "-c", PRIVILEGES).expect(has="CapBnd:\t00000000a80425fb").expect(has="Seccomp:\t2")
    podman("run", *HERMIT, "-u", "ann", IMAGE, "sh", "-c", PRIVILEGES).expect(has="CapEff:\t0000000000000000")
    podman("run", *HERMIT, "--hostname", "box", IMAGE, "sh", "-c", "env | sort; cat /proc/self/limits; umask; cat /proc/1/cmdline | tr '\\0' ' '; cat /proc/self/sessionid /proc/self/loginuid; ps -o ppid,pgid,sid,comm").expect(has="^HOSTNAME=box$")
    podman("run", *HERMIT, IMAGE, "cat", "/proc/self/cgroup", "/proc/self/uid_map", "/proc/self/timerslack_ns", "/proc/self/personality", "/proc/self/timens_offsets").expect(has="libpod-")
    podman("run", *HERMIT, IMAGE, "sh", "-c", "sort /sys/fs/cgroup/devices/devices.list; grep -E 'SigBlk|SigIgn|SigCgt' /proc/1/status").expect(has="SigBlk:\t0000000000000000")


@scenario("podman")
def capabilities(podman):
    """--cap-add, --cap-drop, no-new-privileges, seccomp profiles."""
    podman("run", *HERMIT, "--cap-drop", "all", IMAGE, "sh", "-c", PRIVILEGES).expect(has="CapBnd:\t0000000000000000")
    podman("run", *HERMIT, "--cap-drop", "all", "--cap-add", "net_admin,chown", IMAGE, "sh", "-c", PRIVILEGES).expect(has="CapEff:\t0000000000001001")
    podman("run", *HERMIT, "--cap-add", "net_raw", "-u", "ann", IMAGE, "sh", "-c", PRIVILEGES).expect(has="CapAmb:\t0000000000002000|CapAmb:\t0000000000000000")
    podman("run", *HERMIT, "--security-opt", "no-new-privileges", IMAGE, "sh", "-c", PRIVILEGES).expect(has="NoNewPrivs:\t1")
    podman("run", *HERMIT, "--security-opt", "seccomp=unconfined", IMAGE, "sh", "-c", PRIVILEGES).expect(has="Seccomp:\t0")
    profile = f"{podman.client.scratch}/seccomp.json"
    with open(profile, "w", encoding="utf-8") as file:
        file.write('{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":28}]}')
    podman("run", *HERMIT, "--security-opt", f"seccomp={profile}", IMAGE, "mkdir", "/tmp/new").expect(1, error="No space left on device")
    podman("run", *HERMIT, "--security-opt", "mask=/etc/data", "--security-opt", "unmask=/proc/kcore", IMAGE, "sh", "-c", "wc -c /etc/data; grep -c kcore /proc/self/mountinfo").expect(1, has="^0 /etc/data$")


@scenario("podman")
def privileged(podman):
    """--privileged: every capability and device, no seccomp, writable /proc and /sys."""
    podman("run", *HERMIT, "--privileged", IMAGE, "sh", "-c", PRIVILEGES).expect(has="Seccomp:\t0").expect(has="NoNewPrivs:\t0")
    podman("run", *HERMIT, "--privileged", IMAGE, "sh", "-c", "sort -k 5,5 -s /proc/self/mountinfo; sort /sys/fs/cgroup/devices/devices.list", mask=MOUNTS).expect(has=" /sys rw")
    podman("run", *HERMIT, "--privileged", IMAGE, "sh", "-c", "mkdir /tmp/m && mount -t tmpfs none /tmp/m && echo mounted; cd /dev; ls -ld *", mask=[(r"\w{3} +\d+ +(\d\d:\d\d|\d{4})", "<date>")]).expect(has="^mounted$").expect(has=" kmsg$")


@scenario("podman")
def namespaces_of_the_host(podman):
    """--pid, --ipc, --uts, --network, --cgroupns =host share exactly that one."""
    none = ("--network", "none", "--cgroupns", "private")
    always = {"user", "time"}
    expect_shared(podman, always, *none)
    expect_shared(podman, always | {"pid"}, *none, "--pid=host")
    expect_shared(podman, always | {"ipc"}, *none, "--ipc=host")
    expect_shared(podman, always | {"uts"}, *none, "--uts=host")
    expect_shared(podman, always | {"net"}, "--network=host", "--cgroupns=private")
    expect_shared(podman, always | {"cgroup"}, "--network=none", "--cgroupns=host")
    expect_shared(podman, always | {"pid", "net", "uts", "ipc", "cgroup"}, "--pid=host", "--network=host", "--uts=host", "--ipc=host", "--cgroupns=host")


@scenario("podman")
def pid_host(podman):
    """--pid=host: sees the host's PID 1; rm -f ends all of the container's processes."""
    podman("run", *HERMIT, "--pid=host", IMAGE, "cat", "/proc/1/comm").expect(stdout="catatonit\n")
    podman("run", "-d", "--name", "open", "--network", "none", "--pid=host", IMAGE, "sh", "-c", "setsid sleep 1000 & sleep 1000 & wait").expect()
    podman("exec", "open", "true").expect()
    podman("kill", "open").expect()
    podman("rm", "-f", "-t", "0", "open").expect(stdout="open\n")


@scenario("podman")
def namespaces_of_a_container(podman):
    """--network, --pid, --ipc container:NAME join those of another."""
    podman.hidden("run", "-d", "--name", "first", "--network", "none", "--ipc", "shareable", "--hostname", "first", IMAGE, "sleep", "100")
    join = ("--network=container:first", "--pid=container:first", "--ipc=container:first")
    podman("run", "--rm", "--name", "second", *join, IMAGE, "sh", "-c", "cat /proc/1/cmdline | tr '\\0' ' '; hostname").expect(has="^sleep 100 ")
    namespaces = "for n in ipc net pid mnt; do readlink /proc/self/ns/$n; done"
    one = podman.hidden("exec", "first", "sh", "-c", namespaces).stdout.split()
    two = podman.hidden("run", "--rm", *join, IMAGE, "sh", "-c", namespaces).stdout.split()
    podman.require(one[:3] == two[:3] and one[3] != two[3], f"joined {two}, expected the first three of {one}")
    podman("rm", "-f", "-t", "0", "first").expect()


@scenario("podman")
def userns(podman):
    """--userns: auto, host, mappings, keep-id as root; ownership seen and made."""
    look = "cat /proc/self/uid_map /proc/self/gid_map; id; stat -c '%n %u:%g' / /etc /proc /proc/1 /dev/null /dev/pts /sys; touch /tmp/made; stat -c %u /tmp/made"
    podman("run", *HERMIT, "--userns=auto", IMAGE, "sh", "-c", look).expect(has=r"^ +0 +2147483647 +\d+$")
    podman("run", *HERMIT, "--userns=auto:size=4000", IMAGE, "sh", "-c", look).expect(has=r" 4000$")
    podman("run", *HERMIT, "--uidmap", "0:100000:5000", "--gidmap", "0:200000:6000", IMAGE, "sh", "-c", look).expect(has=r"^ +0 +100000 +5000$")
    podman("run", *HERMIT, "--uidmap", "0:100000:5000", "--gidmap", "0:200000:6000", "-u", "ann", "--cap-add", "chown", IMAGE, "sh", "-c", PRIVILEGES).expect(has="^Uid:\t1000")
    podman("run", *HERMIT, "--uidmap", "0:100000:5000", "--gidmap", "0:200000:6000", IMAGE, "sort", "-k", "5,5", "-s", "/proc/self/mountinfo", mask=MOUNTS).expect(has=" /proc ")
    podman("run", *HERMIT, "--userns=host", IMAGE, "cat", "/proc/self/uid_map").expect(has="4294967295$")
    podman("run", *HERMIT, "--userns=keep-id", IMAGE, "true").expect(125)
    podman("run", "-d", "--name", "mapped", "--network", "none", "--uidmap", "0:100000:5000", "--gidmap", "0:200000:6000", IMAGE, "sleep", "100").expect()
    podman("exec", "mapped", "sh", "-c", "id; cat /proc/self/uid_map").expect(has=r"^ +0 +100000 +5000$")
    podman("exec", "-u", "ann", "mapped", "id", "-u").expect(stdout="1000\n")
    podman("stop", "-t", "0", "mapped").expect()
    # With mapped ids podman 4.3 sometimes cannot unmount the container's shm, with any runtime; it does in the end.
    podman.eventually("rm", "-f", "mapped")


@scenario("podman")
def network(podman):
    """A bridge, addresses, two containers that talk; host and none."""
    podman("run", *HERMIT, IMAGE, "sh", "-c", "ip -o link | cut -d: -f2").expect(stdout=" lo\n")
    podman("run", "--rm", "--network", "host", IMAGE, "sh", "-c", "ip -o addr show lo | head -1").expect(has="127.0.0.1")
    podman.hidden("run", "-d", "--name", "server", IMAGE, "sh", "-c", "nc -l -p 80 -e echo served; sleep 100")
    address = podman.hidden("inspect", "--format", "{{.NetworkSettings.IPAddress}}", "server").stdout.strip()
    podman("exec", "server", "sh", "-c", "until netstat -ltn | grep -q :80; do usleep 20000; done").expect()
    podman("run", "--rm", IMAGE, "nc", address, "80", mask=[(r"10\.88\.\d+\.\d+", "<address>")]).expect(stdout="served\n")
    podman("rm", "-f", "-t", "0", "server").expect()
