"""Every scenario of rootless podman, in the order in which they run: its own,
and some of podman's that ask for nothing that an ordinary user lacks."""
from harness.scenario import scenario
from podman import life, terminal
from rootless import own  # noqa: F401
from rootless.client import Client  # noqa: F401

for shared in (terminal.run_it, terminal.exec_it, life.rm_many_processes):
    scenario("rootless")(shared)
