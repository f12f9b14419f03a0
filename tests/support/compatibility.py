#!/usr/bin/env python3
"""Makes docs/compatibility.md out of JUnit reports: what the end-to-end tests saw work.

  compatibility.py REPORT.xml... > docs/compatibility.md

Tests say what they do by `record_property`: client, operation, origin and mode, or operation, case,
origin and mode. Nothing in the output depends on when or how fast a run was, nor on its order.
"""
import collections
import pathlib
import sys
import xml.etree.ElementTree as ElementTree

VERSIONS = pathlib.Path(__file__).parents[1] / "clients" / "versions"
REQUIREMENTS = pathlib.Path(__file__).parents[1] / "e2e" / "requirements.txt"
# The worst of several cases decides.
OUTCOMES = ("passed", "skipped", "failed")
ORIGINS = {"rgw": "RGW", "minio": "MinIO", "aws": "scripted, as AWS"}
TITLE = """# Compatibility

What the end-to-end tests saw work through a node, cell by cell: made by
`tests/support/compatibility.py` from their report. `passed` stands for every case of that kind, an
empty cell for none.
"""


def outcome(case):
    kinds = {child.tag for child in case}
    return "failed" if kinds & {"failure", "error"} else \
        "skipped" if "skipped" in kinds else "passed"


def cases(reports):
    """(properties, outcome) of every test case that names an operation."""
    for report in reports:
        for case in ElementTree.parse(report).iter("testcase"):
            properties = {each.get("name"): each.get("value")
                          for each in case.iterfind("properties/property")}
            if "operation" in properties:
                yield properties, outcome(case)


def table(rows, columns, cells):
    """Markdown, with `cells[row, column]` where there is one."""
    lines = ["| |" + "".join(f" {column} |" for column in columns),
             "| --- |" + " --- |" * len(columns)]
    for row in rows:
        lines.append(f"| {row} |" + "".join(f" {cells.get((row, column), '')} |"
                                            for column in columns))
    return "\n".join(lines) + "\n"


def worst(outcomes):
    return max(outcomes, key=OUTCOMES.index)


def origin_of(properties):
    mode = properties.get("mode")
    origin = properties.get("origin", "any origin")
    return ORIGINS.get(origin, origin) + (f", {mode}" if mode else "")


def pivot(found, row, column):
    """One table of `found`, a list of (properties, outcome)."""
    gathered = collections.defaultdict(list)
    for properties, result in found:
        gathered[row(properties), column(properties)].append(result)
    cells = {place: worst(results) for place, results in gathered.items()}
    rows, columns = (sorted({place[axis] for place in cells}, key=str.casefold) for axis in (0, 1))
    return table(rows, columns, cells)


def versions():
    """(name, version) of what the clients are made of; of a program of ours the file that pins."""
    for line in REQUIREMENTS.read_text().splitlines():
        if line.startswith(("boto3==", "awscli==")):
            yield line.split("==")
    seen = set()
    for line in VERSIONS.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        name, kind, package, version, *_ = line.split()
        if name not in seen:  # the first line of several is the client, the others what it needs
            seen.add(name)
            yield name, f"as {package}/{version} says" if kind == "here" else f"{package} {version}"


def main():
    found = list(cases(sys.argv[1:]))
    clients = [each for each in found if "client" in each[0]]
    operations = [each for each in found if "client" not in each[0]]
    text = TITLE
    if clients:
        text += "\n## Clients\n"
        for origin in sorted({origin_of(properties) for properties, _ in clients}):
            here = [each for each in clients if origin_of(each[0]) == origin]
            text += f"\n### {origin}\n\n"
            text += pivot(here, lambda p: p["operation"], lambda p: p["client"])
    if operations:
        text += "\n## Operations\n\n"
        text += pivot(operations, lambda p: ": ".join(filter(None, (p["operation"],
                                                                    p.get("case")))), origin_of)
    if clients:
        pinned = {(name, "version"): version for name, version in versions()}
        text += "\n## Versions\n\n" + table(sorted(name for name, _ in pinned), ["version"], pinned)
    sys.stdout.write(text)
    return 0 if found else "compatibility.py: no test in these reports names an operation"


if __name__ == "__main__":
    sys.exit(main())
