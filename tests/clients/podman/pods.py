"""podman pod: a pause container and what shares its namespaces."""
from harness.scenario import scenario
from podman.client import IMAGE


@scenario("podman")
def pod(podman):
    """Containers of a pod share network, ipc and uts; pause, kill, stop, rm act on all."""
    podman("pod", "create", "--name", "pea", "--network", "none", "--hostname", "pea").expect(has="[0-9a-f]{64}")
    for name in ("one", "two"):
        podman("run", "-d", "--pod", "pea", "--name", name, IMAGE, "sleep", "100").expect()
    look = "hostname; for n in net ipc uts pid mnt; do readlink /proc/self/ns/$n; done"
    one, two = (podman.hidden("exec", name, "sh", "-c", look).stdout.split() for name in ("one", "two"))
    podman.require(one[:4] == two[:4] and one[4] != two[4] and one[5] != two[5], f"namespaces of one {one}, two {two}")
    podman("ps", "--all", "--pod", "--format", "{{.Names}} {{.Command}} {{.PodName}}", "--sort", "names", mask=[(r"\S+-infra", "<infra>")]).expect(has="^one sleep 100 pea$")
    podman("pod", "pause", "pea").expect()
    podman("inspect", "--format", "{{.State.Status}}", "one", "two").expect(stdout="paused\npaused\n")
    podman("pod", "unpause", "pea").expect()
    podman("pod", "top", "pea", "pid", "args", sort=True).expect(has="sleep 100")
    podman("pod", "stats", "--no-stream", "--format", "{{.Name}} {{.PIDS}}", "pea", sort=True, mask=[(r"\S+-infra", "<infra>")]).expect(has="^two 1$")
    podman("pod", "kill", "pea").expect()
    podman("wait", "one", "two").expect(stdout="137\n137\n")
    podman("pod", "start", "pea").expect()
    podman("exec", "two", "hostname").expect(stdout="pea\n")
    podman("pod", "stop", "-t", "0", "pea").expect()
    podman("pod", "rm", "-f", "-t", "0", "pea").expect()


@scenario("podman")
def pod_shared_pid(podman):
    """--share pid: the pause program is PID 1 of all, and reaps."""
    podman("pod", "create", "--name", "pea", "--network", "none", "--share", "net,ipc,uts,pid").expect()
    podman("run", "--rm", "--pod", "pea", IMAGE, "sh", "-c", "cat /proc/1/comm; test $$ != 1").expect(stdout="catatonit\n")
    podman("run", "-d", "--pod", "pea", "--name", "one", IMAGE, "sh", "-c", "sleep 1000 & sleep 1000").expect()
    podman("kill", "one").expect()
    podman("wait", "one").expect(stdout="137\n")
    podman("pod", "rm", "-f", "-t", "0", "pea").expect()


@scenario("podman")
def pod_without_infra(podman):
    """A pod that shares nothing is a group only."""
    podman("pod", "create", "--name", "bag", "--infra=false").expect()
    podman("run", "--rm", "--pod", "bag", "--network", "none", IMAGE, "echo", "in it").expect(stdout="in it\n")
    podman("pod", "rm", "bag").expect()


@scenario("podman")
def pod_limits(podman):
    """A pod's own limits, and its containers' cgroups below it."""
    podman("pod", "create", "--name", "pea", "--network", "none", "--memory", "128m", "--cpus", "1").expect()
    podman("run", "--rm", "--pod", "pea", "--memory", "64m", IMAGE, "sh", "-c", "cat /proc/self/cgroup").expect(has="libpod-")
    podman("pod", "rm", "-f", "-t", "0", "pea").expect()
