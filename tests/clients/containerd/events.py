"""containerd's events: how a scenario waits, and part of what is compared."""
import json
import re
from contextlib import contextmanager

from containerd.client import IMAGE


# Of `ctr tasks list` and `ps`: columns are as wide as the longest pid.
PIDS = [(r"^\d+ ", "<pid> "), (r"(box +)\d+", r"\1<pid>"), (r" {2,}", "  ")]


class Events:
    """What happens in our namespace while the scenario runs."""

    def __init__(self, ctr):
        self.ctr = ctr
        self.call = ctr.begin("events")
        # Nothing tells that the subscription stands, but the first event does.
        tries = 0
        while not self.call.has_output(within=0.2):
            tries += 1
            ctr.hidden("images", "label", IMAGE, f"seen={tries}")

    def wait(self, topic, name):
        """Waits until the topic has been seen for this container or exec."""
        key = "id" if topic == "/tasks/exit" else "container_id"
        self.call.read_until(rf"{topic} .*\"{key}\":\"{name}\"")

    def wait_for_execs(self):
        for name in re.findall(r'/tasks/exec-started .*"exec_id":"(\w+)"', self.call.stdout.decode()):
            self.wait("/tasks/exit", name)

    def topics(self):
        text = self.call.stdout.decode(errors="replace")
        topics = [topic_of(line) for line in text.splitlines() if " /tasks/" in line]
        # Which of two processes that end together is reported first is chance.
        exits = sorted(line for line in topics if line.startswith("/tasks/exit"))
        return [line for line in topics if line not in exits] + exits


def topic_of(line):
    words = line.split(" ")
    topic = next(word for word in words if word.startswith("/tasks/"))
    body = json.loads(line[line.index("{"):])
    told = {key: body[key] for key in ("container_id", "id", "exec_id", "exit_status") if key in body}
    return f"{topic} {json.dumps(told, sort_keys=True)}"


@contextmanager
def watched(ctr):
    events = Events(ctr)
    yield events
    ctr.drop(events.call)


@contextmanager
def running(ctr, *options, name="box", command=("sleep", "100")):
    """A detached container, killed and removed at the end; yields its events."""
    with watched(ctr) as events:
        ctr.hidden("run", "--detach", *options, IMAGE, name, *command)
        events.wait("/tasks/start", name)
        yield events
        if ctr.client.pid(name):
            ctr("tasks", "kill", "--signal", "KILL", name).expect()
            events.wait("/tasks/exit", name)
            ctr("tasks", "delete", name)
        events.wait_for_execs()
        ctr("containers", "delete", name).expect()
        ctr.note("events", events.topics())
