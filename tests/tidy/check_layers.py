#!/usr/bin/env python3
"""Includes point down only: reads every #include of include/forebay/ and src/.

The build's layers.json maps each room to the rooms its CMake target names. A room may include
itself, those rooms, and what they may include in turn. Beside that: a private header (src/<room>/)
serves its own room alone, public headers include no private ones, nobody but app includes config,
Beast stays in src/net, and liburing and yaml-cpp each stay in one .cpp.
"""
import argparse
import json
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
SOURCE_SUFFIXES = {".hpp", ".cpp"}
# Third-party headers that one .cpp hides from everybody else: prefix -> the room it lives in.
HIDDEN_LIBRARIES = {"liburing": "io", "yaml-cpp/": "config"}


def allowed_rooms(layers):
    """Room -> the rooms it may include: the transitive closure of what it names, and itself."""
    closure = {}

    def visit(room, path):
        if room in path:
            raise ValueError("rooms in a circle: " + " -> ".join([*path, room]))
        if room not in layers:
            raise ValueError(f"room '{path[-1]}' names '{room}', which is no room")
        if room not in closure:
            below = [visit(named, [*path, room]) for named in layers[room]]
            closure[room] = {room}.union(*below)
        return closure[room]

    for room in layers:
        visit(room, [])
    return closure


def source_files(root):
    """Yields (path, room, is_public) for every C++ file; room is None outside every room."""
    for top, is_public in (("include/forebay", True), ("src", False)):
        base = root / top
        for path in sorted(base.rglob("*")):
            if path.suffix in SOURCE_SUFFIXES:
                parts = path.relative_to(base).parts
                yield path, parts[0] if len(parts) > 1 else None, is_public


def includes(path):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if match := INCLUDE.match(line):
            yield number, match[1] == "<", match[2]


def included_room_error(room, target, angled, is_public, allowed):
    """Why `room` may not include this header of ours, or None. Other people's headers all pass."""
    parts = target.split("/")
    if target.startswith("forebay/"):
        if not angled:
            return f'"{target}" is a public header: include it as <{target}>'
        below = parts[1]
        if below not in allowed:
            return f"<{target}> is in '{below}', which is no room"
        if below == "config" and room not in ("config", "app"):
            return f"{room} includes config: only app may, each room has its own Config"
        if below not in allowed[room]:
            return f"{room} includes {below}: the arrow points up or sideways"
        return None
    if angled:
        private = parts[0] in allowed and len(parts) > 1
        return f"<{target}> is a private header" if private else None
    if is_public:
        return f'a public header includes the private "{target}"'
    if len(parts) < 2 or parts[0] not in allowed:
        return f'"{target}" does not name its room: write "{room}/..."'
    if parts[0] != room:
        return f'{room} includes "{target}", a private header of {parts[0]}'
    return None


def check(root, layers):
    """Every violation as one line `file:line: why`, sorted by file."""
    allowed = allowed_rooms(layers)
    errors = []
    hidden = {prefix: {} for prefix in HIDDEN_LIBRARIES}
    seen = 0
    for path, room, is_public in source_files(root):
        seen += 1
        name = path.relative_to(root)
        if room not in allowed:
            errors.append(f"{name}:1: not in the folder of a room of layers.json")
            continue
        for line, angled, target in includes(path):
            where = f"{name}:{line}"
            if why := included_room_error(room, target, angled, is_public, allowed):
                errors.append(f"{where}: {why}")
            if target.startswith("boost/beast") and (room != "net" or is_public):
                errors.append(f"{where}: Beast belongs to src/net alone")
            for prefix in HIDDEN_LIBRARIES:
                if target.startswith(prefix):
                    hidden[prefix].setdefault(path, where)
    if seen == 0:
        errors.append(f"{root}: no sources found, nothing was checked")
    for prefix, places in hidden.items():
        room = HIDDEN_LIBRARIES[prefix]
        for path, where in places.items():
            if path.suffix != ".cpp" or path.parent != root / "src" / room:
                errors.append(f"{where}: {prefix.rstrip('/')} belongs in one .cpp of src/{room}")
        if len(places) > 1:
            where = "; ".join(places.values())
            errors.append(f"{where}: {prefix.rstrip('/')} in more than one file")
    return errors


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", required=True, type=pathlib.Path)
    parser.add_argument("source_dir", type=pathlib.Path)
    arguments = parser.parse_args()
    errors = check(arguments.source_dir.resolve(), json.loads(arguments.layers.read_text()))
    print("\n".join(errors) if errors else "layers: every include points down")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
