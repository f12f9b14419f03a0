"""Demand before background: what nobody waits for takes nothing from those who do."""
import pathlib
import re
import subprocess
import sys
import time

import minio as minio_module
import pytest
from compare import pattern
from node import MIB, binary, free_port, wait_until

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
