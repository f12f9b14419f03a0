"""All classes of load at once on one small node: every answer is right, or an honest refusal."""
import collections
import contextlib
import http.client
import pathlib
import random
import re
import subprocess
import threading
import time

import pytest
from compare import pattern
from conftest import SCRIPT
from node import FATAL, MIB, binary
from s3_semantics import S3Error
from scripted_origin import Script
from stalled_pipe import StalledPipe
from test_bounds import assert_given_back, begin_read, gauges

HOT, COLD, WIDE, MOVING = 8, 24, 4, 3
HOT_SIZE, COLD_SIZE, WIDE_SIZE, MOVING_SIZE = 5 * MIB + 3, 9 * MIB + 5, 48 * MIB, 6 * MIB + 1
RANGE = 64 * 1024
CUT = (http.client.HTTPException, ConnectionError)
REFUSED = {503: ("SlowDown", "ServiceUnavailable"), 500: ("InternalError",)}


def config(tmp_path):
    devices = [{"path": str(tmp_path / f"slab{n}"), "size": "96MiB"} for n in range(2)]
    return {"listen": {"max_connections": 256}, "log": {"buffer_size": "64KiB"},
            "cache": {"devices": devices, "fill_stall": "3s"}, "memory": {"pool_size": "48MiB"},
            "origin": {"max_connections": 48, "receive_buffer": "512KiB",
                       "first_byte_timeout": "5s", "progress_timeout": "5s"}}


def faults(origin, rng):
    """What an origin on a bad day does, to some requests of each kind."""
    slow_down = S3Error(503, "SlowDown", "Please reduce your request rate.", [("Retry-After", "1")])
    for chance, script in (
            (0.01, Script(error=slow_down)), (0.01, Script(error=S3Error(500, "InternalError"))),
            (0.01, Script(drop=True)), (0.01, Script(delay_head=0.5)),
            (0.01, Script(cut_at=MIB + 7)), (0.01, Script(cut_at=100, cut_with="rst")),
            (0.005, Script(delay_at=(MIB, 1.0))), (0.005, Script(bytes_per_second=4e6)),
            (0.002, Script(delay_head=7.0))):
        origin.on(script, when=lambda _, chance=chance: rng.random() < chance)


class Moving:
    """An object that is overwritten while it is read, and which of its versions may be seen."""

    def __init__(self, origin, name):
        self.origin, self.name = origin, name
        self.lock = threading.Lock()
        self.begun = self.ended = 0
        self.bodies = {0: pattern(MOVING_SIZE, f"{name}.0")}
        origin.put("bucket", name, self.bodies[0])

    def overwrite(self, load, through_the_node):
        version = self.begun + 1
        body = pattern(MOVING_SIZE, f"{self.name}.{version}")
        with self.lock:
            self.bodies[version] = body
            self.bodies.pop(version - 12, None)
            self.begun = version
        if through_the_node:
            # If it is refused or cut, either version may be the current one.
            if load.answer("overwrite", lambda: load.client.put(f"/bucket/{self.name}", body)) \
                    is None:
                return
        else:
            self.origin.put("bucket", self.name, body)
        self.ended = version

    def read(self, load):
        oldest = self.ended
        reply = load.answer("moving", lambda: load.client.get(f"/bucket/{self.name}"))
        if reply is not None:
            with self.lock:
                seen = [v for v, body in self.bodies.items() if body == reply.body]
                assert seen and oldest <= seen[0] <= self.begun, (self.name, oldest, seen)


