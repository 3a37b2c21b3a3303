"""A podman of our own: storage, state, configuration and image."""
import os
import shutil
import subprocess

from harness.isolation import write

IMAGE = "busybox:test"
IMAGE_PATH = "/sbin:/bin"  # ctr adds none of its own


class Client:
    NAME, DRIVER = "podman", "overlay"

    def __init__(self, work, side, runtime):
        self.side, self.runtime = side, runtime
        self.runtime_name = os.path.basename(runtime)
        self.directory = f"{work}/{self.NAME}-{side}"
        self.scratch = f"{self.directory}/scratch"
        for name in ("", "/scratch", "/home"):
            os.mkdir(self.directory + name)
        self.configure()
        self.prepare()
        self.import_image()

    def prepare(self):
        """For who needs more than directories and configuration before the first call."""

    def configure(self):
        # The host cannot raise hard limits: no default ulimits. podman asks a
        # runtime for JSON logs only if it knows its name.
        write(f"{self.directory}/containers.conf", f"""
[containers]
default_ulimits = []
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime_supports_json = ["{self.runtime_name}"]
""")
        write(f"{self.directory}/storage.conf", f"""
[storage]
driver = "{self.DRIVER}"
graphroot = "{self.directory}/store"
runroot = "{self.directory}/run"
""")

    def import_image(self):
        """A root file system of busybox, with what the scenarios trip over."""
        root = f"{self.directory}/image"
        for name in ("bin", "etc", "tmp", "root", "home/ann"):
            os.makedirs(f"{root}/{name}")
        os.chmod(f"{root}/tmp", 0o1777)
        self.copy_busybox(f"{root}/bin")
        write(f"{root}/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000:ann:/home/ann:/bin/sh\n")
        write(f"{root}/etc/group", "root:x:0:\nann:x:1000:\nextra:x:2000:ann\n")
        write(f"{root}/etc/data", "not a program\n")
        write(f"{root}/bin/not-a-format", "\x7fnothing the kernel knows\n")
        write(f"{root}/bin/no-interpreter", "#!/bin/absent\n")
        for name in ("not-a-format", "no-interpreter"):
            os.chmod(f"{root}/bin/{name}", 0o755)
        archive = f"{self.directory}/image.tar"
        subprocess.run(["tar", "-C", root, "-cf", archive, "."], check=True)
        self.checked("import", "--change", 'CMD ["/bin/sh"]', "--change", "ENV FROM_IMAGE=yes", "--change", f"ENV PATH={IMAGE_PATH}", archive, IMAGE)

    @staticmethod
    def copy_busybox(directory):
        subprocess.run(["cp", "/bin/busybox", directory], check=True)
        applets = subprocess.run(["/bin/busybox", "--list"], check=True, capture_output=True, text=True).stdout.split()
        for applet in applets:
            if applet != "busybox":
                os.symlink("busybox", f"{directory}/{applet}")

    def forget_scratch(self):
        shutil.rmtree(self.scratch)
        os.mkdir(self.scratch)

    def argv(self, words):
        directory = self.directory
        return ["podman", "--root", f"{directory}/store", "--runroot", f"{directory}/run", "--tmpdir", f"{directory}/tmp",
                "--cgroup-manager=cgroupfs", "--runtime", self.runtime, *words]

    @staticmethod
    def shown(words):
        return ["podman", *words]

    def environment(self):
        return {"PATH": os.environ["PATH"], "HOME": f"{self.directory}/home", "TERM": "xterm", "LANG": "C.UTF-8",
                "CONTAINERS_CONF": f"{self.directory}/containers.conf",
                "CONTAINERS_STORAGE_CONF": f"{self.directory}/storage.conf"}

    def checked(self, *words):
        """The output of a call that the harness itself needs."""
        done = subprocess.run(self.argv(words), env=self.environment(), check=False, capture_output=True, text=True,
                              timeout=60, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise SystemExit(f"{' '.join(done.args)}: exit code {done.returncode}: {done.stderr}")
        return done.stdout

    def places(self):
        return {self.runtime: "RUNTIME", self.directory: "DIRECTORY"}

    def remaining(self):
        """Containers, pods and volumes that a scenario should have removed."""
        found = []
        for kind, words in (("container", ("ps", "--all", "--format", "{{.Names}} {{.Status}}")),
                            ("pod", ("pod", "ls", "--format", "{{.Name}}")),
                            ("volume", ("volume", "ls", "--format", "{{.Name}}"))):
            found += [f"{kind} {line}" for line in self.checked(*words).splitlines()]
        return found

    def remove_all(self):
        for words in (("rm", "--all", "--force", "--time", "0"), ("pod", "rm", "--all", "--force"), ("volume", "rm", "--all", "--force")):
            try:
                subprocess.run(self.argv(words), env=self.environment(), check=False, capture_output=True, timeout=60,
                               stdin=subprocess.DEVNULL)
            except subprocess.TimeoutExpired:
                pass
        return self.remaining()

    def close(self):
        subprocess.run(["umount", f"{self.directory}/store/overlay"], check=False, capture_output=True)
