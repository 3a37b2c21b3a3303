"""What a scenario must not leave: processes, mounts, cgroups, network
namespaces and devices, files in the places where clients and runtimes keep
their state. Inside our namespaces all of these are ours (isolation.py)."""
import os
import re
import select
import signal
import socket
import subprocess
import time

from harness.isolation import COPIED, EMPTY, KEPT_CGROUP, cgroup_mounts, write

PATIENCE = 15  # seconds until clean-up in the background (conmon's, the shim's) must be over

# Kept on purpose for the next container, by the program named.
KEPT = re.compile(
    r"/run/\w[\w.-]*(/containers)?"                      # a state directory itself, any program's
    r"|/run/containerd/(runc|s|io\.containerd\.runtime\.v2\.task)(/side-\w(/containers)?)?"
    r"|/run/(troupe-oci|containerd/runc/side-\w)/filters(/\d+\.cbor)?"  # compiled seccomp profiles
    r"|/run/containerd/(fifo(/\d+(/[\w-]+)?)?|clients\.sock(\.ttrpc)?|io\.containerd\.runtime\.v1\.linux)"
    r"|/run/containers(/storage)?"
    r"|/run/(netns|libpod|lock|mount|user)(/\w*)?"
    r"|/dev/shm/libpod_(rootless_)?lock(_\d+)?"
    r"|.*/var/lib/(cni|containers)(/(networks|cache|results))?(/podman(/(lock|last_reserved_ip\.\d+))?)?"
    r"|.*/var/lib/containers/.*"
    r"|.*/etc/cni(/.*)?"
)
KEPT_MOUNT = re.compile(r"/run/netns|.*/store/overlay")
KEPT_DEVICE = re.compile(r"cni-podman\d+")


class Snapshot:
    def __init__(self, work):
        self.work = work
        self.processes = processes()
        self.mounts = mount_points()
        self.cgroups = cgroups()
        self.devices = {name for _, name in socket.if_nameindex()}
        self.files = files(work)


def processes():
    found = set()
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                    found.add((int(name), file.read().rsplit(")", 1)[1].split()[19]))  # pid, start time
            except (FileNotFoundError, ProcessLookupError):
                pass
    return found


def mount_points():
    points = []
    with open("/proc/self/mountinfo", encoding="utf-8") as table:
        points = [line.split(" ")[4] for line in table]
    return sorted(point for point in points if not KEPT_MOUNT.fullmatch(point))


def cgroups():
    found = set()
    for mount in cgroup_mounts():
        for directory, _, _ in os.walk(mount.point):
            below = os.path.relpath(directory, mount.point)
            if below != "." and not KEPT_CGROUP.fullmatch(below):
                found.add(directory)
    return found


def files(work):
    found = set()
    for top in [*EMPTY, *(f"{work}/upper{directory}" for directory in COPIED)]:
        for directory, names, others in os.walk(top):
            found.update(f"{directory}/{name}" for name in names + others)
    return {path for path in found if not KEPT.fullmatch(path)}


def described(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().replace(b"\0", b" ").decode(errors="replace").strip()
    except (FileNotFoundError, ProcessLookupError):
        return "gone meanwhile"


def wait_for_ends(before):
    """Waits for the ends of processes that were not there; gives those that stay."""
    deadline = time.monotonic() + PATIENCE
    while True:
        extra = processes() - before
        if not extra or time.monotonic() > deadline:
            return extra
        for pid, _ in extra:
            wait_for_end(pid, deadline - time.monotonic())


def wait_for_end(pid, seconds):
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        select.select([handle], [], [], max(0.0, seconds))
    finally:
        os.close(handle)


def since(before):
    """One line per thing that is there now and was not at the snapshot."""
    found = [f"process {pid}: {described(pid)}" for pid, _ in sorted(wait_for_ends(before.processes))]
    after = Snapshot(before.work)
    extra = list(after.mounts)
    for point in before.mounts:
        if point in extra:
            extra.remove(point)
    found += [f"mount {point}" for point in extra]
    found += [f"lost mount {point}" for point in before.mounts if point not in after.mounts]
    found += [f"cgroup {path}" for path in sorted(after.cgroups - before.cgroups)]
    found += [f"network device {name}" for name in sorted(after.devices - before.devices) if not KEPT_DEVICE.fullmatch(name)]
    found += [f"file {path}" for path in sorted(after.files - before.files)]
    return found


def sweep(before):
    """Removes what since() found, so that the next scenario starts clean."""
    for path in cgroups() - before.cgroups:
        for knob, word in (("freezer.state", "THAWED"), ("cgroup.freeze", "0")):
            if os.path.exists(f"{path}/{knob}"):
                write(f"{path}/{knob}", word)
    for pid, _ in processes() - before.processes:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        wait_for_end(pid, PATIENCE)
    for point in sorted(set(mount_points()) - set(before.mounts), reverse=True):
        subprocess.run(["umount", "-l", point], check=False)
    for path in sorted(cgroups() - before.cgroups, reverse=True):
        os.rmdir(path)
    for path in sorted(files(before.work) - before.files, reverse=True):
        (os.rmdir if os.path.isdir(path) and not os.path.islink(path) else os.unlink)(path)
