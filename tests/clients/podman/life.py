"""podman on a container that runs: exec, pause, top, stats, logs, update, kill, stop, rm."""
from contextlib import contextmanager

from harness.scenario import scenario
from harness.step import ANY_FAILURE
from podman.client import IMAGE

# Only PID 1 is sure: a runtime's own threads may use up numbers.
OTHER_PIDS = [(r"^(?!1 )\d+ +", "<pid> ")]
OBEDIENT = "trap 'echo asked; exit 0' TERM; trap 'echo hup' HUP; echo ready; while :; do sleep 100 & wait $!; done"


@contextmanager
def running(podman, *options, name="box", command=("sleep", "100")):
    podman.hidden("run", "-d", "--name", name, "--network", "none", *options, IMAGE, *command)
    yield name
    podman("rm", "-f", "-t", "0", name).expect(stdout=f"{name}\n")


def wait_for_log(podman, name, pattern):
    """Waits until the container has written it; not compared: where -f stops is chance."""
    call = podman.begin("logs", "-f", name)
    call.read_until(pattern)
    podman.drop(call)


@scenario("podman")
def exec_plain(podman):
    """exec: streams, exit code, stdin, user, directory, environment."""
    with running(podman, "-e", "OUTER=1") as name:
        podman("exec", name, "sh", "-c", "echo out; echo err >&2; exit 7").expect(7, "out\n", error="^err$")
        podman("exec", "-i", name, "cat", stdin="one\ntwo").expect(stdout="one\ntwo")
        podman("exec", "-u", "ann", name, "id").expect(has=r"^uid=1000\(ann\) gid=1000\(ann\) groups=.*2000\(extra\)$")
        podman("exec", "-w", "/etc", name, "pwd").expect(stdout="/etc\n")
        podman("exec", "-e", "INNER=2", name, "sh", "-c", "env | sort").expect(has="^INNER=2$").expect(has="^OUTER=1$")
        podman("exec", name, "sh", "-c", "ls /proc/self/fd; ps -o ppid,args | grep 'sleep 10[0]'").expect(has="sleep 100")


@scenario("podman")
def exec_privileges(podman):
    """exec has the container's capabilities, cgroups, seccomp; --privileged has all."""
    look = "grep -E 'Cap|Seccomp:|NoNewPrivs' /proc/self/status; cat /proc/self/cgroup; for n in cgroup ipc mnt net pid uts; do [ $(readlink /proc/1/ns/$n) = $(readlink /proc/self/ns/$n) ] && echo same $n; done"
    with running(podman) as name:
        podman("exec", name, "sh", "-c", look).expect(has="CapEff:\t00000000a80425fb").expect(has="^same mnt")
        podman("exec", "--privileged", name, "grep", "-E", "Cap|Seccomp:", "/proc/self/status").expect(has="CapEff:\t0000")
        podman("exec", "-u", "ann", name, "grep", "CapEff", "/proc/self/status").expect(stdout="CapEff:\t0000000000000000\n")


@scenario("podman")
def exec_detached(podman):
    """exec -d: returns at once, the process lives in the container."""
    with running(podman) as name:
        podman("exec", "-d", name, "sh", "-c", "echo here >/tmp/mark; mkfifo /tmp/end; cat /tmp/end").expect(has="^[0-9a-f]{64}$")
        podman("exec", name, "sh", "-c", "until [ -p /tmp/end ]; do usleep 10000; done; cat /tmp/mark; echo >/tmp/end").expect(stdout="here\n")


@scenario("podman")
def exec_bad(podman):
    """exec of what cannot be executed, or where nothing runs."""
    with running(podman) as name:
        podman("exec", name, "absent").expect(127, error="absent")
        podman("exec", name, "/absent").expect(127, error="/absent")
        podman("exec", name, "/etc/data").expect(126, error="permission denied")
        podman("exec", name, "/etc").expect(126, error="/etc")
        podman("exec", name, "/bin/not-a-format").expect(ANY_FAILURE)
        podman("exec", name, "/bin/no-interpreter").expect(ANY_FAILURE)
        podman("exec", "-w", "/absent", name, "true").expect(ANY_FAILURE)
        podman("exec", "-u", "nobody-here", name, "true").expect(ANY_FAILURE, error="nobody-here")
        podman("kill", name).expect()
        podman("wait", name).expect(stdout="137\n")
        podman("exec", name, "true").expect(255, error="container state improper")


