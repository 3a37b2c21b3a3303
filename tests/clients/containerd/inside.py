"""What a process under containerd finds: its defaults, --privileged, namespaces."""
from harness.scenario import scenario
from containerd.client import IMAGE
from podman.inside import MOUNTS, NAMESPACES, PRIVILEGES, host_namespaces


@scenario("containerd")
def default_mounts(ctr):
    """The mount table, /dev, masked and read-only paths."""
    ctr("run", "--rm", IMAGE, "box", "sh", "-c", "sort -k 5,5 -s /proc/self/mountinfo", mask=[*MOUNTS, (r"snapshots/\d+", "snapshots/<n>")]).expect(has=" /proc/timer_list ")
    ctr("run", "--rm", IMAGE, "box", "sh", "-c", "cd /dev; stat -c '%n %a %u:%g %F %t,%T' *").expect(has="null 666")


@scenario("containerd")
def default_privileges(ctr):
    """Capabilities, limits, environment, descriptors, process tree."""
    ctr("run", "--rm", IMAGE, "box", "sh", "-c", PRIVILEGES).expect(has="CapEff:\t00000000a80425fb").expect(has="NoNewPrivs:\t1")
    ctr("run", "--rm", IMAGE, "box", "sh", "-c", "env | sort; cat /proc/self/limits; umask; hostname; ps -o ppid,pgid,sid,comm; cat /proc/self/uid_map").expect(has="FROM_IMAGE")
    ctr("run", "--rm", IMAGE, "box", "ls", "/proc/self/fd").expect(stdout="0\n1\n2\n3\n")  # 3 is ls's own
    ctr("run", "--rm", "--seccomp", IMAGE, "box", "grep", "Seccomp:", "/proc/self/status").expect(has="\t2")


@scenario("containerd")
def privileged(ctr):
    """--privileged: every capability, devices, writable /sys."""
    ctr("run", "--rm", "--privileged", IMAGE, "box", "sh", "-c", PRIVILEGES).expect(has="Seccomp:\t0")
    ctr("run", "--rm", "--privileged", IMAGE, "box", "sh", "-c", "sort -k 5,5 -s /proc/self/mountinfo", mask=[*MOUNTS, (r"snapshots/\d+", "snapshots/<n>")]).expect(has=" /sys rw")
    ctr("run", "--rm", "--privileged", IMAGE, "box", "sh", "-c", "mkdir /tmp/m && mount -t tmpfs none /tmp/m && echo mounted").expect(stdout="mounted\n")


@scenario("containerd")
def namespaces(ctr):
    """--net-host, --with-ns join; the others are new."""
    for options, shared in ((["--net-host"], {"net", "time", "user"}), (["--with-ns", "pid:/proc/1/ns/pid", "--with-ns", "ipc:/proc/1/ns/ipc"], {"pid", "ipc", "time", "user"})):
        step = ctr("run", "--rm", *options, IMAGE, "box", "sh", "-c", NAMESPACES, mask=[(r"\[\d+\]", "[<n>]")]).expect(has="mnt:")
        found = host_namespaces(ctr, step) - {"cgroup"}
        ctr.require(found == shared, f"{options}: shares {sorted(found)} with the host, expected {sorted(shared)}")


@scenario("containerd")
def userns(ctr):
    """--uidmap, --gidmap: a user namespace with these mappings."""
    ctr("run", "--rm", "--uidmap", "0:100000:5000", "--gidmap", "0:100000:5000", IMAGE, "box", "sh", "-c", "cat /proc/self/uid_map; id -u; stat -c %u /etc").expect(has=r"^ +0 +100000 +5000$")
