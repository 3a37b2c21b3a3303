"""Cgroups of our own, one in every hierarchy, for one validation program."""

import os


def hierarchies():
    """The mounted hierarchies as [{mount, type, options}]."""
    found = []
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        for line in file:
            left, right = (part.split() for part in line.split(" - ", 1))
            if right[0] not in ("cgroup", "cgroup2") or left[3] != "/":
                continue
            words = [word for word in right[2].split(",") if word not in ("rw", "ro")]
            if any(word.startswith("name=") for word in words):
                words.insert(0, "none")  # a hierarchy without a controller
            found.append({"mount": left[4], "type": right[0],
                          "options": ",".join(words) if right[0] == "cgroup" else ""})
    return found


def create(name):
    """Makes the cgroup in every hierarchy; returns the directories."""
    made = []
    for hierarchy in hierarchies():
        directory = os.path.join(hierarchy["mount"], name)
        os.mkdir(directory)
        made.append(directory)
        # A new cpuset is empty, and nothing can enter an empty one.
        for file in ("cpuset.cpus", "cpuset.mems"):
            if os.path.exists(os.path.join(directory, file)):
                with open(os.path.join(hierarchy["mount"], file), encoding="ascii") as parent:
                    value = parent.read()
                with open(os.path.join(directory, file), "w", encoding="ascii") as child:
                    child.write(value)
    return made


def remove(directories):
    """Removes them and what is below; raises if a process is still inside."""
    for top in directories:
        for directory, _, _ in os.walk(top, topdown=False):
            os.rmdir(directory)


def remaining(prefix):
    """Cgroups in the roots whose names begin so."""
    return [os.path.join(hierarchy["mount"], name)
            for hierarchy in hierarchies()
            for name in os.listdir(hierarchy["mount"]) if name.startswith(prefix)]
