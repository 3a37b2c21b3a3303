"""A user without rights, who has ids of his own to map. He is written into our
copy of /etc (isolation.py), and vanishes with it."""
import os
import pwd
import subprocess

NAME = "ordinary"
ID = "54321"  # the same on every host: it is seen in options of mounts
SUBORDINATE = "200000:65536"  # of users and of groups


def add():
    subprocess.run(["useradd", "--no-create-home", "--no-log-init", "--uid", ID, "--user-group", "--shell", "/bin/sh", NAME], check=True)
    for ids in ("/etc/subuid", "/etc/subgid"):
        with open(ids, encoding="utf-8") as file:
            others = [line for line in file if not line.startswith(f"{NAME}:")]
        with open(ids, "w", encoding="utf-8") as file:
            file.writelines([*others, f"{NAME}:{SUBORDINATE}\n"])


def ids():
    entry = pwd.getpwnam(NAME)
    return entry.pw_uid, entry.pw_gid


def command(argv):
    """What runs this command as the user."""
    user, group = ids()
    return ["setpriv", "--reuid", str(user), "--regid", str(group), "--clear-groups", "--inh-caps=-all", *argv]


def hindrance():
    """Why he can have no containers on this host, whatever the runtime; "" if nothing is known against it."""
    done = subprocess.run(command(["unshare", "--user", "--map-root-user", "true"]), check=False, capture_output=True, text=True)
    return f"an ordinary user gets no user namespace here: {done.stderr.strip()}" if done.returncode else ""


def own(path):
    """Gives him a file, or a directory with everything below."""
    os.chown(path, *ids())
    for directory, names, others in os.walk(path):
        for name in names + others:
            os.chown(f"{directory}/{name}", *ids(), follow_symlinks=False)
