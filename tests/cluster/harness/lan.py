"""A network of network namespaces: one with a bridge, and one for each node."""
import os
import subprocess


def ip(*words):
    subprocess.run(["ip", *words], check=True, stdout=subprocess.DEVNULL)


class Lan:
    """Nothing of it is in the host's own namespace."""

    def __init__(self):
        self.prefix = f"trp{os.getpid()}"
        self.hub = f"{self.prefix}-hub"
        self.names = []
        ip("netns", "add", self.hub)
        ip("-n", self.hub, "link", "add", "name", "bridge", "type", "bridge")
        ip("-n", self.hub, "link", "set", "dev", "bridge", "up")

    def add(self, name):
        """A namespace for a node; its address."""
        self.names.append(name)
        space, address = self.space(name), f"10.77.0.{len(self.names)}"
        ip("netns", "add", space)
        ip("-n", self.hub, "link", "add", "name", f"to-{name}", "type", "veth", "peer", "name", "eth0", "netns", space)
        ip("-n", self.hub, "link", "set", "dev", f"to-{name}", "master", "bridge", "up")
        ip("-n", space, "addr", "add", f"{address}/24", "dev", "eth0")
        for link in ("lo", "eth0"):
            ip("-n", space, "link", "set", "dev", link, "up")
        return address

    def space(self, name):
        return f"{self.prefix}-{name}"

    def inside(self, name):
        """What a command line begins with that is to run there: the network only,
        for `ip netns exec` would hide /sys/fs/cgroup."""
        return ["nsenter", f"--net=/run/netns/{self.space(name)}", "--"]

    def cut(self, name):
        """Whatever it sends, and is sent, is lost."""
        ip("-n", self.hub, "link", "set", "dev", f"to-{name}", "down")

    def mend(self, name):
        ip("-n", self.hub, "link", "set", "dev", f"to-{name}", "up")

    def close(self):
        for space in [*(self.space(name) for name in self.names), self.hub]:
            subprocess.run(["ip", "netns", "del", space], check=False, capture_output=True)

    def left(self):
        return [name for name in os.listdir("/run/netns") if name.startswith(self.prefix)] if os.path.isdir("/run/netns") else []
