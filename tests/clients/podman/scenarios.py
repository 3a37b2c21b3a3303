"""Every podman scenario, in the order in which they run."""
from podman import run, terminal, life, inside, hooks, limits, mounts, failures, pods  # noqa: F401
from podman.client import Client  # noqa: F401
