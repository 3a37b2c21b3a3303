"""What a cluster must hold. Each case has a cluster of its own."""
import json
import os
import random
import select
import subprocess
import threading
import time

from harness.cluster import BIN, PORT, Broken, until

ALL = {}
LOOP = "i=0; while :; do i=$((i+1)); echo line $i; sleep 0.05; done"


def case(*names):
    def add(function):
        ALL[function.__name__] = (names, function)
        return function
    return add


def same(found, wanted, what):
    if found != wanted:
        raise Broken(f"{what}: found {found!r}, wanted {wanted!r}")


def contains(text, wanted):
    if wanted not in text:
        raise Broken(f"{wanted!r} is not in {text!r}")


def run(cluster, *words):
    return ["run", *words, "--rootfs", cluster.rootfs, "--", "/bin/sh", "-c"]


@case("a", "b")
def verbs(cluster):
    """Every verb, of a container on another node."""
    a, b = cluster["a"], cluster["b"]
    same(a.need(*run(cluster, "--rm", "--node", "b"), "echo out; echo err >&2; exit 3", code=3), "out\n", "run --node")
    same(a.troupe(*run(cluster, "--rm", "--node", "b")[:-2], "/no/such").code, 127, "a command that is not there")
    same(a.need(*run(cluster, "-i", "--rm", "--node", "b"), "cat", stdin=b"typed\n"), "typed\n", "run -i")
    a.need(*run(cluster, "-d", "--name", "web", "--node", "b"), LOOP)
    same(b.json("ps")[0]["id"], "web", "ps where it runs")
    same([each["node"] + "/" + each["id"] for each in a.json("ps", "--all-nodes")], ["b/web"], "ps --all-nodes")
    same(json.loads(a.need("inspect", "b/web"))["status"], "running", "inspect")
    same(a.need("exec", "b/web", "echo", "hello"), "hello\n", "exec")
    same(a.troupe("exec", "b/web", "sh", "-c", "exit 9").code, 9, "the exit code of exec")
    same(a.need("exec", "-i", "b/web", "cat", stdin=b"x" * 3_000_000), "x" * 3_000_000, "three megabytes through exec -i")
    contains(a.need("logs", "b/web"), "line 1\n")
    contains(a.need("top", "b/web"), "/bin/sh -c i=0")
    contains(a.need("stats", "--no-stream", "b/web"), "b/web")
    a.need("pause", "b/web")
    same(json.loads(a.need("inspect", "b/web"))["status"], "paused", "pause")
    a.need("unpause", "b/web")
    a.need("update", "--pids-limit", "50", "b/web")
    follower = a.popen("logs", "-f", "b/web")
    waiter = a.popen("wait", "b/web")
    attached = a.popen("attach", "--no-stdin", "b/web")
    contains(attached.stdout.readline().decode(), "line ")
    a.need("kill", "--signal", "KILL", "b/web")
    same(waiter.communicate(timeout=60)[0], b"137\n", "wait")
    attached.communicate(timeout=60)
    same(attached.returncode, 137, "attach ends with the container's exit code")
    follower.communicate(timeout=60)
    same(follower.returncode, 0, "logs -f ends with the container")
    events = [json.loads(line)["type"] for line in a.need("events", "--node", "b", "--container", "web", "--format", "json").splitlines()]
    same([each for each in events if each in ("created", "started", "exited", "stopped")], ["created", "started", "exited", "stopped"], "events --node")
    contains(a.need("events", "--all-nodes"), "web  exited")
    a.need("rm", "b/web")
    a.need("create", "--name", "later", "--node", "b", "--rootfs", cluster.rootfs, "--", "/bin/sh", "-c", "exit 4")
    same(a.troupe("start", "-a", "b/later").code, 4, "start -a")
    a.need("rm", "b/later")
    a.need(*run(cluster, "-d", "--name", "stops", "--node", "b"), "sleep 1000")
    a.need("stop", "--time", "0", "b/stops")
    a.need("rm", "b/stops")
    same(a.need("ps", "-aq", "--node", "b"), "", "nothing is left")
    same(a.need("ps", "-aq", "--node", "a"), "", "a node may name itself")


