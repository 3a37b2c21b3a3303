"""Churn at full rate: what trouped and the shim hold at its end is what they
held after a twelfth of it."""
import time

from harness.crowd import Crowd
from harness.host import Broken, descriptors_of

USERS = 6
# What one may hold more: launches and requests come and go.
SLACK = {"rss": 4 << 10, "descriptors": 24, "threads": 4}


def held(pid):
    """RSS in KiB, descriptors, threads."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        fields = dict(line.split(":", 1) for line in file)
    return {"rss": int(fields["VmRSS"].split()[0]), "descriptors": descriptors_of(pid), "threads": int(fields["Threads"])}


def most(samples):
    return {what: max(each[what] for each in samples) for what in SLACK}


def soak(host, seconds, totals):
    host.start()
    watched = {"trouped": host.trouped.pid, "shim": host.shim_pid()}
    samples = {name: [] for name in watched}
    crowd = Crowd(host, USERS, "s")
    began, times = time.monotonic(), []
    while time.monotonic() - began < seconds and crowd.busy():
        time.sleep(min(5, seconds / 60))
        times.append((time.monotonic() - began) / seconds)
        for name, pid in watched.items():
            samples[name].append(held(pid))
    crowd.finish(totals)
    rate = 2 * len(crowd.users) / (time.monotonic() - began)
    print(f"{2 * len(crowd.users)} containers in {seconds:.0f} s, {rate:.0f} a second")
    grown = []
    for name, all_of in samples.items():
        early = most([each for at, each in zip(times, all_of) if 1 / 12 <= at < 1 / 6])
        late = most([each for at, each in zip(times, all_of) if at >= 11 / 12])
        for what, slack in SLACK.items():
            print(f"{name:8} {what:12} {early[what]:8} {late[what]:8}")
            if late[what] > early[what] + slack:
                grown.append(f"{name} has {late[what]} {what}, it had {early[what]}")
    if grown:
        raise Broken("; ".join(grown))
