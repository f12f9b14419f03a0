"""Demand before background: what nobody waits for takes nothing from those who do."""
import pathlib
import re
import subprocess
import sys
import threading
import time

import minio as minio_module
import pytest
from compare import pattern
from conftest import SCRIPT
from node import MIB, binary, free_port, wait_until
from raw_http import RawConnection, request_bytes
from scripted_origin import Script

LINK = "../support/shaped_link.py"
OBJECT = 256 * MIB


@pytest.fixture
def link(request, minio):
    """A link of so many MB/s to MinIO."""
    running = []

    def start(mb_per_s):
        port = free_port()
        host, target = minio.endpoint.removeprefix("http://").split(":")
        script = request.path.parent / LINK
        running.append(subprocess.Popen([sys.executable, script, str(port), host, target,
                                         "--rtt-ms", "10", "--mb-per-s", str(mb_per_s)]))
        return f"http://127.0.0.1:{port}"
    yield start
    for process in running:
        process.terminate()
        process.wait()


class Crowd:
    """Random reads of 64 KiB from objects, over so many connections, by the load generator."""

    def __init__(self, folder, proxy, bucket, keys, connections, seconds):
        urls = folder / f"urls{time.monotonic_ns()}"
        s3 = proxy.boto(minio_module.ALICE)
        lines = []
        for key in keys:
            url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key})
            lines.append(f"{re.sub('^http://[^/]+', '', url)} {OBJECT}\n")
        urls.write_text("".join(lines))
        port = proxy.endpoint.rsplit(":", 1)[1]
        program = pathlib.Path(binary()).parent / "bench/forebay_load"
        self.process = subprocess.Popen(
            [program, "--port", port, "--urls", urls, "--connections", str(connections),
             "--seconds", str(seconds), "--warm-up", "0", "--range", str(64 * 1024)],
            stdout=subprocess.PIPE, text=True)

    def result(self):
        """Requests a second, and the 99th percentile of their times in ms."""
        out, _ = self.process.communicate(timeout=120)
        assert self.process.returncode == 0
        fields = out.split(",")
        return float(fields[5]), float(fields[7])


def test_a_large_read_beside_second_touches(minio, minio_bucket, link, node, tmp_path, request):
    """It is at least half as fast as beside the same reads whose blocks are not filled."""
    full = request.config.getoption("--nightly")
    objects, connections, rate, large = (32, 100, 100, 64 * MIB) if full else (3, 32, 40, 24 * MIB)
    s3 = minio.boto(minio.alice)
    keys = [f"cold{n}" for n in range(objects)]
    chunk = pattern(OBJECT)
    for key in keys:
        s3.put_object(Bucket=minio_bucket, Key=key, Body=chunk)
    endpoint = link(rate)
    took, crowds = {}, {}
    for background in (0, 2):
        name = f"large{background}"
        s3.put_object(Bucket=minio_bucket, Key=name, Body=pattern(large, name))
        proxy = node(minio, {"origin": {"endpoint": endpoint}, "prestage": {"trigger": "off"},
                             "memory": {"pool_size": "256MiB"}, "log": {"access": False},
                             "cache": {"background_fills": background,
                                       "devices": [{"path": f"slab{background}",
                                                    "size": f"{objects * 300}MiB"}]}})
        crowd = Crowd(tmp_path, proxy, minio_bucket, keys, connections, 9)
        if background:
            wait_until(lambda: proxy.metric("forebay_cache_background_queue_blocks") > 4, 8,
                       "blocks to wait")
        else:
            time.sleep(2)
        began = time.monotonic()
        reply = proxy.client(minio.alice).get(f"/{minio_bucket}/{name}")
        took[background] = time.monotonic() - began
        assert reply.body == pattern(large, name)
        crowds[background] = crowd.result()
        assert proxy.metric("forebay_cache_background_queue_blocks") <= 1024
        if background:
            assert proxy.metric("forebay_cache_background_blocks_total", result="queued") > 8
        proxy.stop()
    print(f"\n{large / MIB:.0f} MiB beside {connections} connections of random reads, "
          f"{objects * 64} cold blocks, {rate} MB/s: "
          f"{large / MIB / took[0]:.1f} MiB/s without fills of second touches, "
          f"{large / MIB / took[2]:.1f} with; the crowd (reads/s, p99 ms) {crowds}")
    assert took[2] < 2 * took[0]


def test_one_deadline_for_all_that_a_read_waits_for(scripted, node):
    """Beside fills that have taken every slot: past the cache with one GET, else 503 in time."""
    gate = threading.Event()
    stalled = Script(hold_at=(1 * MIB, gate))
    for n in range(6):
        scripted.put("bucket", f"key{n}", pattern(4 * MIB, n))
    proxy = node(scripted, {"memory": {"pool_size": "32MiB", "wait": "1s"},
                            "prestage": {"trigger": "off"}, "limits": {"direct_reads": 2}})
    client = proxy.client(SCRIPT)
    for n in range(6):
        client.head(f"/bucket/key{n}")
    # Two fills are all that this pool has room for; two reads more are all that go past it.
    readers = []
    for n in range(4):
        scripted.on(stalled, method="GET", key=f"key{n}")
        target, headers = client.signed("GET", f"/bucket/key{n}")
        readers.append(RawConnection(client.address, timeout=30))
        readers[-1].send(request_bytes("GET", target, headers))
        assert readers[-1].head()[0] == 200
    assert [len(scripted.asked("GET", f"key{n}")) for n in range(4)] == [1] * 4
    began = time.monotonic()
    refused = client.get("/bucket/key4")
    assert (refused.status, refused.code) == (503, "SlowDown") and refused.header("retry-after")
    assert time.monotonic() - began < 4
    assert not scripted.asked("GET", "key4")
    gate.set()
    for n, reader in enumerate(readers):
        assert reader.body(4 * MIB) == pattern(4 * MIB, n)
        reader.socket.close()
    assert client.get("/bucket/key5").body == pattern(4 * MIB, 5)
