"""What is on disk survives every kind of end, and damage to it is a miss, never wrong bytes."""
import os
import random
import signal
import subprocess
import threading
import time

import pytest
from compare import digest, pattern
from conftest import SCRIPT
from node import MIB, wait_until

COUNT, SIZE = 6, 13 * MIB + 77


def put_objects(scripted, count=COUNT, size=SIZE):
    bodies = {f"/bucket/key{n}": pattern(size, n) for n in range(count)}
    for path, body in bodies.items():
        scripted.put("bucket", path.rpartition("/")[2], body)
    return bodies


def read_all(client, bodies):
    for path, body in bodies.items():
        assert digest(client.get(path).body) == digest(body), path


def store_all(proxy, bodies):
    """Reads so gently that every block finds room on its way to the disk: past the share of the
    pool for slot writes (an eighth) a block is served and not stored."""
    client = proxy.client(SCRIPT)
    for path, body in bodies.items():
        for first in range(0, len(body), 4 * MIB):
            last = min(first + 4 * MIB, len(body)) - 1
            client.get(path, headers=[("Range", f"bytes={first}-{last}")])
            # A short last block is a small range: its second touch fills it.
            client.get(path, headers=[("Range", f"bytes={first}-{last}")])
            proxy.settle(0.05)
    assert proxy.metric("forebay_cache_blocks_not_stored_total") == 0


@pytest.fixture
def stored(scripted, node):
    """A node whose disk holds every object; (node, bodies)."""
    bodies = put_objects(scripted)
    proxy = node(scripted, {"memory": {"pool_size": "64MiB"}})
    store_all(proxy, bodies)
    scripted.requests.clear()
    return proxy, bodies


@pytest.mark.parametrize("how", ["SIGTERM", "kill -9"])
def test_a_restart_keeps_the_cache(scripted, stored, how):
    proxy, bodies = stored
    for _ in range(2):
        proxy.stop() if how == "SIGTERM" else proxy.kill()
        proxy.start()
        proxy.settle()
        read_all(proxy.client(SCRIPT), bodies)
        assert scripted.body_bytes() == 0, "every block was on disk"


def test_it_serves_while_it_scans(scripted, stored):
    """Right after the start: bytes are right whether their slot has been scanned or not."""
    proxy, bodies = stored
    for _ in range(3):
        proxy.kill()
        proxy.start()
        read_all(proxy.client(SCRIPT), bodies)


def test_a_restart_serves_what_is_current(scripted, stored):
    """Versions that were replaced while the node was down do not come back."""
    proxy, bodies = stored
    proxy.stop()
    for n in range(0, COUNT, 2):
        bodies[f"/bucket/key{n}"] = scripted.put("bucket", f"key{n}", pattern(SIZE, n + 100)).body
    proxy.start()
    for _ in range(2):
        read_all(proxy.client(SCRIPT), bodies)
    proxy.kill()
    proxy.start()
    read_all(proxy.client(SCRIPT), bodies)


def test_hot_from_disk_when_ram_is_too_small(scripted, node):
    bodies = put_objects(scripted, count=12, size=16 * MIB)
    proxy = node(scripted, {"memory": {"pool_size": "32MiB"}})
    store_all(proxy, bodies)
    scripted.requests.clear()
    read_all(proxy.client(SCRIPT), bodies)
    assert scripted.body_bytes() == 0


def flip_bits(path, generator, every):
    size = path.stat().st_size
    with path.open("r+b") as slab:
        for offset in range(generator.randrange(every), size, every):
            slab.seek(offset)
            byte = slab.read(1)
            slab.seek(offset)
            slab.write(bytes([byte[0] ^ (1 << generator.randrange(8))]))


def zero(path, first, size):
    with path.open("r+b") as slab:
        slab.seek(first)
        slab.write(bytes(size))


def swap(path, a, b, size):
    with path.open("r+b") as slab:
        slab.seek(a)
        first = slab.read(size)
        slab.seek(b)
        second = slab.read(size)
        slab.seek(a)
        slab.write(second)
        slab.seek(b)
        slab.write(first)


