"""What a scenario saw, with everything replaced that differs between two runs
of the same runtime: ids, times, paths, names of the runtime itself.

A runtime's prose in an error is its own. What counts is what the clients read
in it: the sentences in SENTENCES, and what a client made of them (its own
words around the prose and its exit code, which stay as they are).
"""
import re

SENTENCES = (
    "executable file not found in",
    "no such file or directory",
    "permission denied",
    "operation not permitted",
    "does not exist",
    "container not running",
    "process already finished",
    "no such process",
)
PROSE = (
    # podman: "Error: NAME: prose: what podman concludes"
    re.compile(r"(?P<before>Error: (?:[^\n]*?: )?RUNTIME: )(?P<prose>[^\n]*?)(?P<after>: OCI [^\n:]*)?$", re.MULTILINE),
    # containerd: "... OCI runtime create failed: prose: unknown"
    re.compile(r"(?P<before>OCI runtime \w+ failed: )(?P<prose>[^\n]*?)(?P<after>: unknown)\"?$", re.MULTILINE),
    # The runtime's own text log, which podman passes on.
    re.compile(r"(?P<before>^time=\S+ level=error msg=\")(?P<prose>[^\n]*)(?P<after>\")$", re.MULTILINE),
)
VARYING = (
    (re.compile(r"^time=.*Failed to remove cgroup \(will retry\).*\n?", re.MULTILINE), ""),
    (re.compile(r"/var/tmp/podman\d+"), "<file>"),

    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?[+-]\d\d:?\d\d| UTC|Z)*"), "<time>"),
)
ID = re.compile(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{12}\b")


class Normaliser:
    def __init__(self, places, runtime_name):
        # Longest first: one place may lie within another.
        self.places = sorted(places.items(), key=lambda pair: -len(pair[0]))
        self.runtime_name = re.compile(rf"(?<![\w./-]){re.escape(runtime_name)}(?=: )")
        self.ids = {}

    def text(self, text, mask=()):
        for pattern, replacement in mask:
            text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
        for place, name in self.places:
            text = text.replace(place, name)
        text = self.runtime_name.sub("RUNTIME", text)
        for pattern, replacement in VARYING:
            text = pattern.sub(replacement, text)
        text = ID.sub(lambda found: self.numbered(found.group()), text)
        for pattern in PROSE:
            text = pattern.sub(condensed, text)
        return text

    def numbered(self, word):
        """One name per id, whether it is written whole or in its first 12 digits."""
        number = self.ids.setdefault(word[:12], len(self.ids) + 1)
        return f"<id {number}>" if len(word) == 64 else f"<short id {number}>"


def condensed(found):
    prose = found.group("prose").lower()
    said = [sentence for sentence in SENTENCES if sentence in prose]
    return f"{found.group('before')}{{{', '.join(said)}}}{found.group('after') or ''}"


def lines(steps, normaliser):
    """The transcript of a list of steps, ready to compare."""
    out = []
    for step in steps:
        out.append("$ " + normaliser.text(" ".join(step.words), step.mask).replace("\n", "\\n"))
        for label, text in (("", step.stdout), ("! ", step.stderr)):
            shown = normaliser.text(text, step.mask).split("\n")
            last = shown.pop()
            out += [f"  {label}{line}" for line in (sorted(shown) if step.sort else shown)]
            if last:
                out.append(f"  {label}{last} (no newline)")
        out.append(f"  exit {step.code}")
    return out
