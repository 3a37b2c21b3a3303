"""Runs every scenario with both runtimes, compares, reports."""
import difflib
import importlib
import os
import sys
import time

from harness import isolation, leaks, transcript
from harness.scenario import REGISTRY, Box, Skipped
from harness.step import Failed


REPEATS = 2
AGREED = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "agreed")


class Outcome:
    """One scenario with one runtime."""

    def __init__(self):
        self.lines, self.calls = [], []
        self.problem = self.skipped = None
        self.seconds = 0.0


def list_scenarios(clients):
    for client in clients:
        importlib.import_module(f"{client}.scenarios")
        for entry in REGISTRY[client]:
            print(f"{client:10} {entry.name:24} {entry.function.__doc__.strip().splitlines()[0]}")
    return 0


def inside(words):
    isolation.enter(words.inside)
    os.chdir(words.inside)  # podman starts conmon, and conmon the runtime, from here
    print(f"runtime   {words.runtime}\nreference {words.reference}", flush=True)
    totals = {"passed": 0, "unsteady": 0, "failed": 0, "skipped": 0}
    for client in words.clients:
        run_client(client, words, totals)
    print(", ".join(f"{count} {verdict}" for verdict, count in totals.items()))
    return 1 if totals["failed"] or not totals["passed"] + totals["unsteady"] else 0


def run_client(name, words, totals):
    module = importlib.import_module(f"{name}.scenarios")
    chosen = [entry for entry in REGISTRY[name] if not words.only or any(part in entry.name for part in words.only)]
    if not chosen:
        return
    before = leaks.Snapshot(words.inside)
    began = time.monotonic()
    sides = []
    try:
        for side, runtime in (("a", words.reference), ("b", words.runtime)):
            sides.append(module.Client(words.inside, side, traced(words, side, runtime)))
        for number, entry in enumerate(chosen, 1):
            totals[steady_verdict(entry, sides, words, f"{name:10} {number:2}/{len(chosen)} {entry.name}")] += 1
    except Skipped as reason:  # by the client: none of its scenarios can run here
        totals["skipped"] += len(chosen)
        print(f"skip {name}: {reason}", flush=True)
    finally:
        for side in sides:
            side.close()
    left = leaks.since(before)
    if left:
        totals["failed"] += 1
        print(f"FAIL {name}: left behind at the end:\n" + indented(left), flush=True)
        leaks.sweep(before)
    print(f"     {name}: {time.monotonic() - began:.0f} s", flush=True)


def steady_verdict(entry, sides, words, title):
    """The clients have races of their own. What fails once and then passes
    REPEATS times in a row is one of those, or as rare: reported, not fatal."""
    verdict = run_scenario(entry, sides, words, title)
    if verdict != "failed":
        return verdict
    again = (run_scenario(entry, sides, words, f"{title} again") for _ in range(REPEATS))
    return "unsteady" if all(each == "passed" for each in again) else "failed"


def run_scenario(entry, sides, words, title):
    reference, tested = (run_side(entry, side, words) for side in sides)
    seconds = f"({reference.seconds:.1f} s, {tested.seconds:.1f} s)"
    if reference.skipped and tested.skipped:
        print(f"skip {title}: {reference.skipped}", flush=True)
        return "skipped"
    complaints = []
    for label, outcome in (("with the reference", reference), ("with the runtime", tested)):
        if outcome.problem or outcome.skipped:
            complaints.append(f"{label}: {outcome.problem or 'skipped: ' + outcome.skipped}")
    difference = list(difflib.unified_diff(reference.lines, tested.lines, lineterm="", n=2))[2:]
    # In which line it is depends on the host: how many mounts a bundle shows, for one.
    difference = ["@@" if line.startswith("@@") else line for line in difference]
    if difference:
        complaints += ["transcripts differ:"] + ["  " + line for line in difference]
    agreed = agreed_difference(entry)
    if agreed and words.reference != words.runtime:
        if "\n".join(complaints).split("\n") == agreed:
            print(f"differs {title} {seconds}, as agreed: {agreed_path(entry)}", flush=True)
            return "passed"
        complaints.append(f"not the agreed difference: {agreed_path(entry)}")
    print(f"{'FAIL' if complaints else 'ok  '} {title} {seconds}", flush=True)
    if complaints:
        print(indented(complaints), flush=True)
        if words.trace:
            print(indented(["runtime calls:"] + tested.calls), flush=True)
    if words.show:
        print(indented(tested.lines), flush=True)
    return "failed" if complaints else "passed"


def agreed_path(entry):
    return os.path.join(AGREED, f"{entry.client}-{entry.name}.txt")


def agreed_difference(entry):
    """What is known to be other than with runc, to the letter: the file's first lines say why."""
    if not os.path.exists(agreed_path(entry)):
        return []
    with open(agreed_path(entry), encoding="utf-8") as file:
        return [line for line in file.read().splitlines() if not line.startswith("#")]


def run_side(entry, client, words):
    before, began = leaks.Snapshot(words.inside), time.monotonic()
    outcome, box = Outcome(), Box(client, before)
    try:
        entry.function(box)
    except Failed as failure:
        outcome.problem = str(failure)
    except Skipped as skipped:
        outcome.skipped = str(skipped)
    finally:
        box.leave()
    # After a failure containers may be left; that alone is not one more complaint.
    still = client.remove_all() if outcome.problem or outcome.skipped else client.remaining()
    left = still + leaks.since(before)
    if left and not outcome.problem:
        outcome.problem = "left behind:\n" + indented(left)
    if left:
        client.remove_all()
        leaks.sweep(before)
    outcome.seconds = time.monotonic() - began
    outcome.lines = transcript.lines(box.steps, transcript.Normaliser(client.places(), client.runtime_name))
    outcome.calls = taken_calls(words.inside, client.side)
    return outcome


def traced(words, side, runtime):
    """With --trace a script of the runtime's name that logs the call first."""
    if not words.trace:
        return runtime
    directory = f"{words.inside}/trace-{side}"
    os.makedirs(directory, exist_ok=True)
    os.chmod(directory, 0o777)  # an ordinary user's runtime logs, too
    script = f"{directory}/{os.path.basename(runtime)}"
    isolation.write(script, f'#!/bin/sh\necho "$@" >>{directory}/calls\nexec {runtime} "$@"\n')
    os.chmod(script, 0o755)
    return script


def taken_calls(work, side):
    log = f"{work}/trace-{side}/calls"
    if not os.path.exists(log):
        return []
    calls = isolation.read(log).splitlines()
    os.unlink(log)
    return ["  " + call for call in calls]


def indented(lines):
    return "\n".join("     " + part for line in lines for part in line.split("\n"))




if sys.version_info < (3, 9):
    sys.exit("tests/clients: needs Python 3.9 (os.pidfd_open)")
