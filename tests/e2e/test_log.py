"""Whoever reads the log, or stops reading it, costs nobody else anything."""
import contextlib
import pathlib
import re

import pytest
from compare import pattern
from conftest import SCRIPT
from node import MIB, wait_until
from raw_http import RawConnection, request_bytes
from stalled_pipe import StalledPipe

REQUESTS = 3000
NOBODY = ("NOBODY", "x", None)


@pytest.fixture
def stalled():
    pipe = StalledPipe()
    yield pipe
    pipe.close()


@pytest.fixture
def proxy(scripted, node, stalled):
    scripted.put("bucket", "key", pattern(MIB))
    made = node(scripted, {"log": {"level": "info", "buffer_size": "64KiB"},
                            "runtime": {"drain_timeout": "1s"}}, start=False)
    made.stderr = stalled.entry
    return made


def answered(proxy, count):
    """How many of so many requests on one connection are answered; each writes a line."""
    client = proxy.client(NOBODY)
    request = request_bytes("GET", *client.signed("GET", "/bucket/key"))
    done = 0
    with RawConnection(client.address, timeout=3) as raw, contextlib.suppress(OSError):
        for _ in range(count):
            raw.send(request)
            assert raw.answer()[0] == 403
            done += 1
    return done


def test_a_log_that_nobody_reads_costs_its_lines_only(proxy, stalled, scripted):
    proxy.start()
    assert answered(proxy, REQUESTS) == REQUESTS
    assert proxy.client(SCRIPT).get("/bucket/key").body == pattern(MIB)
    assert proxy.admin_get("/healthz", timeout=3)[0] == 200
    dropped = proxy.metric("forebay_log_lines_dropped_total")
    assert REQUESTS / 2 < dropped < REQUESTS
    # The reader comes back: the oldest lines, how many were lost, and then the new ones.
    stalled.read_until(rf"W log: {dropped:.0f} lines dropped")
    lines = stalled.text.count(" access: ")
    assert lines + dropped >= REQUESTS
    stalled.text = ""
    assert answered(proxy, 1) == 1
    stalled.read_until(r" access: .* status=403 ")
    assert proxy.metric("forebay_log_lines_dropped_total") == dropped


def writes_of_workers(proxy):
    """How often a thread other than the log's called write(2) or its like."""
    tasks = pathlib.Path(f"/proc/{proxy.process.pid}/task")
    return sum(int(re.search(r"^syscw: (\d+)$", (task / "io").read_text(), re.MULTILINE)[1])
               for task in tasks.iterdir() if (task / "comm").read_text() != "log\n")


def test_no_line_is_lost_and_no_worker_writes_it(scripted, node):
    proxy = node(scripted)
    before = writes_of_workers(proxy)
    assert answered(proxy, 500) == 500
    assert writes_of_workers(proxy) - before < 100
    ids = re.findall(r" access: (\S+) ", proxy.log())
    assert len(ids) == len(set(ids)) == 500
    assert proxy.metric("forebay_log_lines_dropped_total") == 0


@pytest.mark.parametrize("how", ["idle", "drain"])
def test_a_log_that_nobody_reads_does_not_keep_the_process(proxy, stalled, scripted, how):
    proxy.start()
    assert answered(proxy, 500) == 500
    connection = RawConnection(proxy.client(SCRIPT).address)
    if how == "drain":
        # A request that never ends: the drain takes as long as it may.
        connection.send(b"PUT /bucket/key HTTP/1.1\r\n")
    proxy.stop(timeout=10)
    connection.socket.close()


def test_a_reader_that_leaves_costs_nothing(proxy, stalled):
    proxy.start()
    stalled.leave()
    assert answered(proxy, 100) == 100
    wait_until(lambda: proxy.metric("forebay_log_lines_dropped_total") >= 100, what="the count")
