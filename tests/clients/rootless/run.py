"""podman of an ordinary user: run, in the foreground and detached."""
from harness.scenario import scenario
from podman.client import IMAGE

HERMIT = ("--network", "none", "--rm")


@scenario("rootless")
def run_rm(podman):
    """run --rm: output, error, exit code, ids."""
    podman("run", *HERMIT, IMAGE, "sh", "-c", "echo out; echo err >&2; exit 3").expect(3, "out\n", error="err")
    podman("run", *HERMIT, IMAGE, "sh", "-c", "id; cat /proc/self/uid_map /proc/self/gid_map")
    podman("run", *HERMIT, IMAGE, "sh", "-c", "cat /proc/self/mountinfo /proc/self/cgroup /proc/self/status")
