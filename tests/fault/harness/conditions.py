"""What is wrong with a host for a while: users go on living meanwhile, and what
they are told is true. Each is a function that starts a host, makes it so, and
ends it; what it returns is said of it."""
import contextlib
import json
import os
import resource
import select
import signal
import socket
import subprocess
import time

from harness.crowd import Crowd
from harness.host import PATIENCE, Broken, Host, descriptors_of

SECONDS = 3  # that most of them last


def last(seconds=SECONDS):
    select.select([], [], [], seconds)


# -- disks ----------------------------------------------------------------------


def fill(directory):
    """Until there is not a byte left; the file that does it."""
    path = os.path.join(directory, "filler")
    with open(path, "wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while file.write(b"x" * size):
                    pass
            except OSError:
                pass
    return path


def full_disk(directory_of):
    def condition(host, totals):
        directory = directory_of(host)
        host.mount_volume(directory)
        host.start()
        crowd = Crowd(host, 2)
        host.disk_was_full = directory == host.root
        filler = fill(directory)
        refused = create(host, "refused")
        if directory == host.root and (refused.code == 0 or "ENOSPC" not in refused.err):
            raise Broken(f"a create on a full disk has exit code {refused.code}: {refused.err}")
        last(1)
        host.kill()
        last(1)
        os.unlink(filler)
        host.troupe("rm", "-f", "refused")
        crowd.finish(totals)
    return condition


def read_only(host, totals):
    """Nothing may hold a file open for writing: so nothing is logged."""
    host.mount_volume(host.root)
    host.start()
    for name in ("stays", "ends"):
        begin(host, name)
    host.until(lambda: subprocess.run(["mount", "-o", "remount,ro", host.root], capture_output=True).returncode == 0, "it is read-only")
    refused = create(host, "refused")
    if refused.code == 0 or "EROFS" not in refused.err:
        raise Broken(f"a create where nothing can be written has exit code {refused.code}: {refused.err}")
    if host.troupe("kill", "ends").code != 0 or host.troupe("wait", "ends").out.strip() != "137":
        raise Broken("a container is not killed")
    host.crash()
    again = host.try_to_start()
    if again.returncode == 0 or "EROFS" not in again.stderr:
        raise Broken(f"trouped starts where nothing can be written ({again.returncode}): {again.stderr}")
    subprocess.run(["mount", "-o", "remount,rw", host.root], check=True)
    host.start()
    if host.inspect("stays")["status"] != "running" or host.troupe("wait", "ends").out.strip() != "137":
        raise Broken("a container has not survived")
    host.troupe("rm", "-f", "stays", "ends")
    host.require_clean()


def create(host, name):
    return host.troupe("create", "--name", name, "--log-driver", "none", host.bundle, "/bin/sh", "-c", "while :; do sleep 1000; done")


def begin(host, name):
    for did in (create(host, name), host.troupe("start", name)):
        if did.code != 0:
            raise Broken(f"{name} does not start: {did.err}")


# -- descriptors, memory ----------------------------------------------------------


@contextlib.contextmanager
def limited(pid, what, soft):
    before = resource.prlimit(pid, what)
    resource.prlimit(pid, what, (soft, before[1]))
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, what, before)


def no_descriptors(pid_of):
    def condition(host, totals):
        host.start()
        crowd = Crowd(host, 2)
        pid = pid_of(host)
        with limited(pid, resource.RLIMIT_NOFILE, descriptors_of(pid) + 1):
            before = cpu_seconds(pid)
            last()
            used = cpu_seconds(pid) - before
        crowd.finish(totals)
        if used > SECONDS / 2:
            raise Broken(f"it was busy for {used:.1f} s of {SECONDS} s with having no descriptors")
    return condition


