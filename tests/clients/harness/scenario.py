"""A scenario: one function that drives a client and says what must hold."""
from harness import leaks
from harness.step import Call, Failed, Step, Terminal

REGISTRY = {}  # client -> list of scenarios, in the order in which they are written


class Skipped(Exception):
    """This host cannot do it, whatever the runtime; the text says why."""


class Scenario:
    def __init__(self, client, function):
        self.client, self.function = client, function
        self.name = function.__name__


def scenario(client):
    def register(function):
        entries = REGISTRY.setdefault(client, [])
        assert all(entry.name != function.__name__ for entry in entries), function.__name__
        entries.append(Scenario(client, function))
        return function
    return register


class Box:
    """What a scenario works with: a client with one runtime, and a transcript."""

    def __init__(self, client, before):
        self.client = client
        self.before = before  # what there was when the scenario began (leaks.py)
        self.steps = []
        self.running = []

    def __call__(self, *words, stdin="", mask=(), sort=False):
        """Calls the client and waits for its end; the step goes into the transcript."""
        return self.end(self.begin(*words, stdin=stdin, mask=mask), sort)

    def begin(self, *words, stdin="", mask=()):
        call = Call(self.client.shown(words), self.client.argv(words), self.client.environment(), stdin, mask)
        self.running.append(call)
        return call

    def terminal(self, *words, mask=(), **size):
        call = Terminal(self.client.shown(words), self.client.argv(words), self.client.environment(), mask=mask, **size)
        self.running.append(call)
        return call

    def end(self, call, sort=False):
        self.running.remove(call)
        step = call.finish()
        step.sort = sort
        self.steps.append(step)
        return step

    def drop(self, call):
        """Ends a call that would go on; it is not compared."""
        self.running.remove(call)
        call.interrupt()

    def hidden(self, *words, stdin=""):
        """A call that only prepares or waits: checked to succeed, not compared."""
        call = Call(self.client.shown(words), self.client.argv(words), self.client.environment(), stdin)
        return call.finish().expect(code=0)

    def eventually(self, *words, attempts=20):
        """As hidden, of a call that may need several attempts."""
        for _ in range(attempts):
            step = Call(self.client.shown(words), self.client.argv(words), self.client.environment(), "").finish()
            if step.code == 0:
                return
        raise Failed(f"{' '.join(words)}: exit code {step.code} in {attempts} attempts: {step.stderr}")

    def note(self, subject, findings):
        """Puts what the scenario found out by itself into the transcript."""
        self.steps.append(Step([f"({subject})"], 0, "".join(f"{finding}\n" for finding in findings), ""))

    def settle(self):
        """Waits for the ends of what clients do in the background, conmon's clean-up first of all."""
        leaks.wait_for_ends(self.before.processes)

    def leave(self):
        """Ends the calls that a failed scenario left running."""
        for call in self.running:
            call.interrupt()

    @staticmethod
    def require(condition, what):
        if not condition:
            raise Failed(what)

    @staticmethod
    def skip(reason):
        raise Skipped(reason)