@scenario("podman")
def pause_unpause(podman):
    """pause freezes; exec, kill and stop of a paused container; unpause goes on."""
    with running(podman) as name:
        podman("pause", name).expect(stdout=f"{name}\n")
        podman("inspect", "--format", "{{.State.Status}} {{.State.Paused}}", name).expect(stdout="paused true\n")
        podman("exec", name, "true").expect(255, error="paused|improper")
        podman("pause", name).expect(125, error="paused|running")
        podman("stop", "-t", "0", name)
        podman("unpause", name).expect(stdout=f"{name}\n")
        podman("inspect", "--format", "{{.State.Status}}", name).expect(stdout="running\n")
        podman("unpause", name).expect(125, error="not paused")
        podman("exec", name, "echo", "alive").expect(stdout="alive\n")


@scenario("podman")
def rm_paused(podman):
    """rm refuses what runs or is paused; rm -f removes it."""
    with running(podman) as name:
        podman("rm", name).expect(2, error="cannot remove")
        podman("pause", name).expect()
        podman("rm", name).expect(2, error="cannot remove")


@scenario("podman")
def top(podman):
    """top, with podman's own descriptors and with the container's ps."""
    with running(podman, command=("sh", "-c", "sleep 77; true")) as name:
        podman("exec", name, "sh", "-c", "until pidof sleep >/dev/null; do usleep 10000; done").expect()
        podman("top", name, "pid", "ppid", "user", "comm", "args", "state", "seccomp", "capeff", mask=OTHER_PIDS).expect(has="sleep 77")
        podman("top", name, "-o", "args").expect(has="sleep 77")


@scenario("podman")
def stats(podman):
    """stats --no-stream counts processes and memory in the container's cgroup."""
    with running(podman, "--memory", "64m") as name:
        step = podman("stats", "--no-stream", "--format", "{{.Name}} {{.PIDs}} {{.MemUsage}}", name, mask=[(r"[\d.]+[kM]?B / ", "<used> / ")])
        step.expect(has="^box 1 [1-9].*/ 67.11MB$")


@scenario("podman")
def logs(podman):
    """logs: --tail, -t, both streams, -f until the end."""
    podman("run", "-d", "--name", "talker", "--network", "none", IMAGE, "sh", "-c", "for i in 1 2 3; do echo line $i; done; echo -n unfinished; read x").expect()
    podman("wait", "talker").expect()
    podman("logs", "talker").expect(has="line 1\nline 2\nline 3\nunfinished")
    podman("logs", "--tail", "2", "talker").expect(has="unfinished")
    podman("logs", "-t", "talker").expect(has="line 2$")
    podman("logs", "-f", "talker").expect(has="line 3$")
    podman("rm", "talker").expect()
    podman("run", "--log-driver", "none", "--name", "mute", "--network", "none", IMAGE, "echo", "spoken").expect(stdout="spoken\n")
    podman("logs", "mute").expect(125)
    podman("rm", "mute").expect()


@scenario("podman")
def update(podman):
    """update writes the limits of what runs."""
    knobs = "cd /sys/fs/cgroup; for f in memory/memory.limit_in_bytes cpu/cpu.shares cpu/cpu.cfs_quota_us cpuset/cpuset.cpus memory.max cpu.weight cpu.max cpuset.cpus; do [ -e $f ] && echo $f $(cat $f); done; true"
    with running(podman, "--memory", "64m") as name:
        podman("exec", name, "sh", "-c", knobs).expect(has=" 67108864$")
        podman("update", "--memory", "96m", name).expect(has="[0-9a-f]{64}")
        podman("exec", name, "sh", "-c", knobs).expect(has=" 100663296$")
        podman("update", "--cpus", "0.5", "--cpu-shares", "512", "--cpuset-cpus", "0", name).expect()
        podman("exec", name, "sh", "-c", knobs).expect(has="50000").expect(has="cpuset.cpus 0$")
        podman("update", "--cpuset-cpus", "4096", name).expect(125)


