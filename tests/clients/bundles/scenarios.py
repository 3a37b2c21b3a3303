"""Every scenario of bundles, in the order in which they run."""
from bundles import run  # noqa: F401
from bundles.client import Client  # noqa: F401
