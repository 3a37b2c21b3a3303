"""A containerd of our own, and `ctr` with the runtime under test."""
import os
import subprocess
import time

from harness.isolation import write
from podman.client import Client as Podman

IMAGE = "localhost/busybox:test"
SOCKET = "/run/containerd/clients.sock"
START_LIMIT = 30  # seconds


class Daemon:
    """One containerd serves both sides; a namespace each keeps them apart."""
    running = None

    def __init__(self, work):
        self.directory = f"{work}/containerd"
        os.mkdir(self.directory)
        write(f"{self.directory}/config.toml", f"""
version = 2
root = "{self.directory}/root"
state = "/run/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs", "io.containerd.internal.v1.opt",
  "io.containerd.internal.v1.tracing", "io.containerd.tracing.processor.v1.otlp"]
[grpc]
address = "{SOCKET}"
""")
        self.archive = self.saved_image(work)
        with open(f"{self.directory}/log", "wb") as log:
            # Waiting for its first words beats waiting for its socket: there is no event for that.
            self.process = subprocess.Popen(["containerd", "--config", f"{self.directory}/config.toml"],
                                            stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        self.wait_until_serving()
        self.users = 0

    def saved_image(self, work):
        archive = f"{self.directory}/image.tar"
        podman = Podman(work, "image", "/usr/sbin/runc")
        podman.checked("save", "--quiet", "--format", "docker-archive", "--output", archive, IMAGE)
        podman.close()
        return archive

    def wait_until_serving(self):
        deadline = time.monotonic() + START_LIMIT
        while subprocess.run(["ctr", "--address", SOCKET, "--connect-timeout", "1s", "version"],
                             check=False, capture_output=True).returncode:
            if self.process.poll() is not None or time.monotonic() > deadline:
                with open(f"{self.directory}/log", encoding="utf-8") as log:
                    raise SystemExit("containerd does not serve:\n" + log.read())

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=START_LIMIT)


class Client:
    def __init__(self, work, side, runtime):
        self.side, self.runtime = side, runtime
        self.namespace = f"side-{side}"
        self.runtime_name = os.path.basename(runtime)
        self.directory = f"{work}/ctr-{side}"
        self.scratch = f"{self.directory}/scratch"
        os.makedirs(self.scratch)
        if not Daemon.running:
            Daemon.running = Daemon(work)
        self.daemon = Daemon.running
        self.daemon.users += 1
        self.checked("images", "import", self.daemon.archive)

    def argv(self, words):
        if words[0] == "run":  # the container remembers it for its later tasks
            words = ["run", "--runc-binary", self.runtime, *words[1:]]
        return ["ctr", "--address", SOCKET, "--namespace", self.namespace, *words]

    @staticmethod
    def shown(words):
        return ["ctr", *words]

    def environment(self):
        return {"PATH": os.environ["PATH"], "HOME": self.directory, "TERM": "xterm", "LANG": "C.UTF-8"}

    def checked(self, *words):
        return subprocess.run(self.argv(words), env=self.environment(), check=True, capture_output=True, text=True,
                              timeout=60, stdin=subprocess.DEVNULL).stdout

    def places(self):
        return {self.runtime: "RUNTIME", self.directory: "DIRECTORY", self.namespace: "NAMESPACE"}

    def remaining(self):
        return [f"container {name}" for name in self.checked("containers", "list", "--quiet").split()]

    def remove_all(self):
        for name in self.checked("containers", "list", "--quiet").split():
            for words in (("tasks", "resume", name), ("tasks", "kill", "--all", "--signal", "KILL", name),
                          ("tasks", "delete", "--force", name), ("containers", "delete", name)):
                subprocess.run(self.argv(words), env=self.environment(), check=False, capture_output=True, timeout=60,
                               stdin=subprocess.DEVNULL)
        return self.remaining()

    def pid(self, name):
        for line in self.checked("tasks", "list").splitlines():
            words = line.split()
            if words and words[0] == name:
                return int(words[1])
        return 0

    def close(self):
        for image in self.checked("images", "list", "--quiet").split():
            self.checked("images", "delete", "--sync", image)
        self.daemon.users -= 1
        if not self.daemon.users:
            self.daemon.stop()
            Daemon.running = None