@scenario("podman")
def kill(podman):
    """kill sends the signal asked for; of what does not run it fails."""
    with running(podman, command=("sh", "-c", OBEDIENT)) as name:
        wait_for_log(podman, name, "ready")
        podman("kill", "-s", "HUP", name).expect(stdout=f"{name}\n")
        wait_for_log(podman, name, "hup")
        podman("kill", "-s", "SIGTERM", name).expect()
        podman("wait", name).expect(stdout="0\n")
        podman("logs", name).expect(stdout="ready\nhup\nasked\n")
        podman("kill", name).expect(125, error="can only kill running containers")
        podman("kill", "-s", "NONSENSE", name).expect(125, error="NONSENSE")
    with running(podman) as name:
        podman("kill", name).expect()
        podman("wait", name).expect(stdout="137\n")


@scenario("podman")
def stop(podman):
    """stop asks, then kills after its time."""
    with running(podman, command=("sh", "-c", OBEDIENT)) as name:
        wait_for_log(podman, name, "ready")
        podman("stop", "-t", "30", name).expect(stdout=f"{name}\n")
        podman("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", name).expect(stdout="exited 0\n")
        podman("stop", name).expect(stdout=f"{name}\n")
    with running(podman, command=("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 100; done")) as name:
        wait_for_log(podman, name, "ready")
        podman("stop", "-t", "1", name).expect(stdout=f"{name}\n")
        podman("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", name).expect(stdout="exited 137\n")


@scenario("podman")
def rm_many_processes(podman):
    """rm -f ends everything in the container, orphans and daemons included."""
    forks = "for i in 1 2 3 4 5; do setsid sleep 1000 & done; (trap '' TERM HUP INT; sleep 1000) & echo ready; wait"
    with running(podman, command=("sh", "-c", forks)) as name:
        wait_for_log(podman, name, "ready")
        podman("exec", "-d", name, "sleep", "1000").expect()


@scenario("podman")
def ps_and_inspect(podman):
    """What podman tells of a container is the same whoever runs it."""
    with running(podman, "--memory", "64m", "--read-only") as name:
        podman("ps", "--format", "{{.Names}} {{.Image}} {{.Command}} {{.Status}}", mask=[(r"Up .*", "Up")]).expect(has="box .* Up ")
        podman("inspect", "--format", "{{json .HostConfig}}", name).expect(has='"Memory":67108864')
        podman("inspect", "--format", "{{.EffectiveCaps}} {{.BoundingCaps}} {{.State.CgroupPath}}", name).expect(has="CAP_CHOWN")


@scenario("podman")
def copy_and_diff(podman):
    """cp into and out of a running container, diff, commit-free."""
    source = f"{podman.client.scratch}/sent"
    with open(source, "w", encoding="utf-8") as file:
        file.write("sent\n")
    with running(podman, "--tmpfs", "/fast") as name:
        podman("cp", source, f"{name}:/tmp/arrived").expect()
        podman("exec", name, "cat", "/tmp/arrived").expect(stdout="sent\n")
        podman("cp", source, f"{name}:/fast/arrived").expect()
        podman("exec", name, "cat", "/fast/arrived").expect(stdout="sent\n")
        podman("cp", f"{name}:/etc/data", f"{podman.client.scratch}/fetched").expect()
        podman("diff", name).expect(has="^A /tmp/arrived$")


@scenario("podman")
def healthcheck(podman):
    """healthcheck run: exec's exit code becomes the health. (No systemd, no timer.)"""
    with running(podman, "--health-cmd", "test -e /tmp/well", "--health-retries", "1") as name:
        podman("healthcheck", "run", name).expect(1)
        podman("inspect", "--format", "{{.State.Health.Status}} {{.State.Health.FailingStreak}}", name).expect(has="^unhealthy 1$")
        podman("exec", name, "touch", "/tmp/well").expect()
        podman("healthcheck", "run", name).expect(0)
        podman("inspect", "--format", "{{.State.Health.Status}} {{.State.Health.FailingStreak}}", name).expect(has="^healthy 0$")
