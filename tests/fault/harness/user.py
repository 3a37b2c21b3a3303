"""What a user does with two containers, who tries again when trouped dies."""
import collections
import json
import re
import select
import time

from harness.host import PATIENCE, Broken

STATUSES = {"creating", "created", "running", "pausing", "paused", "stopped", "destroyed"}
LINES = 1500
TALK = f"i=0; while [ $i -lt {LINES} ]; do i=$((i+1)); echo line $i; done; exit 7"


class User:
    """Container NAME-a writes lines and exits with 7; NAME-b has an exec
    session, is paused, and killed."""

    def __init__(self, host, name):
        self.host = host
        self.a, self.b = f"{name}-a", f"{name}-b"
        self.lost = set()  # containers that a dead shim or a killed init has taken along
        self.shim_may_die = False
        self.init_may_die = False
        self.killed = None  # the container that we have killed ourselves

    def live(self):
        self.create(self.a, TALK)
        self.start(self.a)
        self.create(self.b, "while :; do sleep 1000; done")
        self.start(self.b)
        self.exec_session()
        self.pause()
        self.update()
        self.wait(self.a, 7)
        self.check_log()
        self.kill()
        self.wait(self.b, 137)
        self.remove(self.a)
        self.remove(self.b)

    # -- one verb each; done or done before -------------------------------------

    def create(self, name, script):
        self.persist(
            lambda: self.host.troupe("create", "--name", name, "--log-opt", "max-size=4k", "--log-opt", "max-file=100",
                                     "--log-opt", "mode=blocking", self.host.bundle, "/bin/sh", "-c", script),
            lambda: self.status(name) not in (None, "creating"))

    def start(self, name):
        self.persist(lambda: self.host.troupe("start", name), lambda: self.status(name) not in ("created", None), name)

    def exec_session(self):
        def run():
            done = self.host.troupe("exec", self.b, "sh", "-c", "echo said; exit 9")
            if done.code == 9 and done.out != "said\n":
                raise Broken(f"exec of {self.b} has exit code 9 and output {done.out!r}")
            done.code = 0 if done.code == 9 else done.code or 1
            return done
        self.persist(run, lambda: False, self.b)

    def pause(self):
        self.persist(lambda: self.host.troupe("pause", self.b), lambda: self.status(self.b) == "paused", self.b)
        self.persist(lambda: self.host.troupe("unpause", self.b), lambda: self.status(self.b) == "running", self.b)

    def update(self):
        self.persist(lambda: self.host.troupe("update", "--cpu-shares", "512", self.b), lambda: False, self.b)

    def kill(self):
        self.killed = self.b
        self.persist(lambda: self.host.troupe("kill", self.b), lambda: self.status(self.b) == "stopped", self.b)

    def wait(self, name, expected):
        found = []
        def ask():
            done = self.host.troupe("wait", name)
            found.append(done.out.strip())
            return done
        self.persist(ask, lambda: False)
        if found[-1] == "137" and expected != 137 and self.init_may_die:
            self.lost.add(name)
        if name not in self.lost and found[-1] != str(expected):
            raise Broken(f"{name} has exit code {found[-1]}, expected {expected}")

    def check_log(self):
        done = []
        def ask():
            done.append(self.host.troupe("logs", self.a))
            return done[-1]
        self.persist(ask, lambda: False)
        expected = [f"line {i}" for i in range(1, LINES + 1)]
        found = done[-1].out.splitlines()
        if found == expected or self.a in self.lost and found == expected[: len(found)] or self.told_of_gaps(found, expected):
            return
        raise Broken(f"{self.a} has logged {len(found)} lines, expected {LINES}: {found[:2]} … {found[-2:]}")

    def told_of_gaps(self, found, expected):
        """A full disk: what could not be written is counted."""
        rest = iter(expected)
        if not self.host.disk_was_full or not all(line in rest for line in found):
            return False
        missing = sum(len(line) + 1 for line in expected) - sum(len(line) + 1 for line in found)
        return self.host.inspect(self.a)["output"]["dropped"] == missing

    def remove(self, name):
        self.persist(lambda: self.host.troupe("rm", "-f", name), lambda: self.status(name) is None)

    # -- to it again --------------------------------------------------------------

    def persist(self, do, is_done, lives=None):
        """Does it until it has succeeded; a failure that was a death is not one."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            done = do()
            if done.code == 0:
                return
            self.host.revive()
            self.settle(self.a)
            self.settle(self.b)
            if is_done() or (lives and lives in self.lost):
                return
            select.select([], [], [], 0.02)
        raise Broken(f"tried for {PATIENCE} s, and last: {done.err.strip()}\n{self.host.last_log()}")

    def settle(self, name):
        """Waits until the container is in a state that stays; it must have one."""
        def settled():
            now = self.host.inspect(name)
            if now is None:
                return True
            if now["status"] not in STATUSES:
                raise Broken(f"{name} is '{now['status']}'")
            if "lost:" in (now.get("error") or ""):
                if not self.shim_may_die:
                    raise Broken(f"{name} is lost")
                self.lost.add(name)
            if self.init_may_die and name != self.killed and now["status"] == "stopped" and now["exit_code"] == 137:
                self.lost.add(name)
            return now["status"] not in ("creating", "pausing") and not now.get("waiting_for")
        try:
            self.host.until(settled, f"{name} settles")
        except Broken as why:
            raise Broken(f"{why}: {self.host.inspect(name)}") from None

    def status(self, name):
        now = self.host.inspect(name)
        return now["status"] if now else None


ORDER = ["created", "started", "oom", "exited", "stopped", "destroyed"]
ONCE = {"created", "started", "exited", "stopped", "destroyed"}


def check_events(host, since, names, complete=True):
    """Numbers without a gap; for each container its events, once, in order."""
    found = host.troupe("events", "--since", str(since), "--format", "json")
    events = [json.loads(line) for line in found.out.splitlines()]
    numbers = [event["seq"] for event in events]
    if numbers != list(range(since + 1, since + 1 + len(numbers))):
        raise Broken(f"event numbers have a gap: {numbers}")
    by_name = collections.defaultdict(list)
    for event in events:
        if event["type"] in ORDER:
            by_name[event["container"]].append(event)
    for name in names:
        own = [event["type"] for event in by_name[name]]
        while own[:1] == ["destroyed"] and "created" in own:
            del own[0]  # of a launch that was cut off, which has an end of its own
        expected = [kind for kind in ORDER if kind in own]
        if own != expected or complete and not ONCE.issubset(own):
            raise Broken(f"events of {name}: {own}")
        times = [event["time"] for event in by_name[name] if event["type"] in ("created", "started", "exited")]
        if times != sorted(times):
            raise Broken(f"times of {name} go backwards: {times}")
    return len(numbers)


def last_event(host):
    return int(re.search(r'"last_seq": *(\d+)', host.troupe("info", "--format", "json").out).group(1))