@case("a", "b")
def terminals(cluster):
    """A terminal on another node, of our size, with its exit code; twenty times."""
    a = cluster["a"]
    words = " ".join([f"{BIN}/troupe", *run(cluster, "-it", "--rm", "--node", "b")])
    for _ in range(20):
        done = subprocess.run(["script", "-qec", f"stty rows 33 cols 77; {words} 'tty && exit 5'", "/dev/null"],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
                              env={**os.environ, "TROUPE_SOCKET": f"{a.root}/trouped.sock"})
        same(done.returncode, 5, "its exit code")
        contains(done.stdout, "/dev/pts/")


@case("a", "b")
def mistakes(cluster):
    """What is wrong is said, and by whom."""
    a = cluster["a"]
    for words, why in ((("ps", "--node", "x"), "no node 'x'"),
                       (("inspect", "b/none"), "there is no container 'none'"),
                       (("inspect", "x/none"), "no node 'x'"),
                       (("run", "--node", "auto", "--constraint", "zone=x", "--rootfs", cluster.rootfs, "--", "/bin/true"), "label zone"),
                       (("run", "--node", "auto", "--constraint", "zone", "--rootfs", cluster.rootfs, "--", "/bin/true"), "LABEL=VALUE")):
        did = a.troupe(*words)
        same(did.code, 125 if words[0] == "run" else did.code or 1, f"troupe {' '.join(words)}: {did.err}")
        contains(did.err, why)


@case("a", "b", "c")
def partition(cluster):
    """One node is cut off: it works on alone, and is found again."""
    a, c = cluster["a"], cluster["c"]
    a.need(*run(cluster, "-d", "--name", "stays", "--node", "c"), "while [ ! -e /tmp/go ]; do sleep 0.05; done; exit 6")
    follower = a.popen("wait", "c/stays")
    cluster.lan.cut("c")
    cluster.until_seen(a, "c", "suspect")
    did = a.troupe("ps", "--all-nodes", "--format", "json")
    if did.seconds > 5 or "node c" not in did.err or did.code == 0:
        raise Broken(f"partial results took {did.seconds:.1f} s, and said: {did.err}")
    cluster.until_seen(a, "c", "down")
    cluster.until_seen(c, "a", "down")
    cluster.until_seen(c, "b", "down")
    same(a.sees()["b"], "alive", "those who are together")
    follower.communicate(timeout=60)
    if follower.returncode == 0:
        raise Broken("a wait for a container of a lost node succeeds")
    if a.troupe("exec", "c/stays", "true").seconds > 2:
        raise Broken("a lost node is not refused at once")
    same(c.need(*run(cluster, "--rm"), "echo alone"), "alone\n", "a node without the others")
    c.need("exec", "stays", "sh", "-c", ": > /tmp/go")
    same(c.need("wait", "stays"), "6\n", "its container's end")
    cluster.lan.mend("c")
    cluster.until_all_alive()
    same(a.need("wait", "c/stays"), "6\n", "the exit code of what ended meanwhile")


@case("a", "b", "c")
def death(cluster):
    """kill -9, a restart, and SIGSTOP: containers run on, and nothing is lost."""
    a, b, c = cluster["a"], cluster["b"], cluster["c"]
    a.need(*run(cluster, "-d", "--name", "web", "--node", "b"), "while [ ! -e /tmp/go ]; do sleep 0.05; done; exit 7")
    b.crash()
    cluster.until_seen(a, "b", "suspect", 5)
    cluster.until_seen(a, "b", "down")
    b.start([a])
    cluster.until_all_alive()
    a.need("exec", "b/web", "sh", "-c", ": > /tmp/go")
    same(a.need("wait", "b/web"), "7\n", "an exit code after a restart")
    c.hang()
    cluster.until_seen(a, "c", "suspect")
    cluster.until_seen(b, "c", "down")
    c.go_on()
    cluster.until_all_alive()
    b.end()
    cluster.until_seen(a, "b", "left", 10)
    b.start([a])
    cluster.until_all_alive()


@case("a", "b", "c")
def names(cluster):
    """A name is one node's; another name is another node."""
    a, b, c = cluster["a"], cluster["b"], cluster["c"]
    c.crash()
    c.certificate = "b"
    c.start([a])
    until(lambda: "is taken" in c.all_log(), "a second b is refused")
    same(a.sees()["b"], "alive", "the first b")
    c.end()
    cluster.issue("d")
    c.certificate = "d"
    c.start([a])
    for node in (a, b):
        cluster.until_seen(node, "d", "alive")
        cluster.until_seen(node, "c", "down")
    contains(a.troupe("node", "rm", "d").err, "node d is alive: only one that is down or has left")
    same(a.need("node", "rm", "c"), "c\n", "node rm")
    for node in (a, b, c):
        cluster.until_seen(node, "c", None)
    same(a.need(*run(cluster, "--rm", "--node", "d"), "echo new"), "new\n", "the node of another name")


