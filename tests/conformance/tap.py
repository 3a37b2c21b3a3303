"""Reads the Test Anything Protocol as the validation programs write it."""

import re

POINT = re.compile(r"^(not )?ok\b(?:\s+\d+)?\s*(?:-\s*)?(.*)$")
PLAN = re.compile(r"^1\.\.(\d+)")
DIRECTIVE = re.compile(r"#\s*(SKIP|TODO)\b\s*(.*)$", re.IGNORECASE)


class Tally:
    """The points of one program, which may write several TAP streams."""

    def __init__(self):
        self.passed = []
        self.failed = []
        self.skipped = []
        self.seen = 0  # points of this stream
        self.planned = None

    def point(self, failed, text):
        self.seen += 1
        directive = DIRECTIVE.search(text)
        if directive:  # TODO: the suite itself says that nobody can pass
            self.skipped.append(directive.group(2) or text)
        else:
            (self.failed if failed else self.passed).append(text)

    def broken(self, what):
        """A failure that has no point of its own."""
        self.failed.append(f"(no point) {what}")

    def end_stream(self):
        """A runtimetest that died in its container leaves points and no plan."""
        if self.planned is None:
            self.broken("no plan: ended early")
        elif self.planned != self.seen:
            self.broken(f"{self.planned} points planned, {self.seen} seen")
        self.seen, self.planned = 0, None


def parse(text):
    """Counts points, and what else is a failure without being a point.

    Some programs (prestart_fail and its like) say nothing but a YAML block
    with an "error" when the runtime was wrong. No output at all is no failure:
    programs that expect `create` to fail say nothing when it does.
    """
    tally = Tally()
    streams = 0
    attached = False  # whether the next YAML block belongs to a point
    lines = iter(text.splitlines())
    for line in lines:
        point, plan = POINT.match(line), PLAN.match(line)
        if line.startswith("TAP version"):
            if streams:
                tally.end_stream()
            streams += 1
        elif point:
            tally.point(bool(point.group(1)), point.group(2))
            attached = True
        elif plan:
            tally.planned = int(plan.group(1))
        elif line.strip() == "---":
            block = yaml_block(lines)
            if not attached and '"error":' in block:
                tally.broken(error_text(block))
            attached = False
    if text.strip():
        tally.end_stream()
    return tally


def yaml_block(lines):
    block = []
    for line in lines:
        if line.strip() == "...":
            break
        block.append(line)
    return "\n".join(block)


def error_text(block):
    match = re.search(r'"error":\s*"((?:[^"\\]|\\.)*)"', block)
    return match.group(1).split("\\n")[0] if match else block
