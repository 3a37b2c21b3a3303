"""podman run, without a terminal: output, exit codes, stdin, detached."""
from harness.scenario import scenario
from podman.client import IMAGE

HERMIT = ("--network", "none", "--rm")  # most scenarios need no network


@scenario("podman")
def run_rm(podman):
    """Output and exit code arrive, each on its own stream."""
    podman("run", *HERMIT, IMAGE, "echo", "hello").expect(stdout="hello\n")
    podman("run", *HERMIT, IMAGE, "sh", "-c", "echo out; echo err >&2; exit 7").expect(7, "out\n", error="^err$")
    podman("run", *HERMIT, IMAGE, "true").expect(stdout="")
    podman("run", *HERMIT, IMAGE, "sh", "-c", "sh -c 'kill -KILL $$'; exit $?").expect(137)


@scenario("podman")
def run_stdin(podman):
    """-i passes stdin whole, and its end."""
    podman("run", *HERMIT, "-i", IMAGE, "cat", stdin="one\ntwo").expect(stdout="one\ntwo")
    podman("run", *HERMIT, "-i", IMAGE, "wc", "-c", stdin="x" * 1_000_000).expect(stdout="1000000\n")
    podman("run", *HERMIT, IMAGE, "cat", stdin="not passed").expect(stdout="")


@scenario("podman")
def run_output_whole(podman):
    """A million bytes arrive, the last one included."""
    step = podman("run", *HERMIT, IMAGE, "seq", "1", "150000", mask=[(r"(?s)1\n2\n.*\n150000\n", "<all>\n")])
    step.expect(stdout="".join(f"{number}\n" for number in range(1, 150001)))


@scenario("podman")
def run_process_options(podman):
    """User, groups, directory, environment, umask, entry point, host name."""
    podman("run", *HERMIT, "-u", "ann", IMAGE, "id").expect(has=r"^uid=1000\(ann\) gid=1000\(ann\) groups=.*2000\(extra\)$")
    podman("run", *HERMIT, "-u", "1234:4321", "--group-add", "77", IMAGE, "id").expect(has=r"uid=1234(\(1234\))? gid=4321.* groups=.*77")
    podman("run", *HERMIT, "-w", "/home/ann", IMAGE, "pwd").expect(stdout="/home/ann\n")
    podman("run", *HERMIT, "-w", "/made/for/it", IMAGE, "pwd").expect(126, error="/made/for/it")
    podman("run", *HERMIT, "--hostname", "box", "-e", "GREETING=a b", IMAGE, "sh", "-c", "env | sort").expect(has="^GREETING=a b$").expect(has="^FROM_IMAGE=yes$")
    podman("run", *HERMIT, "--umask", "0077", IMAGE, "sh", "-c", "umask").expect(stdout="0077\n")
    podman("run", *HERMIT, "--entrypoint", '["echo","entered"]', IMAGE, "x").expect(stdout="entered x\n")
    podman("run", *HERMIT, "--hostname", "box", IMAGE, "hostname").expect(stdout="box\n")


@scenario("podman")
def run_detached(podman):
    """-d gives the id; wait gives the exit code; logs give the output."""
    podman("run", "-d", "--name", "web", "--network", "none", IMAGE, "sh", "-c", "echo up; echo oops >&2; exit 5").expect(has="^[0-9a-f]{64}$")
    podman("wait", "web").expect(stdout="5\n")
    podman("logs", "web").expect(stdout="up\n", error="^oops$")
    podman("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}} {{.State.Pid}}", "web").expect(stdout="exited 5 false 0\n")
    podman("rm", "web").expect(stdout="web\n")
    podman("rm", "web").expect(1, error="no such container")


@scenario("podman")
def run_detached_rm(podman):
    """-d --rm: conmon's clean-up process removes the container by itself."""
    podman("run", "-d", "--rm", "--name", "brief", "--network", "none", "--stop-signal", "KILL", IMAGE, "sleep", "100").expect()
    podman("stop", "brief").expect(has="brief")
    podman.settle()
    podman("container", "exists", "brief").expect(1)


@scenario("podman")
def run_files(podman):
    """--cidfile and --pidfile: the pid is that of the container's process."""
    where = podman.client.scratch
    podman("run", "-d", "--name", "filed", "--network", "none", "--cidfile", f"{where}/cid", "--pidfile", f"{where}/pid", IMAGE, "sleep", "100").expect()
    with open(f"{where}/pid", encoding="utf-8") as file:
        pid = int(file.read())
    podman.hidden("inspect", "--format", "{{.State.Status}} {{.State.Pid}}", "filed").expect(stdout=f"running {pid}\n")
    podman("rm", "-f", "-t", "0", "filed").expect(stdout="filed\n")


@scenario("podman")
def create_start(podman):
    """create, start, start -a, restart, and start of what runs."""
    podman("create", "--name", "made", "--network", "none", IMAGE, "sh", "-c", "echo run; exit 3").expect()
    podman("start", "-a", "made").expect(3, "run\n")
    podman("start", "-a", "made").expect(3, "run\n")
    podman("rm", "made").expect()
    podman("create", "--name", "long", "--network", "none", IMAGE, "sleep", "100").expect()
    podman("start", "long").expect(stdout="long\n")
    podman("start", "long").expect()
    podman("restart", "-t", "0", "long").expect(has="[0-9a-f]{64}|long")
    podman("inspect", "--format", "{{.State.Status}}", "long").expect(stdout="running\n")
    podman("rm", "-f", "-t", "0", "long").expect()


@scenario("podman")
def run_init(podman):
    """--init: catatonit is PID 1, the command its child; signals and codes pass."""
    step = podman("run", *HERMIT, "--init", IMAGE, "sh", "-c", "cat /proc/1/comm; exit 4")
    step.expect(4, has="^podman-init$")  # catatonit, mounted under this name
    podman("run", "-d", "--name", "kind", "--init", "--network", "none", IMAGE, "sleep", "100").expect()
    podman("stop", "-t", "20", "kind").expect(stdout="kind\n")
    podman("wait", "kind").expect(stdout="143\n")  # without --init TERM would not reach a PID 1 without handler
    podman("rm", "kind").expect()


@scenario("podman")
def run_preserved_fds(podman):
    """--preserve-fds hands over exactly the descriptors asked for."""
    with open(f"{podman.client.scratch}/passed", "w+", encoding="utf-8") as file:
        file.write("through fd 3\n")
        file.seek(0)
        # The descriptor must be number 3 in podman: a shell puts it there.
        step = podman_with_fd(podman, file, "run", *HERMIT, "--preserve-fds", "1", IMAGE, "sh", "-c", "cat <&3; ls /proc/self/fd")
        step.expect(has="^through fd 3$")
    podman("run", *HERMIT, IMAGE, "sh", "-c", "ls /proc/self/fd").expect(stdout="0\n1\n2\n3\n")  # 3 is ls's own


def podman_with_fd(podman, file, *words):
    import subprocess
    from harness.step import Step
    argv = podman.client.argv(words)
    command = ["sh", "-c", f'exec "$@" 3<&{file.fileno()}', "sh", *argv]
    done = subprocess.run(command, env=podman.client.environment(), pass_fds=[file.fileno()], capture_output=True,
                          text=True, timeout=60, stdin=subprocess.DEVNULL, check=False)
    step = Step(podman.client.shown(words), done.returncode, done.stdout, done.stderr)
    podman.steps.append(step)
    return step


@scenario("podman")
def run_timeout(podman):
    """--timeout: conmon kills what runs too long."""
    podman("run", *HERMIT, "--timeout", "1", IMAGE, "sleep", "100").expect(255)  # conmon's own code for it
