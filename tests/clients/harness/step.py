"""One call of a client: what was asked, what came out, within a time limit."""
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
import time

time_limit = 120.0  # seconds for one call; the slowest takes two on an idle machine


ANY_FAILURE = "any but 0"  # for an exit code that only has to be the same


class Failed(Exception):
    """An expectation of a scenario that did not hold."""


class Step:
    """A finished call."""

    def __init__(self, words, code, stdout, stderr, mask=()):
        self.words, self.code, self.mask = words, code, mask
        self.stdout, self.stderr = stdout, stderr
        self.sort = False  # whether the client lists in the order of a hash map

    def expect(self, code=0, stdout=None, has=None, error=None):
        """Checks exit code, exact output, a regular expression in output or error."""
        if self.code == 0 if code is ANY_FAILURE else self.code != code:
            raise Failed(f"{self.described()}: exit code {self.code}, expected {code}; stderr: {self.stderr.strip()!r}")
        if stdout is not None and self.stdout != stdout:
            raise Failed(f"{self.described()}: stdout {self.stdout!r}, expected {stdout!r}")
        if has is not None and not re.search(has, self.stdout, re.MULTILINE):
            raise Failed(f"{self.described()}: stdout lacks /{has}/:\n{self.stdout}")
        if error is not None and not re.search(error, self.stderr, re.MULTILINE | re.IGNORECASE):
            raise Failed(f"{self.described()}: stderr {self.stderr!r} lacks /{error}/")
        return self

    def described(self):
        return "'" + " ".join(self.words) + "'"


class Call:
    """A running call on pipes."""

    def __init__(self, words, argv, environment, stdin="", mask=()):
        self.words, self.mask = words, mask
        self.deadline = time.monotonic() + time_limit
        self.process = subprocess.Popen(
            argv, env=environment, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.stdin, self.stdout = stdin.encode(), b""

    def read_until(self, pattern):
        """Waits for output that holds the pattern; the call goes on."""
        while not re.search(pattern.encode(), self.stdout, re.MULTILINE):
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, self.deadline - time.monotonic()))
            chunk = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            if not chunk:
                kill_group(self.process)
                raise Failed(f"'{' '.join(self.words)}': no output /{pattern}/ but {self.stdout!r}")
            self.stdout += chunk

    def has_output(self, within):
        if self.process.poll() is not None or time.monotonic() > self.deadline:
            kill_group(self.process)
            raise Failed(f"'{' '.join(self.words)}': no output at all")
        return bool(select.select([self.process.stdout], [], [], within)[0])

    def write(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def finish(self):
        try:
            stdout, stderr = self.process.communicate(self.stdin, max(0, self.deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            kill_group(self.process)
            stdout, stderr = self.process.communicate()
            so_far = (self.stdout + stdout).decode(errors="replace"), stderr.decode(errors="replace")
            raise Failed(f"'{' '.join(self.words)}': not finished after {time_limit:.0f} s; stdout, stderr: {so_far}") from None
        return Step(self.words, self.process.returncode, (self.stdout + stdout).decode(errors="replace"),
                    stderr.decode(errors="replace"), self.mask)

    def interrupt(self):
        kill_group(self.process)
        self.process.communicate()


class Terminal:
    """A running call whose stdin, stdout and stderr are one terminal."""

    def __init__(self, words, argv, environment, rows=24, columns=80, mask=()):
        self.words, self.mask = words, mask
        self.deadline = time.monotonic() + time_limit
        self.master, slave = os.openpty()
        self.resize(rows, columns)
        self.process = subprocess.Popen(
            argv, env=environment, start_new_session=True, stdin=slave, stdout=slave, stderr=slave,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        self.seen = b""  # everything
        self.fresh = 0   # where the part begins that no expect() has matched yet

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def expect(self, pattern):
        """Waits until the terminal shows the pattern, after the last match."""
        while True:
            found = re.compile(pattern.encode(), re.MULTILINE).search(self.seen, self.fresh)
            if found:
                self.fresh = found.end()
                return
            if not self.read_some():
                raise Failed(f"'{' '.join(self.words)}': the terminal never showed /{pattern}/ but {self.seen!r}")

    def send(self, text):
        os.write(self.master, text.encode())

    def finish(self):
        while self.read_some():
            pass
        try:
            code = self.process.wait(max(0.0, self.deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            kill_group(self.process)
            self.process.wait()
            raise Failed(f"'{' '.join(self.words)}': not finished after {time_limit:.0f} s; terminal: {self.seen!r}") from None
        finally:
            os.close(self.master)
        return Step(self.words, code, self.seen.decode(errors="replace").replace("\r", ""), "", self.mask)

    def interrupt(self):
        kill_group(self.process)
        self.process.wait()

    def read_some(self):
        ready, _, _ = select.select([self.master], [], [], max(0.0, self.deadline - time.monotonic()))
        try:
            chunk = os.read(self.master, 65536) if ready else b""
        except OSError:  # EIO: the last holder of the slave is gone
            chunk = b""
        self.seen += chunk
        return chunk


def kill_group(process):
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
