"""Many users at once, for as long as it takes."""
import json
import threading

from harness.host import Broken
from harness.user import User, check_events, last_event


class Crowd:
    """Users that lead containers through their lives, one after the other."""

    def __init__(self, host, size, name="w"):
        self.host = host
        self.since = last_event(host)
        self.users, self.problems = [], []
        self.over = threading.Event()
        self.workers = [threading.Thread(target=self.work, args=(f"{name}{i}",)) for i in range(size)]
        for each in self.workers:
            each.start()

    def work(self, name):
        life = 0
        while not self.over.is_set() and not self.problems:
            life += 1
            user = User(self.host, f"{name}-{life}")
            self.users.append(user)
            try:
                user.live()
            except (Broken, json.JSONDecodeError) as why:
                self.problems.append(f"{name}-{life}: {why}")

    def busy(self):
        return any(each.is_alive() for each in self.workers)

    def finish(self, totals):
        """Lets the lives end; what must hold after them."""
        self.over.set()
        for each in self.workers:
            each.join()
        self.host.revive()
        totals.rounds += len(self.users)
        totals.containers += 2 * len(self.users)
        if self.problems:
            raise Broken("; ".join(self.problems))
        totals.events += check_events(self.host, self.since, [name for user in self.users for name in (user.a, user.b)])
        self.host.require_clean()
