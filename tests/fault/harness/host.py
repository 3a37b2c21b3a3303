"""A private supervisor, built with fault points, that may die at any moment."""
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from harness.board import Board

HERE = os.path.dirname(os.path.realpath(__file__))
BIN = os.path.realpath(os.path.join(HERE, "../../../build/release/bin"))
PATIENCE = 60  # seconds for whatever must happen


class Broken(Exception):
    """Something that must hold does not."""


class Result:
    def __init__(self, process, stdout, stderr):
        self.code = process.returncode
        self.out = stdout.decode(errors="replace")
        self.err = stderr.decode(errors="replace")


class Host:
    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="troupe-fault-")
        self.root = os.path.join(self.directory, "run")
        self.state = os.path.join(self.directory, "state")
        self.volumes = []
        self.cgroup = "/" + os.path.basename(self.directory)
        self.trouped = None
        self.log = open(os.path.join(self.directory, "trouped.log"), "w+", encoding="utf-8")
        self.guard = threading.RLock()
        self.bundle = None
        self.restarts = 0
        self.action = None  # that is armed, or was
        self.disk_was_full = False
        os.makedirs(self.root + ".faults")
        self.board = Board(self.root + ".faults/board")
        self.make_rootfs()

    def make_rootfs(self):
        self.rootfs = os.path.join(self.directory, "rootfs")
        for name in ("bin", "proc", "sys", "dev", "tmp"):
            os.makedirs(os.path.join(self.rootfs, name))
        shutil.copy("/bin/busybox", os.path.join(self.rootfs, "bin"))
        for name in ("sh", "sleep", "echo", "true"):
            os.symlink("busybox", os.path.join(self.rootfs, "bin", name))

    def make_bundle(self):
        """As --rootfs would have it, and a poststop hook: so that its end takes a launcher."""
        made = self.troupe("create", "--name", "seed", "--rootfs", self.rootfs, "--network", "host", "--", "/bin/true")
        if made.code != 0:
            raise Broken(f"create seed: {made.err}")
        with open(f"{self.root}/containers/seed/config.json", encoding="utf-8") as file:
            config = json.load(file)
        self.troupe("rm", "-f", "seed")
        config.setdefault("hooks", {})["poststop"] = [{"path": "/bin/true"}]
        self.bundle = os.path.join(self.directory, "bundle")
        os.makedirs(self.bundle)
        with open(f"{self.bundle}/config.json", "w", encoding="utf-8") as file:
            json.dump(config, file)

    # -- trouped --------------------------------------------------------------

    def mount_volume(self, directory):
        """A small file system of its own there."""
        os.makedirs(directory, mode=0o700)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=700", "troupe-fault", directory], check=True)
        self.volumes.append(directory)

    def command(self):
        return [f"{BIN}/trouped-fault", "--root", self.root, "--state", self.state, "--cgroup-parent", self.cgroup,
                "--shim", f"{BIN}/troupe-shim-fault"]

    def try_to_start(self):
        """Where it should not."""
        return subprocess.run(self.command(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)

    def start(self):
        """Starts trouped, and waits until it serves."""
        self.trouped = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.wait_until_serving()
        if not self.bundle:
            self.make_bundle()

    def wait_until_serving(self):
        def serves():
            if self.trouped.poll() is not None:
                raise Broken(f"trouped does not start (exit code {self.trouped.returncode}):\n{self.last_log()}")
            return self.troupe("info").code == 0
        self.until(serves, "trouped serves")

    def revive(self):
        """After a call that failed: waits until trouped serves, and starts it
        again if it has died meanwhile."""
        with self.guard:
            def serves():
                if self.ended():
                    self.disarm()
                    self.restarts += 1
                    self.start()
                    return True
                return self.troupe("info").code == 0
            self.until(serves, "trouped serves or ends")

    def ended(self):
        """One that is being killed has not been reaped yet, perhaps."""
        if self.action == "kill" and not self.board.armed():
            try:
                self.trouped.wait(0.05)
            except subprocess.TimeoutExpired:
                pass  # somebody else was: the shim, a launcher
        return self.trouped.poll() is not None

    def kill(self):
        """kill -9, at once."""
        with self.guard:
            self.crash()
            self.restarts += 1
            self.start()

    def crash(self):
        """kill -9, and nothing more."""
        self.trouped.kill()
        self.trouped.wait()

    def pause(self, seconds):
        """SIGSTOP for a while."""
        with self.guard:
            self.trouped.send_signal(signal.SIGSTOP)
            time.sleep(seconds)
            self.trouped.send_signal(signal.SIGCONT)

    def shim_pid(self):
        return int(json.loads(self.troupe("info", "--format", "json").out)["shim_pid"])

    def last_log(self):
        with open(self.log.name, encoding="utf-8") as file:
            return "".join(file.readlines()[-15:])

    # -- fault points -----------------------------------------------------------

    def arm(self, point, action, nth):
        self.action = action
        self.board.arm(point, action, nth)

    def disarm(self):
        self.action = None
        self.board.disarm()

    # -- what a user does -------------------------------------------------------

    def troupe(self, *words, timeout=PATIENCE):
        process = subprocess.Popen(
            [f"{BIN}/troupe", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "TROUPE_SOCKET": f"{self.root}/trouped.sock"}, start_new_session=True)
        try:
            return Result(process, *process.communicate(timeout=timeout))
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise Broken(f"'troupe {' '.join(words)}' has not ended after {timeout} s") from None

    def inspect(self, name):
        """The container as it is, or None."""
        for _ in range(20):
            found = self.troupe("inspect", name)
            if found.code == 0:
                return json.loads(found.out)
            if "there is no container" in found.err:
                return None
            self.revive()
        raise Broken(f"inspect {name}: {found.err}")

    @staticmethod
    def until(condition, what):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                raise Broken(f"never: {what}")
            select.select([], [], [], 0.01)

    # -- what must be gone --------------------------------------------------------

    def processes(self):
        found = []
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            line = command_of(name)
            if self.directory in line:
                found.append(f"{name}: {line}")
        return found

    def cgroups(self):
        found = []
        for base in ["/sys/fs/cgroup", *(f"/sys/fs/cgroup/{name}" for name in os.listdir("/sys/fs/cgroup"))]:
            for top, _, _ in os.walk(base + self.cgroup):
                found.append(top)
        return found

    def mounts(self):
        with open("/proc/self/mountinfo", encoding="utf-8") as file:
            places = [line.split()[4] for line in file if self.directory in line]
        return [place for place in places if place not in self.volumes]

    def containers(self):
        return sorted(os.listdir(f"{self.root}/containers"))

    def leaks(self):
        """What is left of containers, while the supervisor lives."""
        found = [f"directory {name}" for name in self.containers()]
        # The parent itself stays for as long as trouped runs.
        found += [f"cgroup {path}" for path in self.cgroups() if not path.endswith(self.cgroup)]
        found += [f"mount {path}" for path in self.mounts()]
        shim = self.shim_pid()
        for child in children_of(shim):
            if not is_fork_of(child, shim):
                found.append(f"child of the shim {child}: {command_of(child)}")
        return found

    def require_clean(self):
        """Waits until nothing of any container is left."""
        try:
            self.until(lambda: not self.leaks(), "")
        except Broken:
            raise Broken("left behind: " + "; ".join(self.leaks())) from None

    def finish(self):
        """Ends everything; what is left behind."""
        for name in self.containers():
            self.troupe("rm", "-f", name)
        self.troupe("shutdown", "--stop-containers", "--time", "0")
        try:
            self.trouped.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.trouped.kill()
        try:
            self.until(lambda: not self.processes(), "all processes of it have ended")
        except Broken:
            pass
        left = [f"process {line}" for line in self.processes()]
        left += [f"cgroup {path}" for path in self.cgroups()] + [f"mount {path}" for path in self.mounts()]
        for line in left:
            if line.startswith("process "):
                os.kill(int(line.split()[1].rstrip(":")), signal.SIGKILL)
        for each in self.volumes:
            subprocess.run(["umount", each], check=not left)
        self.log.close()
        if not left:
            shutil.rmtree(self.directory)
        return left


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def command_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().replace(b"\0", b" ").decode(errors="replace").strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def is_fork_of(child, shim):
    """A spare launcher, or the forker: they have the shim's own command line."""
    return command_of(child) in ("", command_of(shim))


def descriptors_of(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))
