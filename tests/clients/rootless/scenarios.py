"""Every scenario of rootless podman, in the order in which they run."""
from rootless import run  # noqa: F401
from rootless.client import Client  # noqa: F401
