"""podman run of what cannot run: exit codes 125, 126, 127 and their words."""
import os

from harness.scenario import scenario
from harness.step import ANY_FAILURE
from podman.client import IMAGE

HERMIT = ("--network", "none", "--rm")


@scenario("podman")
def bad_command(podman):
    """127 for what is not there, 126 for what is not a program."""
    podman("run", *HERMIT, IMAGE, "absent").expect(127, error="absent")
    podman("run", *HERMIT, IMAGE, "/absent").expect(127, error="/absent")
    podman("run", *HERMIT, IMAGE, "./absent").expect(127, error="absent")
    podman("run", *HERMIT, "-e", "PATH=/nowhere", IMAGE, "sh").expect(127, error="sh")
    podman("run", *HERMIT, IMAGE, "/etc/data").expect(126, error="/etc/data")
    podman("run", *HERMIT, IMAGE, "/etc").expect(126, error="/etc")
    podman("run", *HERMIT, IMAGE, "/etc/data/below").expect(ANY_FAILURE)
    podman("run", *HERMIT, IMAGE, "/bin/not-a-format").expect(ANY_FAILURE)
    podman("run", *HERMIT, IMAGE, "/bin/no-interpreter").expect(ANY_FAILURE)
    podman("run", *HERMIT, "-t", IMAGE, "absent").expect(127)


@scenario("podman")
def bad_command_detached(podman):
    """-d fails the same way, and leaves a container that was created only."""
    podman("run", "-d", "--name", "never", "--network", "none", IMAGE, "absent").expect(127, error="absent")
    podman("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", "never").expect(has="^created")
    podman("start", "never").expect(ANY_FAILURE, error="absent")
    podman("logs", "never").expect()
    podman("rm", "never").expect(stdout="never\n")


@scenario("podman")
def bad_user_and_directory(podman):
    """Users, groups and directories that are not there or cannot be."""
    podman("run", *HERMIT, "-u", "nobody-here", IMAGE, "true").expect(126, error="nobody-here")
    podman("run", *HERMIT, "-u", "ann:nogroup-here", IMAGE, "true").expect(126, error="nogroup-here")
    podman("run", *HERMIT, "-w", "/etc/data", IMAGE, "true").expect(ANY_FAILURE)
    podman("run", *HERMIT, "-w", "relative", IMAGE, "pwd").expect(ANY_FAILURE)
    podman("run", *HERMIT, "-u", "ann", IMAGE, "sh", "-c", "cat /root/x; echo $HOME").expect(0, "/home/ann\n", error="Permission denied|No such file")


@scenario("podman")
def bad_image(podman):
    """Images, root directories and sources that are not there."""
    podman("run", *HERMIT, "--pull=never", "absent-image", "true").expect(125, error="absent-image")
    podman("run", *HERMIT, "--pull=never", "NOT/an:image:name", "true").expect(125)
    podman("run", *HERMIT, "--rootfs", f"{podman.client.scratch}/absent", "true").expect(ANY_FAILURE)
    podman("run", *HERMIT, "-v", f"{podman.client.scratch}/absent:/x", IMAGE, "true").expect(125, error="no such file or directory")
    podman("run", *HERMIT, "-v", "/etc/hostname:/etc", IMAGE, "true").expect(ANY_FAILURE)
    podman("run", *HERMIT, "-v", f"{podman.client.scratch}:/etc/data", IMAGE, "true").expect(ANY_FAILURE)
    podman("run", *HERMIT, "--mount", "type=bind,src=/etc,dst=/etc/data/below", IMAGE, "true").expect(ANY_FAILURE)


@scenario("podman")
def odd_roots(podman):
    """Root directories without /proc, /dev, /etc, or with links and files in their place."""
    for name, prepare in ODD_ROOTS.items():
        root = f"{podman.client.scratch}/{name}"
        os.makedirs(f"{root}/bin")
        podman.client.copy_busybox(f"{root}/bin")
        prepare(root)
        podman("run", *HERMIT, "--rootfs", root, "ls", "-1", "/")
    podman.require(not os.path.exists("/made-outside"), "a path was made outside the container's root")
    podman.client.forget_scratch()


def make_file(path):
    with open(path, "w", encoding="utf-8"):
        pass


ODD_ROOTS = {
    "bare": lambda root: None,
    "dev-link": lambda root: os.symlink("/made-outside", f"{root}/dev"),
    "proc-link": lambda root: os.symlink("/tmp", f"{root}/proc"),
    "sys-file": lambda root: make_file(f"{root}/sys"),
    "etc-file": lambda root: make_file(f"{root}/etc"),
    "hosts-link": lambda root: (os.mkdir(f"{root}/etc"), os.symlink("../../../made-outside", f"{root}/etc/hosts")),
}


@scenario("podman")
def bad_options(podman):
    """Options that the runtime, not podman, has to refuse."""
    podman("run", *HERMIT, "--cpuset-cpus", "4096", IMAGE, "true").expect(ANY_FAILURE)
    podman("run", *HERMIT, "--sysctl", "net.core.somaxconn=many", IMAGE, "true").expect(ANY_FAILURE)
    podman("run", *HERMIT, "--oom-score-adj", "5000", IMAGE, "true").expect(ANY_FAILURE)
    podman("run", *HERMIT, "--uidmap", "0:4294967290:5000", IMAGE, "true", mask=[(r"/proc/\d+/", "/proc/<pid>/")]).expect(ANY_FAILURE)
    podman("run", *HERMIT, "--tmpfs", "/t:size=nonsense", IMAGE, "true").expect(ANY_FAILURE)


@scenario("podman")
def checkpoint_without_criu(podman):
    """checkpoint fails cleanly where criu is not installed; the container goes on."""
    podman.hidden("run", "-d", "--name", "still", "--network", "none", IMAGE, "sleep", "100")
    podman("container", "checkpoint", "still").expect(125)
    podman("exec", "still", "echo", "alive").expect(stdout="alive\n")
    podman("rm", "-f", "-t", "0", "still").expect()
