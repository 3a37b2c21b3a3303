"""Every containerd scenario, in the order in which they run."""
from containerd import run, tasks, inside, failures  # noqa: F401
from containerd.client import Client  # noqa: F401
