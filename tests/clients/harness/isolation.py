"""Private namespaces, cgroups and directories for a whole run.

The clients keep state in fixed places (/run, /dev/shm, /var/lib/containers,
/libpod_parent in every cgroup hierarchy). Inside own mount, pid, net, uts, ipc
and cgroup namespaces these places are ours alone: nothing here can meet the
machine's own containers, and whatever is found there later is ours.
"""
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile

from harness import ordinary_user

END_LIMIT = 30  # seconds until killed processes must be dead
EMPTY = {"/run": "755", "/dev/shm": "1777"}  # fresh tmpfs, and its mode
# Kept for the next container by podman, conmon and containerd.
KEPT_CGROUP = re.compile(r"libpod_parent(/mine|/[0-9a-f]{64})?(/conmon)?|side-\w|harness")
COPIED = ("/etc", "/var/lib")  # the machine's, and what is written goes elsewhere


class CgroupMount:
    def __init__(self, point, kind, options):
        self.point, self.kind = point, kind
        # "rw" belongs to every super block; the rest names the hierarchy.
        self.hierarchy = ",".join(word for word in options.split(",") if word not in ("rw", "ro"))


def cgroup_mounts():
    mounts = []
    with open("/proc/self/mountinfo", encoding="utf-8") as table:
        for line in table:
            left, right = line.rstrip("\n").split(" - ")
            kind, _, options = right.split(" ", 2)
            if kind in ("cgroup", "cgroup2"):
                mounts.append(CgroupMount(left.split(" ")[4], kind, options))
    return mounts


def run_inside(command):
    """Runs `command --inside DIRECTORY` isolated; gives its exit code."""
    work = tempfile.mkdtemp(prefix="troupe-clients-", dir="/tmp")
    os.chmod(work, 0o755)  # containers with a user namespace pass through it
    cgroups = []
    leftover = []
    try:
        cgroups = make_cgroups(os.path.basename(work))
        code = spawn(command + ["--inside", work], cgroups)
    finally:
        leftover = remove_cgroups(cgroups)
        shutil.rmtree(work)
    for path in leftover:
        print(f"FAIL left behind: cgroup {path}")
    return code or (1 if leftover else 0)


def spawn(command, cgroups):
    def enter_cgroups():
        for directory in cgroups:
            write(os.path.join(directory, "cgroup.procs"), "0")

    namespaces = ["--mount", "--pid", "--net", "--uts", "--ipc", "--cgroup", "--fork", "--kill-child", "--mount-proc"]
    # catatonit is PID 1: it reaps what conmon and the shims orphan.
    isolated = ["setpriv", "--pdeathsig", "KILL", "unshare", *namespaces, "catatonit", "--", "/usr/bin/python3", *command]
    with subprocess.Popen(isolated, preexec_fn=enter_cgroups, start_new_session=True) as child:
        def stop(number, _):
            end(child)
            sys.exit(128 + number)

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, stop)
        return child.wait()


def end(child):
    """Kills all that runs in the namespaces, and waits until it is dead."""
    # unshare's only child is the namespace's PID 1; it is dead when all others are.
    first = [os.pidfd_open(int(pid)) for pid in read(f"/proc/{child.pid}/task/{child.pid}/children").split()]
    child.kill()
    for handle in first:
        select.select([handle], [], [], END_LIMIT)
        os.close(handle)


def make_cgroups(name):
    made = []
    for mount in cgroup_mounts():
        directory = os.path.join(mount.point, name)
        os.mkdir(directory)
        made.append(directory)
        if os.path.exists(f"{directory}/cpuset.cpus") and mount.kind == "cgroup":
            # A v1 cpuset is born empty and admits no process until it is filled.
            for knob in ("cpuset.cpus", "cpuset.mems"):
                write(f"{directory}/{knob}", read(f"{mount.point}/{knob}"))
    return made


def remove_cgroups(directories):
    """Removes our cgroups; gives those below ours that should have been gone."""
    leftover = []
    for top in directories:
        for directory, _, _ in os.walk(top, topdown=False):
            # The clients keep these two for the next container; ours to remove.
            below = os.path.relpath(directory, top)
            if below != "." and not KEPT_CGROUP.fullmatch(below):
                leftover.append(directory)
            os.rmdir(directory)
    return leftover


def enter(work):
    """The inner side: private copies of every place that clients write to."""
    forget_inherited_signals()
    mount_cgroups()
    for directory, mode in EMPTY.items():
        mount("-t", "tmpfs", "-o", f"mode={mode}", "tmpfs", directory)
    for directory in COPIED:
        upper, scratch = f"{work}/upper{directory}", f"{work}/scratch{directory}"
        os.makedirs(upper)
        os.makedirs(scratch)
        mount("-t", "overlay", "-o", f"lowerdir={directory},upperdir={upper},workdir={scratch}", "overlay", directory)
    for ids in ("/etc/subuid", "/etc/subgid"):
        write(ids, "containers:2147483647:2147483648\n")  # for --userns=auto
    ordinary_user.add()
    subprocess.run(["/bin/busybox", "ip", "link", "set", "lo", "up"], check=True)


def forget_inherited_signals():
    # Containers inherit what is blocked and ignored, by catatonit and the caller's shell.
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}:
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def mount_cgroups():
    mounts = cgroup_mounts()
    if not all(entry.point == "/sys/fs/cgroup" for entry in mounts):
        mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/sys/fs/cgroup")
    for entry in mounts:
        os.makedirs(entry.point, exist_ok=True)
        if entry.kind == "cgroup2":
            mount("-t", "cgroup2", "cgroup2", entry.point)
            if entry.point == "/sys/fs/cgroup":
                leave_top_cgroup(entry.point)
        else:
            mount("-t", "cgroup", "-o", entry.hierarchy, "cgroup", entry.point)


def leave_top_cgroup(top):
    # A cgroup2 that holds processes cannot give controllers to its children.
    os.mkdir(f"{top}/harness")
    for pid in read(f"{top}/cgroup.procs").split():
        write(f"{top}/harness/cgroup.procs", pid)


def mount(*words):
    subprocess.run(["mount", *words], check=True)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
