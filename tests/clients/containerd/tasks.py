"""ctr tasks on a container that runs: exec, ps, pause, metrics, kill, delete."""
from harness.scenario import scenario
from containerd.client import IMAGE
from containerd.events import PIDS, running, watched

OBEDIENT = "trap 'exit 5' TERM; trap 'touch /tmp/hup' HUP; touch /tmp/ready; while :; do sleep 100 & wait $!; done"
UNTIL = "until [ -e {} ]; do usleep 10000; done"


@scenario("containerd")
def task_exec(ctr):
    """tasks exec: streams, exit code, stdin, user, directory, cgroup."""
    with running(ctr):
        ctr("tasks", "exec", "--exec-id", "e", "box", "sh", "-c", "echo out; echo err >&2; exit 7").expect(7, "out\n", error="^err$")
        ctr("tasks", "exec", "--exec-id", "e", "box", "cat", stdin="one\ntwo").expect(stdout="one\ntwo")
        ctr("tasks", "exec", "--exec-id", "e", "--cwd", "/etc", "--user", "1000", "box", "sh", "-c", "pwd; id -u").expect(stdout="/etc\n1000\n")
        ctr("tasks", "exec", "--exec-id", "e", "box", "sh", "-c", "cat /proc/self/cgroup; grep -E 'Cap|NoNew|Seccomp:' /proc/self/status; ls /proc/self/fd").expect(has="/box$")
        ctr("tasks", "exec", "--exec-id", "e", "box", "sh", "-c", "for n in cgroup ipc mnt net pid uts; do [ $(readlink /proc/1/ns/$n) = $(readlink /proc/self/ns/$n) ] && echo same $n; done").expect(has="^same mnt$")


@scenario("containerd")
def task_exec_t(ctr):
    """tasks exec -t: its own terminal."""
    with running(ctr):
        script = 'until [ "$(stty size 2>/dev/null)" = "33 77" ]; do usleep 20000; done; test -t 1 && echo ready; read line; echo got $line; exit 8'
        terminal = ctr.terminal("tasks", "exec", "-t", "--exec-id", "e", "box", "sh", "-c", script, rows=33, columns=77)
        terminal.expect("ready")
        terminal.send("words\n")
        ctr.end(terminal).expect(8, has="got words")


@scenario("containerd")
def task_exec_detached(ctr):
    """tasks exec -d, ended by a kill of the exec alone."""
    with running(ctr) as events:
        ctr("tasks", "exec", "-d", "--exec-id", "e1", "box", "sleep", "1000").expect()
        ctr("tasks", "kill", "--exec-id", "e1", "-s", "KILL", "box").expect()
        events.wait("/tasks/exit", "e1")
        ctr("tasks", "delete", "--exec-id", "e1", "box")
        ctr("tasks", "list", mask=PIDS).expect(has="RUNNING")


@scenario("containerd")
def task_ps(ctr):
    """tasks ps: every process of the container, execs marked."""
    with running(ctr, command=("sh", "-c", "sleep 1000 & touch /tmp/ready; wait")):
        ctr("tasks", "exec", "--exec-id", "e", "box", "sh", "-c", UNTIL.format("/tmp/ready")).expect()
        ctr("tasks", "exec", "-d", "--exec-id", "e2", "box", "sleep", "1000").expect()
        step = ctr("tasks", "ps", "box", mask=PIDS).expect(has="e2")
        ctr.require(len(step.stdout.splitlines()) == 4, f"expected a title and three processes: {step.stdout!r}")


@scenario("containerd")
def task_pause(ctr):
    """pause, what is refused meanwhile, resume."""
    with running(ctr):
        ctr("tasks", "pause", "box").expect()
        ctr("tasks", "list", mask=PIDS).expect(has="PAUSED")
        ctr("tasks", "exec", "--exec-id", "e", "box", "true").expect(1)
        ctr("tasks", "pause", "box")
        ctr("tasks", "resume", "box").expect()
        ctr("tasks", "resume", "box")
        ctr("tasks", "list", mask=PIDS).expect(has="RUNNING")
        ctr("tasks", "exec", "--exec-id", "e", "box", "echo", "alive").expect(stdout="alive\n")


