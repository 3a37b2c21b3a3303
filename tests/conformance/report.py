"""Tables: to read while it runs, and for the README."""


def line(result):
    return (f"{result['name']:34} {result['ok']:5} {result['not_ok']:6} "
            f"{result['skipped']:7} {result['seconds']:7.1f}")


HEAD = f"{'program':34} {'ok':>5} {'not ok':>6} {'skipped':>7} {'seconds':>7}"


def total(results):
    """The sums as one more row."""
    keys = ("ok", "not_ok", "skipped", "seconds")
    return {"name": f"total of {len(results)} programs",
            **{key: sum(result[key] for result in results) for key in keys}}


def failures(results):
    """Every point that failed, program by program."""
    lines = []
    for result in results:
        counts = {}
        for point in result["failed"]:
            counts[point] = counts.get(point, 0) + 1
        for point, times in counts.items():
            lines.append(f"  {result['name']}: {point}" + (f" (x{times})" if times > 1 else ""))
    return lines


def remains(results):
    """What was there when a program ended; the sandbox has removed it since."""
    return [f"  {result['name']}: " + ", ".join(f"{len(what)} {kind}" for kind, what in result["left"].items())
            for result in results if result["left"]]


def markdown(documents):
    """One row per program that differs or fails, one column per runtime."""
    names = sorted({result["name"] for document in documents for result in document["programs"]})
    tables = [{result["name"]: result for result in document["programs"]} for document in documents]
    rows = ["| program | " + " | ".join(document["version"] for document in documents) + " |",
            "|---|" + "---|" * len(documents)]
    perfect = 0
    for name in names:
        cells = [cell(table.get(name)) for table in tables]
        if all(table.get(name) and not table[name]["not_ok"] for table in tables):
            perfect += 1
        else:
            rows.append(f"| {name} | " + " | ".join(cells) + " |")
    rows.append(f"| {perfect} others | " + " | ".join(["all ok"] * len(documents)) + " |")
    sums = [total(document["programs"]) for document in documents]
    rows.append("| **total** | " + " | ".join(f"**{cell(one)}**" for one in sums) + " |")
    return "\n".join(rows) + "\n"


def cell(result):
    if result is None:
        return "–"
    failed = f", {result['not_ok']} not ok" if result["not_ok"] else ""
    return f"{result['ok']} ok{failed}"
