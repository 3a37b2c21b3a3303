"""podman of an ordinary user: a container's life, his ids, his mounts, and what
he cannot have without a cgroup of his own."""
from harness import ordinary_user
from harness.scenario import scenario
from podman.client import IMAGE
from podman.inside import MOUNTS
from podman.life import OBEDIENT, running, wait_for_log

HERMIT = ("--network", "none", "--rm")
# What the host keeps the scratch directory on, and in which peer group.
ON_DISK = (r"^\S+ (/|/bound|/kept|/etc/host\w+|/run/\.containerenv) (\S+) .*- .*$", r"<his> \1 \2")


@scenario("rootless")
def run(podman):
    """run: output, error, stdin, exit code."""
    podman("run", *HERMIT, "-i", IMAGE, "sh", "-c", "cat; echo err >&2; exit 7", stdin="one\ntwo\n").expect(7, "one\ntwo\n", error="^err$")


@scenario("rootless")
def life(podman):
    """run -d, ps, inspect, exec, kill, stop, wait, logs, start, rm."""
    with running(podman, command=("sh", "-c", OBEDIENT)) as name:
        wait_for_log(podman, name, "ready")
        podman("ps", "--format", "{{.Names}} {{.Image}} {{.Command}} {{.Status}}", mask=[(r"Up .*", "Up")]).expect(has="box .* Up")
        podman("inspect", "--format", "{{.State.Status}} {{.EffectiveCaps}} {{.State.CgroupPath}} {{json .HostConfig}}", name).expect(has="^running .*CAP_CHOWN")
        podman("exec", "-i", name, "sh", "-c", "cat; id -u; exit 5", stdin="in\n").expect(5, "in\n0\n")
        podman("kill", "-s", "HUP", name).expect(stdout=f"{name}\n")
        wait_for_log(podman, name, "hup")
        podman("stop", "-t", "30", name).expect(stdout=f"{name}\n")
        podman("wait", name).expect(stdout="0\n")
        podman("logs", name).expect(stdout="ready\nhup\nasked\n")
        podman("exec", name, "true").expect(255, error="container state improper")
        podman("start", name).expect(stdout=f"{name}\n")
        podman("kill", name).expect()
        podman("wait", name).expect(stdout="137\n")


@scenario("rootless")
def bad_commands(podman):
    """127 for what is not there, 126 for what is not a program."""
    podman("run", *HERMIT, IMAGE, "absent").expect(127, error="absent")
    podman("run", *HERMIT, IMAGE, "/etc/data").expect(126, error="/etc/data")
    podman("run", "-d", "--name", "never", "--network", "none", IMAGE, "/absent").expect(127, error="/absent")
    podman("rm", "never").expect(stdout="never\n")
    with running(podman) as name:
        podman("exec", name, "absent").expect(127, error="absent")
        podman("exec", name, "/etc/data").expect(126, error="permission denied")


@scenario("rootless")
def ids(podman):
    """Root inside is the user outside; --userns=keep-id and auto."""
    look = "id; cat /proc/self/uid_map /proc/self/gid_map; touch /tmp/made; stat -c '%n %u:%g' / /tmp/made /proc/1 /dev/null /dev/pts; stat -c %u /shared"
    shared = f"{podman.client.scratch}/shared"
    with open(shared, "w", encoding="utf-8") as file:
        file.write("his\n")
    ordinary_user.own(shared)
    here = ("-v", f"{shared}:/shared", IMAGE, "sh", "-c", look)
    podman("run", *HERMIT, *here).expect(has="^uid=0.*(\n.*)+\n0$")
    podman("run", *HERMIT, "--userns=auto", *here).expect(has="^uid=0.*(\n.*)+\n65534$")
    kept = ordinary_user.ids()[0]
    podman("run", *HERMIT, "--userns=keep-id", *here).expect(has=f"^uid={kept}.*(\n.*)+\n{kept}$")
    with running(podman, "--userns=keep-id") as name:
        podman("exec", name, "sh", "-c", "id; grep Cap /proc/self/status").expect(has=f"^uid={kept}")


@scenario("rootless")
def mounts(podman):
    """The whole mount table, volumes and tmpfs included."""
    podman("run", *HERMIT, "--read-only", "--tmpfs", "/fast", "-v", "kept:/kept", "-v", f"{podman.client.scratch}:/bound:ro", IMAGE,
           "sh", "-c", "sort -k 5,5 -s /proc/self/mountinfo; touch /x /kept/x /fast/x; touch /bound/x",
           mask=[*MOUNTS, ON_DISK]).expect(1, has=" /bound ro")
    podman("volume", "rm", "kept").expect()


@scenario("rootless")
def without_cgroups(podman):
    """Limits are passed over, and what needs a cgroup is refused."""
    with running(podman, "--memory", "64m") as name:
        podman("exec", name, "cat", "/proc/self/cgroup").expect()
        for words in (("pause",), ("update", "--memory", "96m"), ("stats", "--no-stream")):
            podman(*words, name).expect(125)
