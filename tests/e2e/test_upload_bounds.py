"""Uploads: no client holds a connection that it does not use, and reads always find one."""
import contextlib
import datetime
import signal
import ssl
import threading
import time

import pytest
from compare import pattern
from conftest import SCRIPT, tls_config
from node import MIB, wait_until
from raw_http import RawConnection, request_bytes
from s3_semantics import Answer, S3Error
from scripted_origin import Script, ScriptedOrigin

FEW = {"origin": {"max_connections": 16}}
HASTE = {"listen": {"min_upload_rate": "1KiB", "upload_grace": "1s"}}


def head_of_put(client, path, size, *extra):
    """`size` None: chunked."""
    target, headers = client.signed("PUT", path, payload_hash="UNSIGNED-PAYLOAD")
    length = ("Transfer-Encoding", "chunked") if size is None else ("Content-Length", str(size))
    return request_bytes("PUT", target, [*headers, *extra, length])


def begin(client, path, size, sent=b"", *extra):
    return RawConnection(client.address, timeout=30).send(
        head_of_put(client, path, size, *extra) + sent)


@contextlib.contextmanager
def origin_and_node(node, certificate, secure):
    """Both with TLS, or both without; and connect(), which makes a RawConnection to the node."""
    context, config, trusting = None, {}, None
    if secure:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
        config = tls_config(certificate) | {"origin": {"ca_file": str(certificate / "ca.pem")}}
        trusting = ssl.create_default_context(cafile=certificate / "ca.pem")
    with ScriptedOrigin(tls=context) as origin:
        origin.make_bucket("bucket")
        proxy = node(origin, config)

        def connect():
            raw = RawConnection(proxy.client(SCRIPT).address, timeout=15)
            if secure:
                raw.socket = trusting.wrap_socket(raw.socket, server_hostname="127.0.0.1")
            return raw
        yield origin, proxy, connect


def active(proxy):
    return proxy.metric("forebay_origin_connections", state="active")


def assert_reads_are_quick(scripted, client, name):
    """What is cached, what is not, and what is only looked up."""
    body = scripted.put("bucket", name, pattern(6 * MIB, name)).body
    began = time.monotonic()
    for _ in range(2):
        assert client.get(f"/bucket/{name}").body == body
    assert client.head(f"/bucket/{name}").status == 200
    assert client.get("/bucket").status == 200
    assert time.monotonic() - began < 4


@pytest.mark.parametrize("kind", ["signed", "anonymous", "chunked"])
def test_uploads_that_send_nothing_take_no_connection(scripted, node, kind):
    proxy = node(scripted, {"origin": {"max_connections": 64}})
    client = proxy.client(SCRIPT)
    client.put("/bucket/warm", b"x")
    if kind == "anonymous":
        head = request_bytes("PUT", "/bucket/key", [("Host", client.host),
                                                    ("Content-Length", "1000")])
        silent = [RawConnection(client.address).send(head) for _ in range(64)]
    elif kind == "chunked":
        # The size of a chunk is no byte of the body yet.
        silent = [begin(client, f"/bucket/k{n}", None, b"10\r\n") for n in range(64)]
    else:
        silent = [begin(client, f"/bucket/k{n}", 1000) for n in range(64)]
    wait_until(lambda: proxy.metric("forebay_net_connections", listener="s3") >= 64)
    assert_reads_are_quick(scripted, client, "read")
    assert active(proxy) == 0
    assert len(scripted.asked("PUT")) == 1
    for raw in silent:
        raw.socket.close()


def test_an_upload_is_signed_when_its_body_comes(scripted, node):
    """However long its client has waited by then."""
    client = node(scripted).client(SCRIPT)
    with begin(client, "/bucket/key", 5) as raw:
        time.sleep(2.5)
        before = datetime.datetime.now(datetime.UTC).replace(tzinfo=None, microsecond=0)
        assert scripted.asked("PUT") == []
        raw.send(b"he")
        time.sleep(0.3)
        raw.send(b"llo")
        assert raw.head()[0] == 200
    assert scripted.get("bucket", "key").body == b"hello"
    signed = scripted.asked("PUT")[0].header("x-amz-date")
    assert datetime.datetime.strptime(signed, "%Y%m%dT%H%M%SZ") >= before


def test_a_client_that_leaves_before_its_body_is_not_forwarded(scripted, node):
    proxy = node(scripted)
    client = proxy.client(SCRIPT)
    for how in ("close", "reset"):
        raw = begin(client, "/bucket/key", 1000)
        time.sleep(0.2)
        raw.reset() if how == "reset" else raw.socket.close()
    wait_until(lambda: proxy.metric("forebay_net_connections", listener="s3") == 0)
    assert scripted.asked("PUT") == []