class Load:
    """What the clients share: the objects, and a tally of how their requests ended."""

    def __init__(self, proxy, origin, seed):
        self.client = proxy.client(SCRIPT, timeout=60)
        self.proxy, self.origin = proxy, origin
        self.rng = random.Random(seed)
        self.ended = threading.Event()
        self.tally = collections.Counter()
        self.lock = threading.Lock()
        self.bodies = {}
        for kind, count, size in (("hot", HOT, HOT_SIZE), ("cold", COLD, COLD_SIZE),
                                  ("wide", WIDE, WIDE_SIZE)):
            for n in range(count):
                self.bodies[f"{kind}{n}"] = pattern(size, f"{kind}{n}")
                origin.put("bucket", f"{kind}{n}", self.bodies[f"{kind}{n}"])
        self.moving = [Moving(origin, f"moving{n}") for n in range(MOVING)]

    def count(self, kind, how):
        with self.lock:
            self.tally[kind, how] += 1

    def answer(self, kind, ask):
        """The reply to `ask` if it is a success; None where it was refused in form or cut."""
        try:
            reply = ask()
        except CUT:
            return self.count(kind, "cut")
        if reply.status in REFUSED:
            # A refused HEAD has no body to say why.
            assert reply.code in (*REFUSED[reply.status], None), reply
            assert reply.status != 503 or reply.header("retry-after"), reply
            return self.count(kind, "refused")
        assert reply.status in (200, 206), (kind, reply)
        self.count(kind, "right")
        return reply

    def part(self, kind, name):
        body = self.bodies[name]
        start = self.rng.randrange(len(body) - RANGE)
        reply = self.answer(kind, lambda: self.client.get(f"/bucket/{name}", headers=[
            ("Range", f"bytes={start}-{start + RANGE - 1}")]))
        assert reply is None or reply.body == body[start:start + RANGE], (name, start)
        return reply

    # --- what each client does again and again ------------------------------------------------

    def hit(self):
        reply = self.part("hit", f"hot{self.rng.randrange(HOT)}")
        if reply is not None and reply.header("x-forebay-cache") == "hit":
            self.count("hit", "from the cache")

    def second_touch(self):
        self.part("second touch", f"wide{self.rng.randrange(WIDE)}")

    def cold(self):
        name = f"cold{self.rng.randrange(COLD)}"
        reply = self.answer("cold", lambda: self.client.get(f"/bucket/{name}"))
        assert reply is None or reply.body == self.bodies[name], name

    def warm_up(self):
        name = f"cold{self.rng.randrange(COLD)}"
        reply = self.answer("warm-up", lambda: self.client.head(f"/bucket/{name}"))
        assert reply is None or reply.header("content-length") == str(COLD_SIZE)
        self.ended.wait(0.2)

    def overwrite(self):
        self.rng.choice(self.moving).overwrite(self, self.rng.random() < 0.5)
        self.ended.wait(0.5)

    def read_moving(self):
        self.rng.choice(self.moving).read(self)

    def upload(self):
        name = f"up{threading.get_ident()}"
        body = pattern(self.rng.randrange(3 * MIB), self.rng.random())
        if self.answer("upload", lambda: self.client.put(f"/bucket/{name}", body)) is None:
            return
        reply = self.answer("upload", lambda: self.client.get(f"/bucket/{name}"))
        assert reply is None or reply.body == body, name

    def stall(self):
        """Reads next to nothing for a while; then leaves, or takes the rest."""
        name = f"hot{self.rng.randrange(HOT)}" if self.rng.random() < 0.5 else \
            f"cold{self.rng.randrange(COLD)}"
        raw = begin_read(self.client, f"/bucket/{name}")
        raw.socket.settimeout(60)
        with raw, contextlib.suppress(*CUT):
            if raw.head()[0] != 200:
                return self.count("stalled", "refused")
            self.ended.wait(self.rng.uniform(0.5, 3))
            if name.startswith("cold"):
                return raw.reset()
            assert raw.body(HOT_SIZE) == self.bodies[name]
            return self.count("stalled", "right")
        return self.count("stalled", "cut")

    def probe(self):
        for path in ("/healthz", "/metrics"):
            status, text = self.proxy.admin_get(path, timeout=30)
            assert status == 200, text
        self.origin.requests.clear()
        self.count("probe", "right")
        self.ended.wait(1)

    CLIENTS = {hit: 4, second_touch: 3, cold: 3, warm_up: 1, overwrite: 1, read_moving: 2,
               upload: 2, stall: 6, probe: 1}

    def run(self, seconds):
        """Lets all clients go on for so long; the first failure ends it."""
        failures = []

        def go_on(act):
            try:
                while not self.ended.is_set():
                    act(self)
            except BaseException as failure:
                failures.append(failure)
                self.ended.set()
        clients = [threading.Thread(target=go_on, args=(act,), daemon=True)
                   for act, count in self.CLIENTS.items() for _ in range(count)]
        for client in clients:
            client.start()
        self.ended.wait(seconds)
        self.ended.set()
        deadline = time.monotonic() + 90
        for client in clients:
            client.join(max(0, deadline - time.monotonic()))
        if failures:
            raise failures[0]
        assert not any(client.is_alive() for client in clients), "a request hangs"


