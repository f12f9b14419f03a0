#!/usr/bin/env python3
"""What no formatter checks: file and line length, calls that make a test slow or a coroutine stray.

No exemption list: a file that is too long is split.
"""
import pathlib
import re
import sys

FOLDERS = ("include", "src", "tests", "bench", "deploy", ".ci")
SUFFIXES = {".cpp", ".hpp", ".c", ".h", ".py", ".sh", ".go", ".mjs", ""}
CPP = {".cpp", ".hpp"}
LINES_MAX = 600
TEST_LINES_MAX = 900
COLUMNS_MAX = 100

# The one place that may call co_spawn, for everybody.
SPAWN_HOME = "include/forebay/runtime/task_scope.hpp"

# Where (the start of the path), in which files, what, and why not.
BANNED = [
    ("tests/unit", CPP, re.compile(r"\bsleep_for\b|\bthis_thread::sleep|\bu?sleep\s*\("),
     "a unit test waits for an event, not for time"),
    ("tests/unit", CPP, re.compile(r"\bsystem_clock\s*::\s*now\b|\btime\s*\((nullptr|NULL|0)\)"),
     "a unit test passes the time in"),
    ("src", CPP, re.compile(r"\bco_spawn\s*\("), f"{SPAWN_HOME} holds the only co_spawn"),
    ("include", CPP, re.compile(r"\bco_spawn\s*\("), f"{SPAWN_HOME} holds the only co_spawn"),
    ("src", CPP, re.compile(r"\basio::detached\b"), "it swallows exceptions: use a TaskScope"),
    ("", CPP, re.compile(r"\bNOLINT|clang-format off"), "no exemptions: mend the code"),
    ("", CPP, re.compile(r"\b(TODO|FIXME|XXX)\b"), "finish it or open an issue"),
]


def is_checked(path):
    return path.suffix in SUFFIXES and path.is_file() and "__pycache__" not in path.parts


def check_file(path, name):
    """Every violation in one file as `file:line: why`; `name` is the path in the repository."""
    lines = path.read_text(encoding="utf-8").splitlines()
    errors = []
    lines_max = TEST_LINES_MAX if name.startswith("tests/") else LINES_MAX
    if len(lines) > lines_max:
        errors.append(f"{name}:{lines_max + 1}: {len(lines)} lines, {lines_max} at most: split it")
    rules = [rule for rule in BANNED if name.startswith(rule[0]) and path.suffix in rule[1]]
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS_MAX:
            errors.append(f"{name}:{number}: {len(line)} columns, {COLUMNS_MAX} at most")
        for _, _, pattern, why in rules:
            match = pattern.search(line)
            if match and not (name == SPAWN_HOME and "co_spawn" in match[0]):
                errors.append(f"{name}:{number}: '{match[0].strip()}': {why}")
    return errors


def check(root):
    errors = []
    seen = 0
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if is_checked(path):
                seen += 1
                errors += check_file(path, path.relative_to(root).as_posix())
    if seen == 0:
        errors.append(f"{root}: no sources found, nothing was checked")
    return errors


def main():
    errors = check(pathlib.Path(sys.argv[1]).resolve())
    print("\n".join(errors) if errors else "style: nothing to say")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