def test_waiting_uploads_hold_next_to_no_memory(scripted, node):
    proxy = node(scripted)
    client = proxy.client(SCRIPT)
    client.put("/bucket/warm", b"x" * MIB)
    before = proxy.status_file("VmRSS")
    silent = [begin(client, f"/bucket/k{n}", 1000) for n in range(300)]
    wait_until(lambda: proxy.metric("forebay_net_connections", listener="s3") >= 300)
    assert proxy.status_file("VmRSS") - before < 300 * 24
    for raw in silent:
        raw.socket.close()


def test_begun_uploads_leave_connections_to_reads(scripted, node):
    proxy = node(scripted, FEW)
    client = proxy.client(SCRIPT)
    begun = [begin(client, f"/bucket/k{n}", 1000, b"x") for n in range(20)]
    wait_until(lambda: len(scripted.asked("PUT")) == 8, what="the share of the uploads")
    assert_reads_are_quick(scripted, client, "read")
    # Those beyond the share are told to come again.
    statuses = []
    for raw in begun:
        raw.socket.settimeout(3)
        try:
            status, headers, body = raw.answer()
            assert b"SlowDown" in body and headers["retry-after"]
            statuses.append(status)
        except TimeoutError:
            waiting = raw
    assert statuses == [503] * 12
    assert len(scripted.asked("PUT")) == 8
    # And the share is given back.
    waiting.send(b"x" * 999)
    assert waiting.head()[0] == 200
    assert client.put("/bucket/next", b"y").status == 200
    for raw in begun:
        raw.socket.close()


def test_uploads_have_the_share_that_is_configured(scripted, node):
    proxy = node(scripted, {"origin": {"max_connections": 16, "max_uploads": 3}})
    client = proxy.client(SCRIPT)
    begun = [begin(client, f"/bucket/k{n}", 2, b"x") for n in range(5)]
    wait_until(lambda: len(scripted.asked("PUT")) == 3, what="the share of the uploads")
    time.sleep(0.3)
    assert len(scripted.asked("PUT")) == 3
    for raw in begun:
        raw.send(b"x")
    assert [raw.head()[0] for raw in begun] == [200] * 5
    for raw in begun:
        raw.socket.close()


def test_clients_that_were_told_to_continue_count_among_the_uploads(scripted, node):
    proxy = node(scripted, FEW)
    client = proxy.client(SCRIPT)
    begun = [begin(client, f"/bucket/k{n}", 1000, b"", ("Expect", "100-continue"))
             for n in range(20)]
    wait_until(lambda: len(scripted.asked("PUT")) == 8, what="the share of the uploads")
    assert_reads_are_quick(scripted, client, "read")
    statuses = sorted(raw.head()[0] for raw in begun)
    assert statuses == [100] * 8 + [503] * 12
    for raw in begun:
        raw.socket.close()


def assert_timed_out(raw):
    status, headers, body = raw.answer()
    assert status == 400 and b"<Code>RequestTimeout</Code>" in body
    assert headers["connection"] == "close" and raw.closed()


def test_a_client_that_never_begins_is_told_that_it_is_too_slow(scripted, node):
    client = node(scripted, HASTE).client(SCRIPT)
    began = time.monotonic()
    with begin(client, "/bucket/key", 1000) as raw:
        assert_timed_out(raw)
    assert 0.9 < time.monotonic() - began < 4
    assert scripted.asked("PUT") == []


@pytest.mark.parametrize("kind", ["plain", "chunked", "expect"])
def test_a_client_that_trickles_is_told_that_it_is_too_slow(scripted, node, kind):
    proxy = node(scripted, HASTE)
    client = proxy.client(SCRIPT)
    extra = [("Expect", "100-continue")] if kind == "expect" else []
    piece = b"1\r\nx\r\n" if kind == "chunked" else b"x"
    size = None if kind == "chunked" else 1000
    with begin(client, "/bucket/key", size, b"", *extra) as raw:
        if kind == "expect":
            assert raw.head()[0] == 100
        stop = threading.Event()

        def trickle():
            while not stop.wait(0.1):
                try:
                    raw.send(piece)
                except OSError:
                    return
        sender = threading.Thread(target=trickle)
        began = time.monotonic()
        sender.start()
        try:
            assert_timed_out(raw)
        finally:
            stop.set()
            sender.join()
    assert 0.9 < time.monotonic() - began < 5
    wait_until(lambda: scripted.asked("PUT")[-1].aborted, 3, "the abort upstream")
    wait_until(lambda: active(proxy) == 0)


def test_a_form_that_trickles_is_told_that_it_is_too_slow(scripted, node):
    client = node(scripted, HASTE).client(SCRIPT)
    head = request_bytes("POST", "/bucket", [
        ("Host", client.host), ("Content-Type", "multipart/form-data; boundary=b"),
        ("Content-Length", "1000")], b"--b\r\n")
    with RawConnection(client.address).send(head) as raw:
        assert_timed_out(raw)