@scenario("containerd")
def task_metrics(ctr):
    """metrics: the shim finds the cgroup of the process that the runtime placed."""
    with running(ctr, "--memory-limit", "67108864"):
        step = ctr("tasks", "metrics", "box", mask=[(r"(usage\S*|cache) +.*", r"\1 <n>"), (r" +$", ""), (r"(ID|box) +.*", r"\1"), (r" {2,}", "  ")])
        step.expect(has=r"pids.current +1 ").expect(has=r"memory.limit_in_bytes +67108864|memory.usage_limit +67108864")


@scenario("containerd")
def task_kill(ctr):
    """kill: signals by name and number, what ignores them, what is gone."""
    with running(ctr, command=("sh", "-c", OBEDIENT)) as events:
        ctr("tasks", "exec", "--exec-id", "e", "box", "sh", "-c", UNTIL.format("/tmp/ready")).expect()
        ctr("tasks", "kill", "-s", "HUP", "box").expect()
        ctr("tasks", "exec", "--exec-id", "e", "box", "sh", "-c", UNTIL.format("/tmp/hup")).expect()
        ctr("tasks", "kill", "-s", "15", "box").expect()
        events.wait("/tasks/exit", "box")
        ctr("tasks", "kill", "-s", "9", "box")
        ctr("tasks", "delete", "box").expect(error="5")
        ctr("tasks", "kill", "box").expect(1, error="not found")


@scenario("containerd")
def task_kill_all(ctr):
    """kill --all reaches every process, also with a shared pid namespace."""
    for options in ((), ("--with-ns", "pid:/proc/1/ns/pid")):
        with running(ctr, *options, command=("sh", "-c", "setsid sleep 1000 & sleep 1000 & touch /tmp/ready; wait")) as events:
            ctr("tasks", "exec", "--exec-id", "e", "box", "sh", "-c", UNTIL.format("/tmp/ready")).expect()
            ctr("tasks", "kill", "--all", "-s", "KILL", "box").expect()
            events.wait("/tasks/exit", "box")
            ctr("tasks", "delete", "box")


@scenario("containerd")
def task_delete(ctr):
    """delete refuses what runs; --force kills; so does containers delete."""
    with running(ctr) as events:
        ctr("tasks", "delete", "box").expect(1, error="running|stopped")
        ctr("containers", "delete", "box").expect(1, error="task|running")
        ctr("tasks", "delete", "--force", "box")
        events.wait("/tasks/delete", "box")


@scenario("containerd")
def task_attach(ctr):
    """attach: the output of what runs, and its exit code."""
    with watched(ctr) as events:
        fifo = f"{ctr.client.scratch}/end"
        import os
        os.mkfifo(fifo)
        mount = f"type=bind,src={ctr.client.scratch},dst=/given,options=rbind"
        call = ctr.begin("run", "--rm", "--mount", mount, IMAGE, "box", "sh", "-c", "echo begun; cat /given/end; exit 6")
        call.read_until("begun")
        ctr("tasks", "list", mask=PIDS).expect(has="RUNNING")
        with open(fifo, "w", encoding="utf-8") as file:
            file.write("ended\n")
        ctr.end(call).expect(6, "begun\nended\n")
        events.wait("/tasks/delete", "box")
        ctr.note("events", events.topics())
        os.unlink(fifo)


@scenario("containerd")
def task_oom(ctr):
    """A task over its limit is reported as such, and killed."""
    with watched(ctr) as events:
        ctr("run", "--rm", "--memory-limit", "16777216", IMAGE, "box", "sh", "-c", "tail /dev/zero; exit 3").expect(3)
        events.wait("/tasks/oom", "box")
        events.wait("/tasks/delete", "box")


@scenario("containerd")
def task_checkpoint_without_criu(ctr):
    """checkpoint fails where criu is not installed; the task goes on."""
    with running(ctr):
        ctr("tasks", "checkpoint", "--image-path", f"{ctr.client.scratch}/image", "box").expect(1)
        ctr("tasks", "exec", "--exec-id", "e", "box", "echo", "alive").expect(stdout="alive\n")
