"""expected.txt: what each program counts here, and why it is not all ok."""


def read(path):
    """{program: {(ok, not ok, skipped)}} from lines of `program ok not-ok
    skipped reason`. The reason may be empty if nothing fails. Several lines for
    one program, all with a reason that begins "race", mean any of them.
    """
    expected, reasons = {}, {}
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            words = line.split("#", 1)[0].split(None, 4)
            if not words:
                continue
            if len(words) < 4 or not all(word.isdigit() for word in words[1:4]):
                raise SystemExit(f"{path}:{number}: want `program ok not-ok skipped reason`")
            name, counts = words[0], tuple(int(word) for word in words[1:4])
            reason = words[4].strip() if len(words) > 4 else ""
            if counts[1] and not reason:
                raise SystemExit(f"{path}:{number}: {name} may fail, so it needs a reason")
            expected.setdefault(name, set()).add(counts)
            reasons.setdefault(name, []).append(reason)
            if len(reasons[name]) > 1 and not all(one.startswith("race") for one in reasons[name]):
                raise SystemExit(f"{path}:{number}: {name} is there twice, and not for a race")
    return expected


def compare(expected, results, whole):
    """What differs, as sentences. `whole`: every program was run."""
    differences = []
    for result in results:
        wanted = expected.get(result["name"])
        found = (result["ok"], result["not_ok"], result["skipped"])
        if wanted is None:
            differences.append(f"{result['name']}: not in the expectations")
        elif found not in wanted:
            differences.append(f"{result['name']}: ok/not ok/skipped {text(found)}, expected "
                               + " or ".join(sorted(map(text, wanted))))
    if whole:
        names = {result["name"] for result in results}
        differences += [f"{name}: expected, but there is no such program"
                        for name in sorted(set(expected) - names)]
    return differences


def text(counts):
    return "/".join(map(str, counts))