def no_memory(host, totals):
    """The kernel ends it when its cgroup is full: again and again."""
    parent = "/sys/fs/cgroup/memory"
    if not os.path.exists(f"{parent}/memory.limit_in_bytes"):
        return "left out: no memory controller of cgroup v1"
    cgroup = f"{parent}{host.cgroup}-trouped"
    os.mkdir(cgroup)
    try:
        host.start()
        crowd = Crowd(host, 2)
        restarts, end = host.restarts, time.monotonic() + SECONDS
        while time.monotonic() < end:
            with host.guard:  # users may be waiting for it, so it is we who ask
                put(f"{cgroup}/cgroup.procs", host.trouped.pid)
                put(f"{cgroup}/memory.limit_in_bytes", 256 << 10)
                patience = time.monotonic() + 10
                while host.trouped.poll() is None and time.monotonic() < patience:
                    ask_for_much(host, 1)
            # Where there is always a page to be taken away, it is only slow.
            put(f"{cgroup}/memory.limit_in_bytes", -1)
            host.revive()
            host.troupe("rm", "-f", "much")
            last(0.3)
        told = f"ended {host.restarts - restarts} times"
        host.kill()  # it may be in there still
        crowd.finish(totals)
        return told
    finally:
        host.until(lambda: not os.path.exists(cgroup) or remove(cgroup), "its cgroup can go")


def no_address_space(host, totals):
    """malloc fails."""
    host.start()
    crowd = Crowd(host, 2)
    restarts = host.restarts
    pid = host.trouped.pid
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        size = int(next(line for line in file if line.startswith("VmData:")).split()[1]) << 10
    with limited(pid, resource.RLIMIT_DATA, size + (64 << 10)):
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            ask_for_much(host, PATIENCE)
            host.troupe("rm", "-f", "much")
            last(0.05)
    crowd.finish(totals)
    return f"ended {host.restarts - restarts} times"


def ask_for_much(host, patience):
    """A request that takes megabytes; it may create a container, "much"."""
    body = json.dumps({"id": "much", "rootfs": host.rootfs, "spec": {"annotations": {str(i): "x" * 99 for i in range(8000)}}}).encode()
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as line:
        line.settimeout(patience)
        line.connect(f"{host.root}/trouped.sock")
        line.sendall(b"POST /v1/containers HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        line.recv(100)


def put(path, value):
    with contextlib.suppress(OSError):  # it may have ended
        with open(path, "w", encoding="ascii") as file:
            file.write(str(value))


def remove(cgroup):
    with contextlib.suppress(OSError):
        os.rmdir(cgroup)
        return True
    return False


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# -- time -------------------------------------------------------------------------


def stopped(pid_of, seconds):
    """SIGSTOP."""
    def condition(host, totals):
        host.start()
        crowd = Crowd(host, 2)
        last(0.5)
        pid = pid_of(host)
        os.kill(pid, signal.SIGSTOP)
        last(seconds)
        os.kill(pid, signal.SIGCONT)
        crowd.finish(totals)
    return condition


# -- files ------------------------------------------------------------------------


def half_written(host, totals):
    """Of every file that a container has, the beginning is there: the container
    is given up or whole, and no other one minds."""
    host.start()
    names = ("state.json", "plan.cbor", "config.json", "limits.cbor", "exit")
    tries = [(name, share) for name in names for share in (0, 0.5, 1)]
    for number, (name, share) in enumerate(tries):
        for container in ("good", f"bad{number}"):
            begin(host, container)
        host.troupe("update", "--cpu-shares", "512", f"bad{number}")
        if name == "exit":
            host.troupe("kill", f"bad{number}")
            host.troupe("wait", f"bad{number}")
        host.crash()
        path = f"{host.root}/containers/bad{number}/{name}"
        size = os.path.getsize(path)
        os.truncate(path, max(0, int(size * share) - (share == 1)))
        host.start()
        totals.containers += 2
        if host.inspect("good")["status"] != "running":
            raise Broken(f"{name} of another container was cut, and a whole one is {host.inspect('good')}")
        for container in ("good", f"bad{number}"):
            host.troupe("rm", "-f", container)
        host.require_clean()
    return f"{len(tries)} files"


def trouped_of(host):
    return host.trouped.pid


ALL = {
    "disk of STATE is full": full_disk(lambda host: host.state),
    "disk of ROOT is full": full_disk(lambda host: host.root),
    "ROOT is read-only": read_only,
    "trouped has no descriptors": no_descriptors(trouped_of),
    "shim has no descriptors": no_descriptors(Host.shim_pid),
    "trouped has no memory (cgroup)": no_memory,
    "trouped has no memory (malloc)": no_address_space,
    "trouped is stopped for 30 s": stopped(trouped_of, 30),
    "shim is stopped for 10 s": stopped(Host.shim_pid, 10),
    "files are half written": half_written,
}
