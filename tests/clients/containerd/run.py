"""ctr run: output, exit codes, stdin, terminal, options."""
import os

from harness.scenario import scenario
from containerd.client import IMAGE
from containerd.events import PIDS, running, watched
from harness.isolation import cgroup_mounts, read
from harness.step import Call


@scenario("containerd")
def run_rm(ctr):
    """Output and exit code arrive, each on its own stream; the task's events."""
    with watched(ctr) as events:
        ctr("run", "--rm", IMAGE, "box", "echo", "hello").expect(stdout="hello\n")
        events.wait("/tasks/delete", "box")
        ctr.note("events", events.topics())
    ctr("run", "--rm", IMAGE, "box", "sh", "-c", "echo out; echo err >&2; exit 7").expect(7, "out\n", error="^err$")
    ctr("run", "--rm", IMAGE, "box", "sh", "-c", "sh -c 'kill -KILL $$'; exit $?").expect(137)
    ctr("containers", "list", "--quiet").expect(stdout="")


@scenario("containerd")
def run_stdin(ctr):
    """stdin arrives whole; no output with --null-io."""
    # This ctr does not pass on the end of stdin.
    ctr("run", "--rm", IMAGE, "box", "head", "-n", "2", stdin="one\ntwo\n").expect(stdout="one\ntwo\n")
    ctr("run", "--rm", IMAGE, "box", "sh", "-c", "head -c 1000000 | wc -c", stdin="x" * 1_000_000).expect(stdout="1000000\n")
    ctr("run", "--rm", "--null-io", IMAGE, "box", "echo", "unheard").expect(stdout="")


@scenario("containerd")
def run_t(ctr):
    """-t: a terminal with its size, echo, ^C and exit code."""
    script = 'until [ "$(stty size 2>/dev/null)" = "40 100" ]; do usleep 20000; done; tty; trap "echo caught; exit 9" INT; echo ready; read line; echo got $line; read other'
    terminal = ctr.terminal("run", "--rm", "-t", IMAGE, "box", "sh", "-c", script, rows=40, columns=100)
    terminal.expect("ready")
    terminal.send("some words\n")
    terminal.expect("got some words")
    terminal.send("\x03")
    terminal.expect("caught")
    ctr.end(terminal).expect(9)


@scenario("containerd")
def run_detached(ctr):
    """-d returns at once; the pid file holds the task's pid."""
    pid_file = f"{ctr.client.scratch}/pid"
    with watched(ctr) as events:
        ctr("run", "-d", "--pid-file", pid_file, IMAGE, "box", "sleep", "100").expect(stdout="")
        with open(pid_file, encoding="utf-8") as file:
            ctr.require(int(file.read()) == ctr.client.pid("box"), "the pid file and the task list disagree")
        ctr("tasks", "kill", "-s", "KILL", "box").expect()
        events.wait("/tasks/exit", "box")
        ctr("tasks", "list", mask=PIDS).expect(has="box .*STOPPED")
        ctr("tasks", "delete", "box").expect(error="137")
        ctr("containers", "delete", "box").expect()
        ctr.note("events", events.topics())


@scenario("containerd")
def start_again(ctr):
    """tasks start of a container that ran before; a log file for its output."""
    ctr("run", IMAGE, "made", "sh", "-c", "echo run; exit 3").expect(3, "run\n")
    ctr("tasks", "list", "--quiet").expect(stdout="")
    ctr("tasks", "start", "made").expect(3, "run\n")
    ctr("containers", "delete", "made").expect()
    log = f"{ctr.client.scratch}/log"
    # containerd 1.6's shim closes the log at the end of the first stream that
    # ends, whatever the other still holds: the box ends when both are in the log.
    end = f"{ctr.client.scratch}/both-are-logged"
    os.mkfifo(end)
    mount = ("--mount", f"type=bind,src={end},dst=/end,options=bind")
    call = ctr.begin("run", "--rm", *mount, "--log-uri", f"file://{log}", IMAGE, "box", "sh", "-c", "echo logged; echo badly >&2; read now < /end")
    wait_for_lines(log, "logged", "badly")
    fifo = os.open(end, os.O_RDWR)  # which waits for no reader
    try:
        os.write(fifo, b"now\n")
        ctr.end(call).expect(stdout="")
    finally:
        os.close(fifo)
        os.unlink(end)
    ctr.settle()
    with open(log, encoding="utf-8") as file:
        ctr.require(sorted(file.read().splitlines()) == ["badly", "logged"], "the log has other lines")


