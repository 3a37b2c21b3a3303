"""Bundles as other tools make them, run as they are."""
import os
import shutil

from bundles.client import IMAGE, LAYOUT_IMAGE, ORDINARY
from harness import ordinary_user
from harness.isolation import write
from harness.scenario import scenario

PROMPT = r"[#$] "
# A hybrid host's v2 hierarchy is shown by troupe-oci only.
LOOK = ("id; hostname; pwd; env | sort; test -t 0 && tty; grep -E 'Cap|Seccomp:|NoNewPrivs' /proc/self/status; "
        "cut -d' ' -f5 /proc/self/mountinfo | sort -u | grep -v /cgroup/unified; touch /etc/x /sys/x; exit 7")
LIMIT = "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null"
# Up to the first command the shell edits its line, and asks for the cursor's place.
EDITED = (r"\A[\s\S]*?\nbegun\n[^\n]*?[#$] ", "<prompt> ")


def with_root(box, name, owner=None):
    """A bundle that lacks nothing but its config.json."""
    bundle = f"{box.client.scratch}/{name}"
    shutil.copytree(f"{box.client.podman.directory}/image", f"{bundle}/rootfs", symlinks=True)
    if owner:
        ordinary_user.own(bundle)
    return bundle


def for_ordinary_user(box):
    hindrance = ordinary_user.hindrance()
    if hindrance:
        box.skip(hindrance)


def run_shell(box, bundle, who=()):
    """run of a bundle whose program is a shell on a terminal."""
    terminal = box.terminal(*who, "run", "--bundle", bundle, "web", mask=[EDITED])
    terminal.expect(PROMPT)
    terminal.send("stty -echo; echo beg''un\n")
    terminal.expect(r"\nbegun\r\n[^\n]*" + PROMPT)
    terminal.send(f"{LOOK}\n")
    box.end(terminal).expect(7, has="uid=0")
    box.client.forget_scratch()


@scenario("bundles")
def runc_spec(box):
    """runc spec."""
    bundle = with_root(box, "runc")
    box.client.tool("runc", "spec", where=bundle)
    run_shell(box, bundle)


@scenario("bundles")
def crun_spec(box):
    """crun spec."""
    bundle = with_root(box, "crun")
    box.client.tool("crun", "spec", where=bundle)
    run_shell(box, bundle)


@scenario("bundles")
def umoci_unpack(box):
    """umoci unpack of an OCI image."""
    bundle = f"{box.client.scratch}/umoci"
    box.client.tool("umoci", "unpack", "--image", LAYOUT_IMAGE, bundle)
    run_shell(box, bundle)


@scenario("bundles")
def runc_spec_rootless(box):
    """runc spec --rootless, by an ordinary user."""
    for_ordinary_user(box)
    bundle = with_root(box, "runc-rootless", owner=ordinary_user.NAME)
    box.client.tool("runc", "spec", "--rootless", where=bundle, ordinary=True)
    run_shell(box, bundle, [ORDINARY])


@scenario("bundles")
def umoci_unpack_rootless(box):
    """umoci unpack --rootless, by an ordinary user."""
    for_ordinary_user(box)
    bundle = f"{box.client.scratch}/umoci"
    box.client.tool("umoci", "unpack", "--rootless", "--image", f"{box.client.directory}/{LAYOUT_IMAGE}", bundle, ordinary=True)
    run_shell(box, bundle, [ORDINARY])


@scenario("bundles")
def podman_export(box):
    """podman export: a container's files, with runc's config.json."""
    podman, bundle = box.client.podman, f"{box.client.scratch}/export"
    os.makedirs(f"{bundle}/rootfs")
    podman.checked("run", "--name", "made", "--network", "none", IMAGE, "sh", "-c", "echo changed >/etc/changed")
    podman.checked("export", "--output", f"{bundle}/export.tar", "made")
    podman.checked("rm", "made")
    box.client.tool("tar", "-xf", f"{bundle}/export.tar", "-C", f"{bundle}/rootfs")
    box.client.tool("runc", "spec", where=bundle)
    run_shell(box, bundle)


@scenario("bundles")
def podman_bundle(box):
    """The bundle that podman made of a container, without podman above."""
    podman = box.client.podman
    code = f"{box.client.scratch}/code"
    write(code, "0")
    podman.checked("run", "--name", "made", "--network", "none", "--hostname", "box", "--memory", "64m", "-e", "GREETING=a b", "-u", "ann",
                   "-v", f"{code}:/code:ro", IMAGE, "sh", "-c", LOOK.replace("exit 7", f"{LIMIT}; exit $(cat /code)"))
    config = podman.checked("inspect", "--format", "{{.OCIConfigPath}}", "made").strip()
    podman.checked("mount", "made")
    write(code, "7")
    box("run", "--bundle", os.path.dirname(config), "web").expect(7, has="^uid=1000").expect(7, has="^67108864$")
    podman.checked("umount", "made")
    podman.checked("rm", "made")
    box.client.forget_scratch()