@case("a", "b", "c")
def versions(cluster):
    """A node of another protocol version is refused, says why, and works on alone."""
    a, b, c = cluster["a"], cluster["b"], cluster["c"]
    c.crash()
    c.program = "trouped-other"
    c.start([a])
    until(lambda: "no link to a: a refuses: 'protocol 99 (troupe 0.1.0), wanted: 2 (troupe 0.1.0)'" in c.all_log(), "c hears why")
    until(lambda: "is refused: protocol 99 (troupe 0.1.0), wanted: 2 (troupe 0.1.0)" in a.all_log(), "a says why")
    same([c.sees().get("a"), c.sees().get("b")], [None, None], "what the other version sees")
    same(c.need(*run(cluster, "--rm"), "echo alone"), "alone\n", "a node of another version")
    c.end()
    c.program = "trouped"
    c.start([a])
    cluster.until_all_alive()
    same(b.need(*run(cluster, "--rm", "--node", "c"), "echo again"), "again\n", "the right version")


@case("a", "b", "c")
def rolling_restart(cluster):
    """All are restarted one by one, under load; no container is lost."""
    nodes = [cluster[name] for name in "abc"]
    chance, over, broken, runs = random.Random(8), threading.Event(), [], []
    for node in nodes:
        node.need(*run(cluster, "-d", "--name", f"stays-{node.name}"), f"while [ ! -e /tmp/go-{node.name} ]; do sleep 0.05; done; exit 8")

    def user(number):
        while not over.is_set():
            by, on = chance.choice(nodes), chance.choice(nodes)
            name, code = f"r{number}-{len(runs)}-{chance.randrange(10**9)}", chance.randrange(1, 100)
            did = by.troupe(*run(cluster, "--rm", "--node", on.name, "--name", name), f"exit {code}")
            runs.append(did.code)
            if did.code not in (code, 125):
                broken.append(f"run on {on.name} by {by.name} ends with {did.code}, not {code}: {did.err}")

    users = [threading.Thread(target=user, args=(number,)) for number in range(3)]
    for each in users:
        each.start()
    for node in nodes:
        node.end()
        node.start([other for other in nodes if other is not node])
        cluster.until_all_alive()
    over.set()
    for each in users:
        each.join()
    if broken:
        raise Broken("; ".join(broken))
    for node in nodes:
        node.need("exec", f"stays-{node.name}", "sh", "-c", f": > /tmp/go-{node.name}")
        same(node.need("wait", f"stays-{node.name}"), "8\n", "a container that was there before")
    good = sum(code != 125 for code in runs)
    return f"{len(runs)} runs, {good} served, {len(runs) - good} refused while a node was away"


@case("a", "b", "c")
def placement(cluster):
    """Where containers go, why, and how a node is emptied."""
    a, b = cluster["a"], cluster["b"]
    where = a.need(*run(cluster, "-d", "--name", "one", "--node", "auto", "--constraint", "zone=b"), "sleep 1000").strip()
    same(where, "b/one", "a constraint")
    why = json.loads(a.need("inspect", "b/one"))["annotations"]["troupe.placement"]
    contains(why, "b: spread: 0 running")
    until(lambda: {each["name"]: each["load"]["running"] for each in a.json("nodes")}["b"] == 1, "a hears what b has")
    where = a.need(*run(cluster, "-d", "--name", "two", "--node", "auto", "--annotation", "troupe.drain=move"), "sleep 1000").strip()
    if where == "b/two":
        raise Broken("spread chooses the fullest node")
    where = a.need(*run(cluster, "-d", "--name", "three", "--node", "auto", "--strategy", "binpack", "--annotation", "troupe.drain=keep"), "sleep 1000").strip()
    same(where, "b/three", "binpack chooses the fullest node")
    b.need(*run(cluster, "-d", "--name", "moves", "--annotation", "troupe.drain=move"), "sleep 1000")
    told = a.need("node", "drain", "b", "--time", "0")
    for wanted in ("one is stopped", "three stays", "moves runs on "):
        contains(told, wanted)
    same(sorted(each["id"] for each in b.json("ps")), ["three"], "what runs on a drained node")
    moved = told.split("moves runs on ")[1].split()[0]
    same(json.loads(a.need("inspect", f"{moved}/moves"))["status"], "running", "what was moved")
    contains(b.troupe(*run(cluster, "--rm"), "true").err, "being drained")
    b.end()
    b.start([a])
    cluster.until_all_alive()
    until(lambda: {each["name"]: each["draining"] for each in a.json("nodes")}["b"], "it is drained after a restart")
    contains(b.troupe(*run(cluster, "--rm"), "true").err, "being drained")
    a.need("node", "undrain", "b")
    same(b.need(*run(cluster, "--rm"), "echo again"), "again\n", "undrain")


