"""One validation program in a world of its own.

Some programs start containers without a mount namespace, and a runtime under
test may then mount over the caller's /proc, /sys or /dev, or make devices
there; some never delete what they create. So each program runs in private
mount, pid and cgroup namespaces, with its own /dev, /run and TMPDIR and with
its own root in every cgroup hierarchy. `run` makes and removes those cgroups;
this file, as the pid namespace's init, does the rest and reports on the
descriptor it is given: how the program ended, and what it left behind.

Started as `sandbox.py enter CONFIG`, where CONFIG is JSON:
  report     descriptor to write the report to
  scratch    directory to mount a tmpfs on: the program's TMPDIR
  cgroups    [{mount, type, options}]: hierarchies to mount again
  cgroup_dirs  directories to enter, as the host sees them
  program    [path, argument...]
  cwd        where the program runs
  environment  the program's environment
"""

import json
import os
import signal
import subprocess
import sys

DEVICES = {  # name: (major, minor)
    "null": (1, 3), "zero": (1, 5), "full": (1, 7),
    "random": (1, 8), "urandom": (1, 9), "tty": (5, 0),
}


def mount(kind, source, target, options=""):
    """mount(8), because Python has no mount(2)."""
    command = ["mount", "-t", kind, source, target]
    subprocess.run(command + (["-o", options] if options else []), check=True)


def mount_dev():
    """A /dev whose inodes are nobody else's."""
    mount("tmpfs", "tmpfs", "/dev", "mode=755")
    for name, (major, minor) in DEVICES.items():
        os.mknod(f"/dev/{name}", 0o020666, os.makedev(major, minor))
        os.chmod(f"/dev/{name}", 0o666)
    for name in ("pts", "shm", "mqueue"):
        os.mkdir(f"/dev/{name}")
    mount("devpts", "devpts", "/dev/pts", "newinstance,ptmxmode=0666,mode=620")
    mount("tmpfs", "tmpfs", "/dev/shm", "mode=1777")
    os.symlink("pts/ptmx", "/dev/ptmx")
    os.symlink("/proc/self/fd", "/dev/fd")
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        os.symlink(f"/proc/self/fd/{number}", f"/dev/{name}")


def mount_cgroups(cgroups):
    """Every hierarchy where it was, with our cgroup as its root."""
    mount("tmpfs", "tmpfs", "/sys/fs/cgroup", "mode=755")
    for cgroup in cgroups:
        os.makedirs(cgroup["mount"], exist_ok=True)
        mount(cgroup["type"], "cgroup", cgroup["mount"], cgroup["options"])


def processes():
    """What else runs in this pid namespace, as {pid: command line}."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if int(pid) == os.getpid():
            continue
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            continue  # gone since
        if words:  # a zombie has no command line; the container is dead
            found[int(pid)] = words
    return found


def mount_points():
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        return sorted(line.split()[4] for line in file)


def entries(directory, depth):
    """Paths below a directory, that many levels deep."""
    found = []
    for entry in sorted(os.scandir(directory), key=lambda one: one.name):
        if depth > 1 and entry.is_dir(follow_symlinks=False):
            found += entries(entry.path, depth - 1)
        else:
            found.append(entry.path)
    return found


def child_cgroups(cgroups):
    found = []
    for cgroup in cgroups:
        for directory, names, _ in os.walk(cgroup["mount"]):
            found += [os.path.join(directory, name) for name in names]
    return found


def wait_for(child):
    """Reaps whatever ends, as an init must, until the child has."""
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == child:
            return os.waitstatus_to_exitcode(status)


def kill_rest():
    """Ends every other process here and waits until they are gone."""
    try:
        os.kill(-1, signal.SIGKILL)
        while True:
            os.waitpid(-1, 0)
    except (ProcessLookupError, ChildProcessError):
        pass


def run_program(config):
    child = os.fork()
    if child == 0:
        os.chdir(config["cwd"])
        os.execve(config["program"][0], config["program"], config["environment"])
    return wait_for(child)


def inside(config):
    scratch = config["scratch"]
    os.set_inheritable(config["report"], False)
    mount_dev()
    mount_cgroups(config["cgroups"])
    mount("tmpfs", "tmpfs", "/run", "mode=755")
    mount("tmpfs", "tmpfs", scratch, "mode=755")
    mounts_before = mount_points()
    exit_code = run_program(config)
    mounts_after = mount_points()
    for point in mounts_before:
        if point in mounts_after:
            mounts_after.remove(point)
    left = {
        "processes": sorted(processes().values()),
        "mounts": mounts_after,
        "cgroups": child_cgroups(config["cgroups"]),
        "state": entries("/run", 2),
        "files": entries(scratch, 1),
    }
    kill_rest()
    with os.fdopen(config["report"], "w", encoding="utf-8") as report:
        json.dump({"exit": exit_code, "left": left}, report)


def enter(config):
    """From the host: into our cgroups, then into the namespaces."""
    for directory in config["cgroup_dirs"]:
        with open(os.path.join(directory, "cgroup.procs"), "w", encoding="ascii") as file:
            file.write("0")
    os.set_inheritable(config["report"], True)
    os.execvp("unshare", [
        "unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "--cgroup",
        sys.executable, "-B", os.path.abspath(__file__), "inside", sys.argv[2]])


if __name__ == "__main__":
    {"enter": enter, "inside": inside}[sys.argv[1]](json.loads(sys.argv[2]))
