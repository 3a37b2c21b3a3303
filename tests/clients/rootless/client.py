"""podman of an ordinary user: his own storage, state, runtime directory and
copy of the runtime."""
import os
import shutil
import subprocess

from harness import ordinary_user
from harness.scenario import Skipped
from podman.client import Client as Podman


class Client(Podman):
    NAME, DRIVER = "rootless", "vfs"

    def __init__(self, work, side, runtime):
        hindrance = ordinary_user.hindrance()
        if hindrance:
            raise Skipped(hindrance)
        super().__init__(work, side, runtime)

    def prepare(self):
        # Where the runtime lies he may not be let in.
        self.runtime = shutil.copy(self.runtime, self.directory)
        os.mkdir(f"{self.directory}/runtime", 0o700)
        ordinary_user.own(self.directory)
        subprocess.run(["mount", "--make-shared", "/"], check=True)  # as everywhere; podman warns if it is not

    def argv(self, words):
        return ordinary_user.command(super().argv(words))

    def environment(self):
        return {**super().environment(), "XDG_RUNTIME_DIR": f"{self.directory}/runtime"}

    def close(self):
        self.checked("system", "migrate")  # ends the process that keeps his user namespace
        subprocess.run(["mount", "--make-private", "/"], check=True)