def test_a_client_at_the_minimum_rate_is_fast_enough(scripted, node):
    """With a pause as long as the grace period allows."""
    client = node(scripted, HASTE).client(SCRIPT)
    body = pattern(2048)
    with begin(client, "/bucket/key", len(body)) as raw:
        for n in range(0, len(body), 512):
            time.sleep(0.75 if n == 1024 else 0.25)
            raw.send(body[n:n + 512])
        assert raw.head()[0] == 200
    assert scripted.get("bucket", "key").body == body


def test_a_slow_origin_is_no_fault_of_the_client(scripted, node):
    """It reads nothing for two seconds, while the client would send at once."""
    scripted.on(Script(expect="late"), method="PUT")
    client = node(scripted, {"listen": {"min_upload_rate": "64MiB", "upload_grace": "1s"}}
                  ).client(SCRIPT)
    body = b"x" * (32 * MIB)
    with begin(client, "/bucket/key", len(body), b"", ("Expect", "100-continue")) as raw:
        assert raw.head()[0] == 100
        raw.send(body)
        assert raw.head()[0] == 200
    assert len(scripted.get("bucket", "key").body) == len(body)


@pytest.mark.parametrize("sent", [1, 2 * MIB])
@pytest.mark.parametrize("secure", [False, True])
def test_an_early_answer_reaches_a_silent_client(scripted, node, certificate, sent, secure):
    with origin_and_node(node, certificate, secure) as (origin, proxy, connect):
        # Of what the client sent, the node holds the last piece back.
        origin.on(Script(early=sent // 2, delay_head=0.5, error=S3Error(403, "AccessDenied")),
                  method="PUT")
        head = head_of_put(proxy.client(SCRIPT), "/bucket/key", 20 * MIB)
        with connect().send(head + b"x" * sent) as raw:
            began = time.monotonic()
            status, _, body = raw.answer()
            assert status == 403 and b"AccessDenied" in body
            assert time.monotonic() - began < 4
            # The rest of the body is not waited for, and the connection to the origin is free.
            assert raw.closed() and time.monotonic() - began < 8
        assert active(proxy) == 0


def test_a_late_100_and_then_an_early_answer_reach_a_silent_client(scripted, node):
    scripted.on(Script(raw=b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 412 Precondition Failed\r\n"
                           b"Content-Length: 0\r\n\r\n", early=0, delay_head=1.5), method="POST")
    client = node(scripted).client(SCRIPT)
    target, headers = client.signed("POST", "/bucket/key", [("uploadId", "1")],
                                    payload_hash="UNSIGNED-PAYLOAD")
    head = request_bytes("POST", target, [*headers, ("Expect", "100-continue"),
                                          ("Content-Length", "1000")])
    with RawConnection(client.address, timeout=15).send(head) as raw:
        assert raw.head()[0] == 100
        raw.send(b"some")
        assert raw.head()[0] == 412


def test_an_origin_that_closes_ends_a_silent_upload(scripted, node):
    client = node(scripted).client(SCRIPT)
    with begin(client, "/bucket/key", 20 * MIB, b"x" * 2 * MIB) as raw:
        wait_until(lambda: scripted.asked("PUT") and scripted.asked("PUT")[-1].body_received >= MIB)
        scripted.hang_up()
        status, _, body = raw.answer()
        assert status == 503 and b"ServiceUnavailable" in body


@pytest.mark.parametrize("secure", [False, True])
def test_many_pauses_are_one_upload(node, certificate, secure):
    """The node waits for the client and the origin again and again; the connection stays good."""
    with origin_and_node(node, certificate, secure) as (origin, proxy, connect):
        with connect() as raw:
            for turn in range(3):
                raw.send(head_of_put(proxy.client(SCRIPT), f"/bucket/key{turn}", 200))
                for n in range(200):
                    raw.send(b"%d" % (n % 10))
                    time.sleep(0.002)
                assert raw.answer()[0] == 200
                assert origin.get("bucket", f"key{turn}").body == b"0123456789" * 20
        assert origin.connections == 1


@pytest.mark.parametrize("sent", [b"", b"he"])
def test_a_stopping_node_waits_for_the_body(scripted, node, sent):
    proxy = node(scripted)
    client = proxy.client(SCRIPT)
    with begin(client, "/bucket/key", 5, sent) as raw:
        wait_until(lambda: proxy.metric("forebay_net_connections", listener="s3") == 1)
        proxy.process.send_signal(signal.SIGTERM)
        time.sleep(1)
        raw.send(b"hello"[len(sent):])
        assert raw.head()[0] == 200
    assert scripted.get("bucket", "key").body == b"hello"
    proxy.stop()


def test_an_answer_to_nothing_sent_is_not_awaited(scripted, node):
    """A body of no bytes in chunks has come with its end."""
    scripted.on(Script(answer=Answer(200, [("ETag", '"e"')], b"")), method="PUT", key="empty")
    client = node(scripted).client(SCRIPT)
    with begin(client, "/bucket/empty", None, b"0\r\n\r\n") as raw:
        assert raw.head()[0] == 200
