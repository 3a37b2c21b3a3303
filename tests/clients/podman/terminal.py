"""podman run and exec with terminals, attach."""
from harness.scenario import scenario
from podman.client import IMAGE

HERMIT = ("--network", "none", "--rm")
UNTIL_SIZE = 'until [ "$(stty size 2>/dev/null)" = "{}" ]; do usleep 20000; done; echo size {}'


# podman gives a terminal its size after it has attached, and says so if the
# container has ended by then: with either runtime, now and then.
LATE_RESIZE = (r"^.*container not running.*\n?", "")
# podman hands its own SIGWINCH on, sometimes to a container that has just ended.
LATE_SIGNAL = (r"time=[^\n]*container not running[^\n]*\n", "")


@scenario("podman")
def run_t(podman):
    """-t without -i: stdout is a terminal, stdin of podman is not needed."""
    podman("run", *HERMIT, "-t", IMAGE, "sh", "-c", "test -t 0 && test -t 1 && test -t 2 && tty && echo $TERM").expect(has="^/dev/(pts/0|console)")
    podman("run", *HERMIT, "-t", IMAGE, "sh", "-c", "ls -l /dev/console /dev/pts", mask=[(r"\w{3} +\d+ \d\d:\d\d", "<date>")]).expect(has="/dev/console")
    podman("run", *HERMIT, IMAGE, "sh", "-c", "test -t 1 || echo none").expect(stdout="none\n")


@scenario("podman")
def run_it(podman):
    """-it: a shell on a terminal, with its size, echo, ^C and exit code."""
    terminal = podman.terminal("run", *HERMIT, "-it", IMAGE, "sh", "-c", UNTIL_SIZE.format("40 100", "first") + "; " + UNTIL_SIZE.format("30 90", "second")
                               + "; trap 'echo caught; exit 9' INT; echo ready; read line; echo got $line; read other", rows=40, columns=100, mask=[LATE_SIGNAL])
    terminal.expect("size first")
    terminal.resize(30, 90)
    terminal.expect("size second")
    terminal.expect("ready")
    terminal.send("some words\n")
    terminal.expect("got some words")
    terminal.send("\x03")
    terminal.expect("caught")
    podman.end(terminal).expect(9)


@scenario("podman")
def run_it_shell(podman):
    """An interactive shell with job control: its terminal is the controlling one."""
    terminal = podman.terminal("run", *HERMIT, "-it", "-e", "PS1=:) ", IMAGE, "sh", mask=[(r"\x1b\[6n|\x1b\[J", "")])
    terminal.expect(r":\) ")
    terminal.send("echo $((6*7))\n")
    terminal.expect(r"\n42\r")
    terminal.send("sh -c 'echo begun; sleep 100'\n")
    terminal.expect("\nbegun")  # the shell has given the terminal away
    terminal.send("\x03")
    terminal.expect(r":\) ")
    terminal.send("exit 6\n")
    step = podman.end(terminal).expect(6)
    podman.require("job control" not in step.stdout, "the shell has no job control")


@scenario("podman")
def exec_it(podman):
    """exec -it: its own terminal in a running container."""
    podman("run", "-d", "--name", "host", "--network", "none", IMAGE, "sleep", "100").expect()
    terminal = podman.terminal("exec", "-it", "host", "sh", "-c", "tty; " + UNTIL_SIZE.format("33 77", "seen") + "; read line; echo got $line; exit 8", rows=33, columns=77)
    terminal.expect("size seen")
    terminal.send("words\n")
    podman.end(terminal).expect(8, has="^got words$")
    podman("exec", "-t", "host", "sh", "-c", "test -t 1 && echo terminal").expect(has="^terminal")
    podman("rm", "-f", "-t", "0", "host").expect()


@scenario("podman")
def attach(podman):
    """attach: stdin and output of what runs already, and its exit code."""
    podman("run", "-d", "-i", "--name", "open", "--network", "none", IMAGE, "sh", "-c", "read line; echo got $line; echo bad >&2; exit 3").expect()
    call = podman.begin("attach", "open")
    call.write("words\n")
    podman.end(call).expect(0, has="^got words$", error="^bad$")
    podman("wait", "open").expect(stdout="3\n")
    podman("rm", "open").expect()


@scenario("podman")
def attach_detach(podman):
    """attach to a terminal, leave it by its keys, come back."""
    podman("run", "-dit", "--name", "desk", "--network", "none", IMAGE, "sh", "-c", "while read line; do echo got $line; done").expect()
    terminal = podman.terminal("attach", "--detach-keys", "ctrl-x", "desk")
    terminal.send("one\n")
    terminal.expect("got one")
    terminal.send("\x18")  # one key: podman sees a sequence only if each byte comes alone
    podman.end(terminal).expect(0)
    podman("inspect", "--format", "{{.State.Status}}", "desk").expect(stdout="running\n")
    terminal = podman.terminal("attach", "desk", mask=[LATE_RESIZE])
    terminal.send("two\n")
    terminal.expect("got two")
    terminal.send("\x04")
    podman.end(terminal).expect(0)
    podman("wait", "desk").expect(stdout="0\n")
    podman("logs", "desk").expect(has="got one")
    podman("rm", "desk").expect()