def planned_kib(proxy):
    """What the node's own plan comes to."""
    said = subprocess.run([binary(), "serve", "--config", proxy.config_file, "--check-config"],
                          capture_output=True, text=True, check=True, cwd=proxy.folder).stdout
    number, unit = re.search(r"^  sum +(\S+) ([KMG])iB", said, re.MULTILINE).groups()
    return float(number) * {"K": 1, "M": 1024, "G": 1024 * 1024}[unit]


def resident_limit_kib(proxy):
    """The plan, and the program itself. AddressSanitizer surrounds and keeps what was freed."""
    with_asan = b"__asan_init" in pathlib.Path(binary()).read_bytes()
    return 3 * planned_kib(proxy) + 512 * 1024 if with_asan else planned_kib(proxy) + 64 * 1024


@pytest.fixture
def stalled():
    pipe = StalledPipe()
    yield pipe
    pipe.close()


@pytest.mark.parametrize("seconds", [
    20, pytest.param(600, marks=[pytest.mark.nightly, pytest.mark.timeout(1200)])])
def test_all_classes_at_once(scripted, node, tmp_path, stalled, seconds):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    proxy = node(scripted, config(tmp_path), start=False)
    proxy.stderr = stalled.entry
    # What a sanitizer has to say would wait in the same pipe.
    proxy.environment = {"ASAN_OPTIONS": f"log_path={proxy.folder}/sanitizer",
                         "UBSAN_OPTIONS": f"log_path={proxy.folder}/sanitizer"}
    proxy.start()
    load = Load(proxy, scripted, seed)
    for _ in range(2):
        for n in range(HOT):
            assert load.client.get(f"/bucket/hot{n}").body == load.bodies[f"hot{n}"]
    proxy.settle()
    before = gauges(proxy)
    faults(scripted, random.Random(seed))
    try:
        load.run(seconds)
    finally:
        for (kind, how), count in sorted(load.tally.items()):
            print(f"{kind:13} {how:8} {count}")
        print(f"resident {proxy.status_file('VmHWM')} KiB, limit {resident_limit_kib(proxy):.0f}")
    scripted.clear_scripts()
    for kind in {kind for kind, _ in load.tally}:
        ended = {how: load.tally[kind, how] for how in ("right", "refused", "cut")}
        assert ended["right"] > sum(ended.values()) / 2, (kind, ended)
    assert load.tally["hit", "from the cache"] > load.tally["hit", "right"] / 4
    assert proxy.status_file("VmHWM") < resident_limit_kib(proxy)
    assert proxy.metric("forebay_log_lines_dropped_total") > 0
    # Then the origin and the reader of the log recover, and everything is as it was.
    assert_given_back(proxy, before, 60)
    proxy.settle()
    pages = [proxy.metric("forebay_pool_pages", use=use)
             for use in ("fill", "disk_read", "slot_write", "speculation")]
    assert pages == [0] * 4
    for name, body in load.bodies.items():
        assert load.client.get(f"/bucket/{name}").body == body, name
    stalled.read_until(r"W log: \d+ lines dropped", 60)
    assert not any(word in stalled.text for word in FATAL)
    assert not list(proxy.folder.glob("sanitizer*"))