def https(cluster, by, target, method="GET", certificate="ops", context=None):
    """An answer of a node's HTTP API over TLS, asked from a's network."""
    certificates = cluster.certificates
    words = cluster.lan.inside("a") + [
        "curl", "-sS", "--max-time", "10", "-X", method, "-w", "\n%{http_code}", "--insecure",
        "--cert", f"{context or certificates}/{certificate}.pem", "--key", f"{context or certificates}/{certificate}.key",
        f"https://{by.address}:{PORT}{target}"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    body, _, status = done.stdout.rpartition("\n")
    return done.returncode, body, status


@case("a", "b")
def observers(cluster):
    """An observer looks over HTTPS, and does nothing; strangers get nowhere."""
    b = cluster["b"]
    cluster.issue("ops", "--role", "observer")
    b.need(*run(cluster, "-d", "--name", "web", "-e", "SECRET=hidden"), "echo seen; sleep 1000")
    _, body, status = https(cluster, b, "/v1/containers")
    same((status, json.loads(body)[0]["id"]), ("200", "web"), "an observer's list")
    same(https(cluster, b, "/v1/containers/web/logs?format=raw")[1:], ("seen\n", "200"), "logs")
    same(https(cluster, b, "/v1/nodes/a/containers")[1:], ("[]", "200"), "another node's list")
    for method, target in (("POST", "/v1/containers/web/kill"), ("DELETE", "/v1/containers/web?force=1"),
                           ("GET", "/v1/containers/web/config"), ("GET", "/v1/containers/web/plan"),
                           ("POST", "/v1/nodes/a/shutdown"), ("GET", "/v1/nodes/b/containers/web/config"), ("POST", "/v1/shutdown")):
        _, body, status = https(cluster, b, target, method)
        same(status, "403", f"{method} {target} by an observer: {body}")
    same(https(cluster, b, "/v1/containers/web/kill?signal=KILL", "POST", "a")[2], "200", "a member acts")
    socket = os.path.join(cluster.directory, "b.sock")
    certificates = cluster.certificates
    tunnel = subprocess.Popen(
        cluster.lan.inside("a") + [
            "socat", f"UNIX-LISTEN:{socket},mode=0600,fork",
            f"OPENSSL:{b.address}:{PORT},openssl-commonname=b,cafile={certificates}/ca.pem,"
            f"cert={certificates}/ops.pem,key={certificates}/ops.key"])
    try:
        until(lambda: os.path.exists(socket), "socat listens")
        words = [f"{BIN}/troupe", "--socket", socket]
        shown = subprocess.run([*words, "logs", "web"], capture_output=True, text=True, timeout=60, check=False)
        same((shown.returncode, shown.stdout), (0, "seen\n"), "troupe logs of an observer")
        shown = subprocess.run([*words, "ps", "-aq", "--all-nodes"], capture_output=True, text=True, timeout=60, check=False)
        same((shown.returncode, shown.stdout), (0, "b/web\n"), "troupe ps of an observer")
        refused = subprocess.run([*words, "kill", "web"], capture_output=True, text=True, timeout=60, check=False)
        same(refused.returncode, 125, "troupe kill of an observer")
        contains(refused.stderr, "observer")
    finally:
        tunnel.terminate()
        tunnel.wait()
    other = os.path.join(cluster.directory, "other")
    for words in (("init-ca",), ("issue-cert", "ops", "--role", "observer")):
        subprocess.run([f"{BIN}/troupe", "cluster", *words, "--dir", other], check=True, capture_output=True)
    code, _, _ = https(cluster, b, "/v1/containers", context=other)
    if code == 0:
        raise Broken("a certificate of another authority is served")
    until(lambda: "is refused: " in b.all_log(), "b logs who is refused")


@case("a", "b")
def library(cluster):
    """A program that links troupe runs a container here and there, and hears of its end."""
    cluster.issue("tool")
    certificates, own = cluster.certificates, os.path.join(cluster.directory, "tool")
    os.makedirs(own, mode=0o700)
    for words in ([], ["b", f"{cluster['a'].address}:{PORT}", "0.0.0.0:7171", f"{certificates}/ca.pem", f"{certificates}/tool.pem", f"{certificates}/tool.key"]):
        done = subprocess.run(cluster.lan.inside("a") + [f"{BIN}/supervise", own, cluster.rootfs, *words],
                              capture_output=True, text=True, timeout=60, check=False)
        same(done.returncode, 7, f"supervise {' '.join(words)}: {done.stderr}")
        contains(done.stdout, ": exit code 7")
    same(cluster["b"].json("ps", "-a"), [], "what it has left")
    cluster.until_seen(cluster["a"], "tool", "left", 10)


@case("a", "b")
def slow_reader(cluster):
    """Whoever reads slowly on one node fills no memory, on neither."""
    a, b = cluster["a"], cluster["b"]
    a.need(*run(cluster, "-d", "--name", "loud", "--node", "b", "--log-driver", "none"), "yes 'a line that is not short at all, again and again'")
    before = a.rss(), b.rss()
    slow = a.popen("attach", "--no-stdin", "b/loud")
    until(lambda: len(slow.stdout.peek()) > 0, "something comes")
    time.sleep(3)  # nobody reads, and nothing may pile up
    grown = a.rss() - before[0], b.rss() - before[1]
    slow.kill()
    slow.communicate()
    if max(grown) > 8 << 10:
        raise Broken(f"a has grown by {grown[0]} KiB, b by {grown[1]} KiB")
    return f"a +{grown[0]} KiB, b +{grown[1]} KiB"


ATTACKS = ("nothing", "garbage", "silence", "slow_handshake", "oversized_greeting", "oversized_frame", "flood")


@case("a", "b", "c")
def strangers(cluster):
    """Garbage, silence, slow and endless words and floods at one node's door disturb nobody."""
    a, b = cluster["a"], cluster["b"]
    cluster.issue("evil")
    rss, said = b.rss(), ""
    for kind in ATTACKS:
        script = os.path.join(os.path.dirname(os.path.realpath(__file__)), "attack.py")
        began, cpu, before, times = time.monotonic(), b.cpu_seconds(), b.rss(), []
        attacker = subprocess.Popen(
            cluster.lan.inside("c") + ["python3", script, kind, b.address, str(PORT), "3", cluster.certificates],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        while attacker.poll() is None:
            did = a.troupe(*run(cluster, "--rm", "--node", "b"), "true")
            same(did.code, 0, f"a run on b, under {kind}: {did.err}")
            times.append(did.seconds)
            same(a.sees()["b"], "alive", f"b, under {kind}")
            same(b.sees()["c"], "alive", f"c, whose network {kind} comes from")
            select.select([], [], [], max(0.0, began + 0.1 * len(times) - time.monotonic()))  # ten a second
        tried, took = attacker.stdout.read().strip(), time.monotonic() - began
        if attacker.returncode != 0 or int(tried) == 0:
            raise Broken(f"{kind}: {tried}")
        times.sort()
        said += (f"\n       {kind:18} {int(tried) / took:7.0f} a second; a run on b: median {1000 * times[len(times) // 2]:3.0f} ms, slowest {1000 * times[-1]:3.0f} ms; "
                 f"b: {100 * (b.cpu_seconds() - cpu) / took:3.0f} % of a core, {b.rss() - before:+d} KiB")
    if b.rss() - rss > 16 << 10:
        raise Broken(f"b has grown by {b.rss() - rss} KiB{said}")
    for wanted in ("a frame of more than 67108864 bytes", "greeting: 2147483647 bytes, more than"):
        until(lambda wanted=wanted: wanted in b.all_log(), f"b logs '{wanted}'", 5)
    return said
