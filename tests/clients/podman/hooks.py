"""podman --hooks-dir: OCI hooks in their places."""
import json
import os
import re

from harness.scenario import scenario
from podman.client import IMAGE

HERMIT = ("--network", "none", "--rm")
STAGES = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")


class Hooks:
    """A hooks directory, and a file in which the hooks say what they were told."""

    def __init__(self, podman):
        self.directory = f"{podman.client.scratch}/hooks"
        self.record = f"{podman.client.scratch}/record"
        os.makedirs(self.directory)
        os.makedirs(self.record)

    def write(self, stage, script):
        # startContainer runs inside the container, where the record is mounted.
        place = "/record" if stage == "startContainer" else self.record
        hook = {"path": "/bin/busybox", "args": ["sh", "-c", script.format(all=f"{place}/all", stage=stage)]}
        with open(f"{self.directory}/{stage}.json", "w", encoding="utf-8") as file:
            json.dump({"version": "1.0.0", "hook": hook, "when": {"always": True}, "stages": [stage]}, file)

    def ran(self):
        with open(f"{self.record}/all", encoding="utf-8") as file:
            return file.read().splitlines()

    def run(self, podman, *command):
        return podman("--hooks-dir", self.directory, "run", *HERMIT, "-v", f"{self.record}:/record", IMAGE, *command)


@scenario("podman")
def hooks_run(podman):
    """All six run, each once, with the container's state on stdin."""
    hooks = Hooks(podman)
    for stage in STAGES:
        hooks.write(stage, "read -r state; case $state in *'\"bundle\"'*) echo {stage} told >>{all};; *) echo {stage} untold >>{all};; esac")
    hooks.run(podman, "echo", "main").expect(stdout="main\n")
    ran = hooks.ran()
    # poststart (outside) and startContainer (inside) run side by side.
    podman.note("hooks, in order", [hook for hook in ran if not re.match("startContainer|poststart", hook)])
    podman.require(sorted(ran) == sorted(f"{stage} told" for stage in STAGES), f"hooks ran: {ran}")
    podman.require(ran[-1] == "poststop told", f"poststop was not the last: {ran}")
    podman.client.forget_scratch()


@scenario("podman")
def hooks_fail(podman):
    """A failing hook before the start fails the run; the program never runs."""
    for stage in STAGES[:4]:
        hooks = Hooks(podman)
        hooks.write(stage, "echo broken >&2; exit 3")
        step = hooks.run(podman, "touch", "/record/program-ran")
        podman.require(step.code != 0, f"the run succeeded with a failing {stage} hook")
        podman.require(not os.path.exists(f"{hooks.record}/program-ran"), f"the program ran after a failing {stage} hook")
        podman.client.forget_scratch()