SLOT = 4 * MIB + 4096
DAMAGES = {
    "a bit in every 100 kB": lambda p, g: flip_bits(p, g, 100_000),
    "a bit in every 4 MB": lambda p, g: flip_bits(p, g, 4_000_000),
    "a zeroed page in the middle": lambda p, g: zero(p, 9 * MIB, 4096),
    "the first megabyte zeroed": lambda p, g: zero(p, 0, MIB),
    "the first sector zeroed": lambda p, g: zero(p, 0, 512),
    "all zeroed": lambda p, g: zero(p, 0, p.stat().st_size),
    "two megabytes swapped": lambda p, g: swap(p, 5 * MIB, 25 * MIB, 2 * MIB),
    "two slots swapped": lambda p, g: swap(p, 4096, 4096 + SLOT, SLOT),
    "truncated to half": lambda p, g: os.truncate(p, p.stat().st_size // 2),
    "truncated to nothing": lambda p, g: os.truncate(p, 0),
    "grown": lambda p, g: os.truncate(p, p.stat().st_size + 64 * MIB),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("when", ["stopped", "running"])
def test_a_damaged_slab_is_a_miss(scripted, stored, damage, when):
    proxy, bodies = stored
    generator = random.Random(f"{damage} {when}")
    if when == "stopped":
        proxy.kill()
        DAMAGES[damage](proxy.slab_file, generator)
        proxy.start()
    else:
        DAMAGES[damage](proxy.slab_file, generator)
    for _ in range(2):
        read_all(proxy.client(SCRIPT), bodies)
        proxy.settle()
    proxy.restart()
    read_all(proxy.client(SCRIPT), bodies)


def test_a_deleted_slab(scripted, stored):
    proxy, bodies = stored
    proxy.slab_file.unlink()
    read_all(proxy.client(SCRIPT), bodies)
    proxy.restart()
    read_all(proxy.client(SCRIPT), bodies)


def test_a_slab_of_another_size_or_format(scripted, stored):
    """A clear error or a clean start; in no case old bytes in the wrong place."""
    proxy, bodies = stored
    proxy.stop()
    text = proxy.config_file.read_text()
    for change in (lambda: proxy.config_file.write_text(text.replace("512MiB", "256MiB")),
                   lambda: proxy.slab_file.write_bytes(os.urandom(8 * MIB))):
        change()
        proxy.start(wait=False)
        wait_until(lambda: proxy.process.poll() is not None or proxy._is_ready(), 20, "an outcome")
        if proxy.process.poll() is None:
            read_all(proxy.client(SCRIPT), bodies)
            proxy.stop()
        else:
            assert proxy.process.returncode != 0 and "slab0" in proxy.log()
            proxy.process = None


def test_two_nodes_do_not_share_a_slab(scripted, stored, node):
    proxy, bodies = stored
    second = node(scripted, {"cache": {"devices": [
        {"path": str(proxy.slab_file), "size": "512MiB"}]}}, start=False)
    second.start(wait=False)
    assert second.process.wait(20) != 0
    second.process = None
    assert "slab0" in second.log()
    read_all(proxy.client(SCRIPT), bodies)


def test_several_devices(scripted, node, tmp_path):
    bodies = put_objects(scripted)
    devices = [{"path": str(tmp_path / f"slab{n}"), "size": "128MiB"} for n in range(3)]
    proxy = node(scripted, {"cache": {"devices": devices}, "memory": {"pool_size": "32MiB"}})
    client = proxy.client(SCRIPT)
    store_all(proxy, bodies)
    proxy.kill()
    proxy.start()
    proxy.settle()
    scripted.requests.clear()
    read_all(client, bodies)
    assert scripted.body_bytes() == 0
    # One of them is lost: its blocks are misses, the others serve on.
    proxy.stop()
    (tmp_path / "slab1").unlink()
    proxy.start()
    read_all(client, bodies)
    assert 0 < scripted.body_bytes() < sum(map(len, bodies.values()))


def test_a_disk_that_is_too_short(scripted, node):
    """No room for the slab: a clear error at the start, or a node that serves without it."""
    bodies = put_objects(scripted, count=2)
    proxy = node(scripted, start=False)
    proxy.launcher = ["env", "--ignore-signal=XFSZ", "prlimit", f"--fsize={32 * MIB}"]
    proxy.start(wait=False)
    wait_until(lambda: proxy.process.poll() is not None or proxy._is_ready(), 20, "an outcome")
    if proxy.process.poll() is None:
        for _ in range(2):
            read_all(proxy.client(SCRIPT), bodies)
    else:
        assert proxy.process.returncode > 0 and "slab0" in proxy.log()
        proxy.process = None


def test_a_disk_that_refuses_writes(scripted, node):
    """The device fails under the node: every read comes from the origin or RAM, the node lives."""
    proxy = node(scripted, {"memory": {"pool_size": "32MiB"}})
    proxy.stop()
    proxy.launcher = ["env", "--ignore-signal=XFSZ", "prlimit", f"--fsize={16 * MIB}"]
    proxy.start()
    bodies = put_objects(scripted)
    for _ in range(3):
        read_all(proxy.client(SCRIPT), bodies)
        proxy.settle()
    assert "slab0" in proxy.log(), "the log says which device it was"
    assert proxy.metric("forebay_cache_disk_writable") == 0
    assert proxy.metric("forebay_cache_disk_readable") == 1, "it keeps what it holds"
    proxy.launcher = []
    proxy.restart()
    read_all(proxy.client(SCRIPT), bodies)


def test_eviction_under_a_dataset_larger_than_the_cache(scripted, node):
    bodies = put_objects(scripted, count=20, size=9 * MIB)
    proxy = node(scripted, {"cache": {"devices": [{"path": "slab0", "size": "64MiB"}],
                                      "device_writes_per_day": 1000},
                            "memory": {"pool_size": "32MiB"}})
    for _ in range(3):
        read_all(proxy.client(SCRIPT), bodies)
    proxy.kill()
    proxy.start()
    read_all(proxy.client(SCRIPT), bodies)


class Load:
    """Readers that check every byte and forgive only what a killed node may do."""

    def __init__(self, proxy, scripted, bodies, count=4):
        self.proxy, self.bodies = proxy, bodies
        self.stop = threading.Event()
        self.whole = 0
        self.failure = None
        self.threads = [threading.Thread(target=self.run, args=(n,)) for n in range(count)]
        self.scripted = scripted
        for thread in self.threads:
            thread.start()

    def run(self, seed):
        generator = random.Random(seed)
        client = self.proxy.client(SCRIPT, timeout=20)
        while not self.stop.is_set() and self.failure is None:
            path = generator.choice(list(self.bodies))
            first = generator.randrange(SIZE - 1)
            last = min(SIZE - 1, first + generator.choice([100, 200_000, 6 * MIB]))
            try:
                reply = client.get(path, headers=[("Range", f"bytes={first}-{last}")])
            except Exception:  # noqa: BLE001 - the node was killed under it
                time.sleep(0.02)
                continue
            if reply.status == 206 and reply.body == self.bodies[path][first:last + 1]:
                self.whole += 1
            elif reply.status != 503:
                self.failure = f"{path} {first}-{last}: {reply}"

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join(30)
        assert self.failure is None, self.failure
        return self.whole


@pytest.mark.parametrize("rounds", [8, pytest.param(300, marks=[
    pytest.mark.nightly, pytest.mark.timeout(3600)])])
def test_a_kill_9_loop_under_load(scripted, node, rounds):
    bodies = put_objects(scripted)
    proxy = node(scripted, {"memory": {"pool_size": "32MiB"},
                            "cache": {"devices": [{"path": "slab0", "size": "64MiB"}],
                                      "device_writes_per_day": 1000}})
    load = Load(proxy, scripted, bodies)
    generator = random.Random(rounds)
    for _ in range(rounds):
        time.sleep(generator.uniform(0.05, 0.8))
        proxy.kill()
        proxy.check()
        proxy.start()
    assert load.end() > rounds
    read_all(proxy.client(SCRIPT), bodies)


def test_the_pread_engine_reads_what_the_ring_wrote(scripted, stored):
    proxy, bodies = stored
    text = proxy.config_file.read_text()
    for engine in ("pread", "auto"):
        proxy.stop()
        proxy.config_file.write_text(text + f"io: {{ engine: {engine} }}\n")
        proxy.start()
        proxy.settle()
        read_all(proxy.client(SCRIPT), bodies)
        assert scripted.body_bytes() == 0


@pytest.fixture(scope="session")
def no_io_uring(tmp_path_factory):
    """A launcher under whose seccomp filter the three io_uring calls fail with EPERM."""
    from conftest import SUPPORT
    program = tmp_path_factory.mktemp("seccomp") / "no_io_uring"
    subprocess.run(["clang-19", "-O1", "-Wall", "-Werror", "-o", program, SUPPORT / "no_io_uring.c",
                    "-lseccomp"], check=True)
    return [str(program)]


def test_without_io_uring_pread_takes_over(scripted, node, no_io_uring):
    bodies = put_objects(scripted)
    proxy = node(scripted, {"memory": {"pool_size": "32MiB"}}, start=False)
    proxy.launcher = no_io_uring
    proxy.start()
    client = proxy.client(SCRIPT)
    store_all(proxy, bodies)
    proxy.kill()
    proxy.start()
    proxy.settle()
    scripted.requests.clear()
    read_all(client, bodies)
    assert scripted.body_bytes() == 0
    said = [line for line in proxy.log().splitlines() if "engine=pread" in line]
    assert len(said) == 2, "one line for each start"
    assert all("io_uring" in line for line in said), said


def test_uring_where_it_is_refused_is_an_error(scripted, node, no_io_uring):
    proxy = node(scripted, {"io": {"engine": "uring"}}, start=False)
    proxy.launcher = no_io_uring
    proxy.start(wait=False)
    assert proxy.process.wait(20) != 0
    proxy.process = None
    assert "io_uring" in proxy.log()


def test_purge_erases(scripted, stored):
    from operations import forebay
    proxy, bodies = stored
    done = forebay(proxy, "purge", "s3://bucket/key1")
    assert done.returncode == 0, done.stderr
    for restart in (False, True):
        if restart:
            proxy.kill()
            proxy.start()
            proxy.settle()
        scripted.requests.clear()
        size = len(bodies["/bucket/key1"])
        read_all(proxy.client(SCRIPT), {"/bucket/key2": bodies["/bucket/key2"]})
        assert scripted.body_bytes() == 0
        if restart:
            read_all(proxy.client(SCRIPT), {"/bucket/key1": bodies["/bucket/key1"]})
            assert scripted.body_bytes() == size
    done = forebay(proxy, "purge", "s3://bucket/")
    assert done.returncode == 0
    scripted.requests.clear()
    read_all(proxy.client(SCRIPT), bodies)
    assert scripted.body_bytes() == sum(map(len, bodies.values()))


def test_sigterm_lets_a_response_end(scripted, node):
    """Graceful: no new connection, the running answer is finished, then exit 0."""
    from scripted_origin import Script
    body = scripted.put("bucket", "key", pattern(24 * MIB)).body
    gate = threading.Event()
    scripted.on(Script(hold_at=(5 * MIB, gate)), method="GET")
    proxy = node(scripted)
    replies = []
    reader = threading.Thread(
        target=lambda: replies.append(proxy.client(SCRIPT).get("/bucket/key")))
    reader.start()
    wait_until(lambda: scripted.body_bytes() >= 5 * MIB, what="the answer to begin")
    proxy.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    gate.set()
    reader.join(20)
    assert replies and replies[0].body == body
    proxy.stop()
