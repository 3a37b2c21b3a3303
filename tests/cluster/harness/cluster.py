"""Some trouped, each in a network namespace of its own, that meet over TLS."""
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time

from harness.lan import Lan

HERE = os.path.dirname(os.path.realpath(__file__))
BIN = os.path.realpath(os.path.join(HERE, "../../../build/release/bin"))
PATIENCE = 60  # seconds for whatever must happen
PORT = 7070
# As short as they may be: a second of silence is suspect, two are death.
HEARTBEAT, SUSPECT, DOWN = 1000, 2500, 5000


class Broken(Exception):
    """Something that must hold does not."""


def until(condition, what, patience=PATIENCE):
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise Broken(f"never: {what}")
        select.select([], [], [], 0.02)


class Result:
    def __init__(self, process, stdout, stderr, seconds):
        self.code = process.returncode
        self.out = stdout.decode(errors="replace")
        self.err = stderr.decode(errors="replace")
        self.seconds = seconds


class Node:
    def __init__(self, cluster, name, address):
        self.cluster, self.name, self.address = cluster, name, address
        self.certificate = name  # that it shows
        self.labels = [f"zone={name}"]
        self.program = "trouped"
        self.directory = os.path.join(cluster.directory, name)
        self.root = os.path.join(self.directory, "run")
        os.makedirs(self.directory)
        self.log = open(os.path.join(self.directory, "log"), "w+", encoding="utf-8")
        self.trouped = None

    def start(self, seeds=()):
        certificates = self.cluster.certificates
        words = [f"{BIN}/{self.program}", "--root", self.root, "--state", f"{self.directory}/state",
                 "--config", self.cluster.settings,
                 "--cgroup-parent", f"{self.cluster.cgroup}-{self.name}",
                 "--cluster-listen", f"0.0.0.0:{PORT}", "--cluster-address", f"{self.address}:{PORT}",
                 "--cluster-ca", f"{certificates}/ca.pem",
                 "--cluster-cert", f"{certificates}/{self.certificate}.pem",
                 "--cluster-key", f"{certificates}/{self.certificate}.key"]
        for label in self.labels:
            words += ["--label", label]
        for seed in seeds:
            words += ["--join", f"{seed.address}:{PORT}"]
        self.trouped = subprocess.Popen(self.cluster.lan.inside(self.name) + words, stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log)

        def serves():
            if self.trouped.poll() is not None:
                raise Broken(f"node {self.name} does not start:\n{self.last_log()}")
            return self.troupe("version", "--format", "json").out.find('"server":null') < 0 and self.troupe("info").code == 0
        until(serves, f"node {self.name} serves")

    def all_log(self):
        with open(self.log.name, encoding="utf-8") as file:
            return file.read()

    def last_log(self):
        return "".join(self.all_log().splitlines(keepends=True)[-20:])

    def crash(self):
        self.trouped.kill()
        self.trouped.wait()

    def end(self):
        """As systemctl stop does."""
        self.trouped.terminate()
        self.trouped.wait(PATIENCE)

    def hang(self):
        self.trouped.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.trouped.send_signal(signal.SIGCONT)

    def popen(self, *words, **options):
        return subprocess.Popen([f"{BIN}/troupe", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                env={**os.environ, "TROUPE_SOCKET": f"{self.root}/trouped.sock"},
                                start_new_session=True, **options)

    def troupe(self, *words, stdin=b"", timeout=PATIENCE):
        began = time.monotonic()
        process = self.popen(*words, stdin=subprocess.PIPE)
        try:
            out, err = process.communicate(stdin, timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise Broken(f"'troupe {' '.join(words)}' has not ended after {timeout} s") from None
        return Result(process, out, err, time.monotonic() - began)

    def need(self, *words, code=0, stdin=b""):
        """Its output; it must end with `code`."""
        did = self.troupe(*words, stdin=stdin)
        if did.code != code:
            raise Broken(f"'troupe {' '.join(words)}' on {self.name} ends with {did.code}, not {code}: {did.err or did.out}")
        return did.out

    def json(self, *words):
        return json.loads(self.need(*words, "--format", "json"))

    def sees(self):
        """What it thinks of every node."""
        did = self.troupe("nodes", "--format", "json")
        return {each["name"]: each["state"] for each in json.loads(did.out)} if did.code == 0 else {}

    def cpu_seconds(self):
        """Of all its threads, in user and kernel."""
        with open(f"/proc/{self.trouped.pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss(self):
        with open(f"/proc/{self.trouped.pid}/status", encoding="ascii") as file:
            fields = dict(line.split(":", 1) for line in file)
        return int(fields["VmRSS"].split()[0])


class Cluster:
    def __init__(self, names):
        self.directory = tempfile.mkdtemp(prefix="troupe-cluster-")
        self.cgroup = "/" + os.path.basename(self.directory)
        self.certificates = os.path.join(self.directory, "certificates")
        self.settings = os.path.join(self.directory, "settings.json")
        with open(self.settings, "w", encoding="utf-8") as file:
            json.dump({"cluster": {"heartbeat_ms": HEARTBEAT, "suspect_after_ms": SUSPECT, "down_after_ms": DOWN}}, file)
        self.make_rootfs()
        self.troupe_cluster("init-ca")
        self.lan = Lan()
        self.nodes = {}
        for name in names:
            self.issue(name)
            self.nodes[name] = Node(self, name, self.lan.add(name))

    def __getitem__(self, name):
        return self.nodes[name]

    def troupe_cluster(self, *words):
        done = subprocess.run([f"{BIN}/troupe", "cluster", words[0], *words[1:], "--dir", self.certificates],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Broken(f"troupe cluster {' '.join(words)}: {done.stderr}")

    def issue(self, name, *options):
        self.troupe_cluster("issue-cert", name, *options)

    def make_rootfs(self):
        self.rootfs = os.path.join(self.directory, "rootfs")
        for name in ("bin", "proc", "sys", "dev", "tmp"):
            os.makedirs(os.path.join(self.rootfs, name))
        shutil.copy("/bin/busybox", os.path.join(self.rootfs, "bin"))
        for name in ("sh", "sleep", "echo", "true", "cat", "seq", "yes", "head", "tty", "wc"):
            os.symlink("busybox", os.path.join(self.rootfs, "bin", name))

    def start(self):
        """All of them, and each sees each."""
        first = next(iter(self.nodes.values()))
        for node in self.nodes.values():
            node.start([] if node is first else [first])
        self.until_all_alive()

    def alive(self):
        return [node for node in self.nodes.values() if node.trouped and node.trouped.poll() is None]

    def until_all_alive(self):
        names = {node.name for node in self.alive()}
        until(lambda: all({name for name, state in node.sees().items() if state == "alive"} >= names
                          for node in self.alive()), "every node sees every other alive")

    def until_seen(self, by, whom, state, patience=PATIENCE):
        until(lambda: by.sees().get(whom) == state, f"{by.name} sees {whom} {state}", patience)

    def cgroups(self):
        found = []
        for base in ["/sys/fs/cgroup", *(f"/sys/fs/cgroup/{name}" for name in os.listdir("/sys/fs/cgroup"))]:
            if os.path.isdir(base):
                found += [f"{base}/{name}" for name in os.listdir(base) if name.startswith(self.cgroup[1:])]
        return found

    def processes(self):
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    line = file.read().replace(b"\0", b" ").decode(errors="replace")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if self.directory in line:
                found.append((int(pid), line))
        return found

    def finish(self):
        """Ends everything; what is left behind."""
        for node in self.alive():
            node.go_on()
            for each in json.loads(node.troupe("ps", "-a", "--format", "json").out or "[]"):
                node.troupe("rm", "-f", each["id"])
            node.troupe("shutdown", "--stop-containers", "--time", "0")
        for node in self.nodes.values():
            if node.trouped:
                try:
                    node.trouped.wait(PATIENCE)
                except subprocess.TimeoutExpired:
                    node.trouped.kill()
                    node.trouped.wait()
        try:
            until(lambda: not self.processes(), "", 10)
        except Broken:
            pass
        left = []
        for pid, line in self.processes():
            left.append(f"process {line}")
            os.kill(pid, signal.SIGKILL)
        self.lan.close()
        left += [f"cgroup {path}" for path in self.cgroups()] + [f"netns {name}" for name in self.lan.left()]
        for node in self.nodes.values():
            node.log.close()
        if not left:
            shutil.rmtree(self.directory)
        return left