def wait_for_lines(path, *lines):
    """Waits until each is in the file, which another process makes and fills."""
    with open(path, "a", encoding="utf-8"):
        pass
    reader = Call(("tail",), ["tail", "-n", "+1", "-f", path], os.environ)
    try:
        for line in lines:
            reader.read_until(line)
    finally:
        reader.interrupt()


@scenario("containerd")
def run_process_options(ctr):
    """Directory, environment, capabilities, read-only root."""
    ctr("run", "--rm", "--cwd", "/etc", IMAGE, "box", "pwd").expect(stdout="/etc\n")
    ctr("run", "--rm", "--env", "GREETING=a b", IMAGE, "box", "env").expect(has="^GREETING=a b$").expect(has="^FROM_IMAGE=yes$")
    ctr("run", "--rm", "--read-only", IMAGE, "box", "touch", "/x").expect(1, error="Read-only file system")
    ctr("run", "--rm", "--cap-drop", "CAP_CHOWN", "--cap-add", "CAP_SYS_ADMIN", IMAGE, "box", "grep", "Cap", "/proc/self/status").expect(has="CapEff:\t00000000a82425fa")
    ctr("run", "--rm", "--allow-new-privs", IMAGE, "box", "grep", "NoNewPrivs", "/proc/self/status").expect(has="\t0")


def limits(cgroup):
    """What the limits of a cgroup say, in whichever hierarchy they are."""
    names = ("memory.limit_in_bytes", "cpu.cfs_quota_us", "cpu.cfs_period_us", "cpu.shares", "memory.max", "cpu.max", "cpu.weight")
    paths = [f"{mount.point}/{cgroup}/{name}" for mount in cgroup_mounts() for name in names]
    return sorted(f"{os.path.basename(path)} {read(path).strip()}" for path in paths if os.path.exists(path))


@scenario("containerd")
def run_limits(ctr):
    """--memory-limit, --cpus, --cpu-quota, --cgroup; what the kernel says."""
    with running(ctr, "--memory-limit", "67108864", "--cpus", "0.5", "--cpu-shares", "512"):
        found = limits(f"{ctr.client.namespace}/box")
        ctr.note("limits", found)
        for value in ("67108864", "50000"):
            ctr.require(any(value in line for line in found), f"no limit {value} in {found}")
    ctr("run", "--rm", "--cgroup", "/side-x/mine", IMAGE, "box", "cat", "/proc/self/cgroup").expect(has="/side-x/mine$")
    ctr("run", "--rm", "--memory-limit", "16777216", IMAGE, "box", "tail", "/dev/zero").expect(137)


@scenario("containerd")
def run_mounts(ctr):
    """--mount with its options; a root directory instead of an image."""
    with open(f"{ctr.client.scratch}/file", "w", encoding="utf-8") as file:
        file.write("from outside\n")
    bind = f"type=bind,src={ctr.client.scratch},dst=/given,options=rbind:ro"
    ctr("run", "--rm", "--mount", bind, IMAGE, "box", "cat", "/given/file").expect(stdout="from outside\n")
    ctr("run", "--rm", "--mount", bind, IMAGE, "box", "touch", "/given/x").expect(1, error="Read-only file system")
    ctr("run", "--rm", "--mount", "type=tmpfs,src=tmpfs,dst=/fast,options=size=64k:mode=711", IMAGE, "box", "stat", "-c", "%a", "/fast").expect(stdout="711\n")
    podman_root = f"{ctr.client.directory}/../podman-image/image"
    ctr("run", "--rm", "--rootfs", podman_root, "box", "/bin/echo", "rooted").expect(stdout="rooted\n")
