"""The runtime itself, without a client above it, and the tools that make
bundles for it: runc, crun, umoci, podman."""
import os
import shutil
import subprocess

from harness import ordinary_user
from podman.client import Client as Podman
from podman.client import IMAGE

ORDINARY = "(ordinary user)"  # first word of a call by him
LAYOUT_IMAGE = "layout:box"


class Client:
    def __init__(self, work, side, runtime):
        self.side, self.runtime_name = side, os.path.basename(runtime)
        self.directory = f"{work}/bundles-{side}"
        self.scratch = f"{self.directory}/scratch"
        self.his = f"{self.directory}/his"  # the ordinary user's
        for directory in (self.directory, self.scratch, self.his):
            os.mkdir(directory)
        self.runtime = shutil.copy(runtime, self.directory)  # for him to reach, too
        for directory in (self.scratch, self.his):
            ordinary_user.own(directory)
        self.podman = Podman(work, f"bundles-{side}", "/usr/sbin/runc")
        self.make_layout()

    def make_layout(self):
        """An OCI image layout with podman's image as its only layer."""
        for words in (("init", "--layout", "layout"),
                      ("new", "--image", LAYOUT_IMAGE),
                      ("insert", "--image", LAYOUT_IMAGE, f"{self.podman.directory}/image", "/"),
                      ("config", "--image", LAYOUT_IMAGE, "--clear", "config.cmd", "--config.cmd", "/bin/sh", "--config.env", "FROM_IMAGE=yes",
                       "--config.env", "PATH=/sbin:/bin", "--config.workingdir", "/home/ann")):
            self.tool("umoci", *words)
        self.tool("chmod", "-R", "a+rX", "layout")

    def tool(self, *argv, where=None, ordinary=False):
        """Calls what makes bundles; it is not what is tested."""
        command = ordinary_user.command(argv) if ordinary else argv
        done = subprocess.run(command, env=self.environment(), cwd=where or self.directory, check=False,
                              capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise SystemExit(f"{' '.join(argv)}: exit code {done.returncode}: {done.stderr}")
        return done.stdout

    def argv(self, words):
        if words[0] == ORDINARY:
            return ordinary_user.command([self.runtime, "--root", f"{self.his}/state", *words[1:]])
        return [self.runtime, "--root", f"{self.directory}/state", *words]

    @staticmethod
    def shown(words):
        return ["RUNTIME", *words]

    def environment(self):
        return {"PATH": os.environ["PATH"], "HOME": self.his, "XDG_RUNTIME_DIR": self.his, "TERM": "xterm", "LANG": "C.UTF-8"}

    def places(self):
        return {self.runtime: "RUNTIME", self.podman.directory: "PODMAN", self.directory: "DIRECTORY"}

    def forget_scratch(self):
        shutil.rmtree(self.scratch)
        os.mkdir(self.scratch)
        ordinary_user.own(self.scratch)

    def listed(self, *who):
        return subprocess.run(self.argv([*who, "list", "--quiet"]), env=self.environment(), check=True,
                              capture_output=True, text=True, timeout=60).stdout.split()

    def remaining(self):
        return [f"container {name}" for who in ((), (ORDINARY,)) for name in self.listed(*who)] + self.podman.remaining()

    def remove_all(self):
        for who in ((), (ORDINARY,)):
            for name in self.listed(*who):
                subprocess.run(self.argv([*who, "delete", "--force", name]), env=self.environment(), check=False,
                               capture_output=True, timeout=60)
        self.podman.remove_all()
        return self.remaining()

    def close(self):
        self.podman.close()
