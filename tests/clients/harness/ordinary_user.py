"""A user without rights, who has ids of his own to map. He is written into our
copy of /etc (isolation.py), and vanishes with it."""
import os
import pwd
import subprocess

NAME = "ordinary"
SUBORDINATE = "200000:65536"  # of users and of groups


def add():
    subprocess.run(["useradd", "--no-create-home", "--no-log-init", "--user-group", "--shell", "/bin/sh", NAME], check=True)
    for ids in ("/etc/subuid", "/etc/subgid"):
        with open(ids, encoding="utf-8") as file:
            others = [line for line in file if not line.startswith(f"{NAME}:")]
        with open(ids, "w", encoding="utf-8") as file:
            file.writelines([*others, f"{NAME}:{SUBORDINATE}\n"])


def command(argv):
    """What runs this command as the user."""
    entry = pwd.getpwnam(NAME)
    return ["setpriv", "--reuid", str(entry.pw_uid), "--regid", str(entry.pw_gid), "--clear-groups", "--inh-caps=-all", *argv]


def own(path):
    """Gives him a file, or a directory with everything below."""
    entry = pwd.getpwnam(NAME)
    os.chown(path, entry.pw_uid, entry.pw_gid)
    for directory, names, others in os.walk(path):
        for name in names + others:
            os.chown(f"{directory}/{name}", entry.pw_uid, entry.pw_gid, follow_symlinks=False)
