"""podman run with mounts: binds, tmpfs, volumes, read-only roots."""
import os

from harness.scenario import scenario
from podman.client import IMAGE
from podman.inside import MOUNTS

HERMIT = ("--network", "none", "--rm")


def source(podman, name="given"):
    directory = f"{podman.client.scratch}/{name}"
    os.makedirs(f"{directory}/below", exist_ok=True)
    with open(f"{directory}/file", "w", encoding="utf-8") as file:
        file.write("from outside\n")
    return directory


def table(podman, pattern, *options):
    return podman("run", *HERMIT, *options, IMAGE, "grep", "-E", pattern, "/proc/self/mountinfo", mask=MOUNTS)


@scenario("podman")
def read_only(podman):
    """--read-only, with and without the usual tmpfs."""
    podman("run", *HERMIT, "--read-only", IMAGE, "sh", "-c", "touch /tmp/y /run/y && echo fine; touch /x").expect(1, "fine\n", error="Read-only file system")
    podman("run", *HERMIT, "--read-only", "--read-only-tmpfs=false", IMAGE, "touch", "/tmp/x").expect(1, error="Read-only file system")
    podman("run", *HERMIT, "--read-only", "--tmpfs", "/scratch", IMAGE, "touch", "/scratch/x").expect()


@scenario("podman")
def binds(podman):
    """-v of directories and files, writable, read-only, propagated, nested."""
    given = source(podman)
    podman("run", *HERMIT, "-v", f"{given}:/given", IMAGE, "sh", "-c", "cat /given/file; echo inside >/given/made").expect(stdout="from outside\n")
    with open(f"{given}/made", encoding="utf-8") as file:
        podman.require(file.read() == "inside\n", "what the container wrote did not arrive")
    podman("run", *HERMIT, "-v", f"{given}:/given:ro", IMAGE, "touch", "/given/x").expect(1, error="Read-only file system")
    podman("run", *HERMIT, "-v", f"{given}/file:/etc/data:ro", IMAGE, "cat", "/etc/data").expect(stdout="from outside\n")
    podman("run", *HERMIT, "-v", f"{given}:/a/b/c", "-v", f"{given}/file:/a/b/c/below/new", IMAGE, "cat", "/a/b/c/below/new").expect(stdout="from outside\n")
    for options in ("rw", "ro", "rslave", "rshared", "private", "nosuid,nodev,noexec", "ro,bind", "rw,rbind", "exec,suid,dev"):
        table(podman, " /given ", "-v", f"{given}:/given:{options}").expect(has=" /given ")


@scenario("podman")
def mount_options(podman):
    """--mount bind, tmpfs, devpts, with their options."""
    given = source(podman)
    table(podman, " /m ", "--mount", f"type=bind,src={given},dst=/m,ro=true,bind-propagation=rslave").expect(has=" /m ro")
    table(podman, " /m ", "--mount", "type=tmpfs,dst=/m,tmpfs-size=1m,tmpfs-mode=1700").expect(has="size=1024k.*mode=1700|mode=1700.*size=1024k")
    table(podman, " /m ", "--mount", "type=devpts,dst=/m").expect(has="devpts")
    table(podman, " /t ", "--tmpfs", "/t:rw,size=512k,mode=711,noexec").expect(has="noexec")
    podman("run", *HERMIT, "--tmpfs", "/etc:rw", IMAGE, "sh", "-c", "ls /etc | sort").expect(has="^data$")  # tmpcopyup
    podman("run", *HERMIT, "--tmpfs", "/m", IMAGE, "stat", "-c", "%a %u:%g %F", "/m").expect(has="directory$")


@scenario("podman")
def volumes(podman):
    """Named volumes: filled from the image, kept, shared."""
    podman("run", *HERMIT, "-v", "kept:/home", IMAGE, "sh", "-c", "ls /home; echo note >/home/ann/note").expect(stdout="ann\n")
    podman("run", *HERMIT, "-v", "kept:/elsewhere", IMAGE, "cat", "/elsewhere/ann/note").expect(stdout="note\n")
    podman("volume", "rm", "kept").expect(stdout="kept\n")
    podman("run", *HERMIT, "--mount", f"type=image,source={IMAGE},dst=/image", IMAGE, "cat", "/image/etc/data").expect(stdout="not a program\n")


@scenario("podman")
def symlinked_targets(podman):
    """Mount targets through links of the image stay within its root."""
    given = source(podman)
    root = f"{podman.client.scratch}/root"
    os.makedirs(f"{root}/real", exist_ok=True)
    for name in ("bin", "proc", "sys", "dev", "etc", "tmp"):
        os.makedirs(f"{root}/{name}", exist_ok=True)
    podman.client.copy_busybox(f"{root}/bin")
    for link, to in (("relative", "real"), ("absolute", "/real"), ("outside", "../../../../../../real"), ("dangling", "/made/by/it")):
        os.path.lexists(f"{root}/{link}") or os.symlink(to, f"{root}/{link}")
    for link in ("relative", "absolute", "outside", "dangling"):
        step = podman("run", *HERMIT, "-v", f"{given}:/{link}", "--rootfs", root, "cat", f"/{link}/file")
        step.expect(stdout="from outside\n")
    podman("run", *HERMIT, "-v", f"{given}:/absolute/deeper", "--rootfs", root, "cat", "/real/deeper/file").expect(stdout="from outside\n")
    podman.require(not os.path.exists("/real") and not os.path.exists("/made"), "a mount target was made outside the container's root")
    podman.client.forget_scratch()
