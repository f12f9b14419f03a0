"""The listener: ambiguous HTTP is refused before anybody else sees it; limits, keep-alive, TLS."""
import socket
import ssl
import time

import pytest
from compare import pattern
from conftest import ALICE, SCRIPT, tls_config
from node import MIB, boto
from raw_http import RawConnection, request_bytes

BODY = pattern(5 * MIB)


@pytest.fixture
def proxy(scripted, node):
    scripted.put("bucket", "key", BODY)
    return node(scripted)


def signed(proxy, method="GET", path="/bucket/key", **options):
    """(target, headers) of a request that would pass."""
    return proxy.client(SCRIPT).signed(method, path, payload_hash="UNSIGNED-PAYLOAD", **options)


SMUGGLED = b"GET /bucket/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
# name -> what the raw request is made of, from a valid target and its headers
MALFORMED = {
    "xchunked": lambda t, h: request_bytes("GET", t, [*h, ("Transfer-Encoding", "xchunked")]),
    "gzip, chunked": lambda t, h: request_bytes(
        "GET", t, [*h, ("Transfer-Encoding", "gzip, chunked")], b"0\r\n\r\n"),
    "chunked twice": lambda t, h: request_bytes(
        "GET", t, [*h, ("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")],
        b"0\r\n\r\n"),
    "CL and TE": lambda t, h: request_bytes(
        "GET", t, [*h, ("Content-Length", "5"), ("Transfer-Encoding", "chunked")],
        b"0\r\n\r\n" + SMUGGLED),
    "TE and CL": lambda t, h: request_bytes(
        "GET", t, [*h, ("Transfer-Encoding", "chunked"), ("Content-Length", "5")],
        b"0\r\n\r\n" + SMUGGLED),
    "TE in HTTP/1.0": lambda t, h: request_bytes(
        "GET", t, [*h, ("Transfer-Encoding", "chunked")], b"0\r\n\r\n" + SMUGGLED, "HTTP/1.0"),
    "two lengths": lambda t, h: request_bytes(
        "GET", t, [*h, ("Content-Length", "0"), ("Content-Length", str(len(SMUGGLED)))], SMUGGLED),
    "a list of lengths": lambda t, h: request_bytes("GET", t, [*h, ("Content-Length", "5, 6")]),
    "negative length": lambda t, h: request_bytes("GET", t, [*h, ("Content-Length", "-1")]),
    "length +5": lambda t, h: request_bytes("GET", t, [*h, ("Content-Length", "+5")], b"hello"),
    "huge length": lambda t, h: request_bytes("GET", t, [*h, ("Content-Length", "9" * 40)]),
    "space before the colon": lambda t, h: request_bytes("GET", t, [*h, ("X-A ", "b")]),
    "obs-fold": lambda t, h: request_bytes("GET", t, [*h, ("X-A", "b\r\n c")]),
    "NUL in a value": lambda t, h: request_bytes("GET", t, [*h, ("X-A", "b\0c")]),
    "bare CR in a value": lambda t, h: request_bytes("GET", t, [*h, ("X-A", "b\rc")]),
    "bare LF": lambda t, h: request_bytes("GET", t, h).replace(b"\r\n", b"\n"),
    "two hosts": lambda t, h: request_bytes("GET", t, [*h, ("Host", "other")]),
    "no host": lambda t, h: request_bytes("GET", t, [f for f in h if f[0] != "Host"]),
    "absolute form": lambda t, h: request_bytes("GET", f"http://{h[0][1]}{t}", h),
    "authority form": lambda t, h: request_bytes("CONNECT", "example.com:443", h),
    "asterisk form": lambda t, h: request_bytes("GET", "*", h),
    "a backslash in the target": lambda t, h: request_bytes("GET", t + "\\x", h),
    "a fragment in the target": lambda t, h: request_bytes("GET", t + "#x", h),
    "bad escape": lambda t, h: request_bytes("GET", t + "%zz", h),
    "space in the target": lambda t, h: request_bytes("GET", t + " x", h),
    "HTTP/2.0": lambda t, h: request_bytes("GET", t, h, version="HTTP/2.0"),
    "no version": lambda t, h: request_bytes("GET", t, h).replace(b" HTTP/1.1", b"", 1),
    "a method with a space": lambda t, h: request_bytes("GE T", t, h),
    "garbage": lambda t, h: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc" + bytes(64) + b"\r\n\r\n",
    "a header without a colon": lambda t, h: request_bytes("GET", t, h)[:-2] + b"oops\r\n\r\n",
    "an empty header name": lambda t, h: request_bytes("GET", t, [*h, ("", "x")]),
    "header too large": lambda t, h: request_bytes("GET", t, [*h, ("X-A", "b" * 200_000)]),
    "target too long": lambda t, h: request_bytes("GET", t + "?x=" + "y" * 200_000, h),
    "too many headers": lambda t, h: request_bytes(
        "GET", t, [*h, *((f"X-{n}", "b" * 50) for n in range(5000))]),
}


# Wrong, but no doubt where they end: the connection may go on.
FRAMED = {"bad escape"}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_requests_are_refused(proxy, scripted, name):
    raw_request = MALFORMED[name](*signed(proxy))
    with RawConnection(("127.0.0.1", proxy.s3_port), timeout=5) as raw:
        try:
            raw.send(raw_request)
        except ConnectionError:
            pass  # refused while it was still being sent
        if name in FRAMED:
            assert raw.answer()[0] == 400
            return
        assert raw.closed(), "the connection must end: nobody knows where the next request starts"
        answers = raw.buffer
    assert not answers or answers.startswith(b"HTTP/1.1 4") or answers.startswith(b"HTTP/1.1 5"), \
        answers[:200]
    assert answers.count(b"HTTP/1.1 ") <= 1, "the smuggled request was answered"
    assert scripted.requests == [] and scripted.malformed == []
    assert proxy.client(SCRIPT).get("/bucket/key").body == BODY


def test_headers_by_name_of_connection_stay_on_this_side(proxy, scripted):
    hop = [("Connection", "keep-alive, X-Hop"), ("X-Hop", "1"), ("Keep-Alive", "timeout=5"),
           ("TE", "trailers"), ("Proxy-Authorization", "Basic abc"), ("Upgrade", "h2c")]
    client = proxy.client(SCRIPT)
    assert client.put("/bucket/new", b"x", unsigned=hop).status == 200
    names = {name.lower() for name, _ in scripted.asked("PUT")[-1].headers}
    assert not names & {"x-hop", "keep-alive", "te", "proxy-authorization", "upgrade"}


def test_pipelined_requests_are_answered_in_order(proxy):
    requests = []
    for span in range(8):
        target, headers = signed(proxy, headers=[("Range", f"bytes={span}-{span}")])
        requests.append(request_bytes("GET", target, headers))
    target, headers = signed(proxy, "HEAD")
    requests.append(request_bytes("HEAD", target, headers))
    with RawConnection(("127.0.0.1", proxy.s3_port)) as raw:
        raw.send(b"".join(requests))
        for span in range(8):
            status, _, body = raw.answer()
            assert (status, body) == (206, BODY[span:span + 1])
        status, headers = raw.head()
        assert (status, headers["content-length"]) == (200, str(len(BODY)))


def test_a_request_in_single_bytes(proxy):
    target, headers = signed(proxy, headers=[("Range", "bytes=0-9")])
    with RawConnection(("127.0.0.1", proxy.s3_port)) as raw:
        raw.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request_bytes("GET", target, headers):
            raw.send(bytes([byte]))
        assert raw.answer()[2] == BODY[:10]


def test_errors_keep_the_connection_in_step(proxy):
    client = proxy.client(SCRIPT)
    connection = client.connect()
    for _ in range(3):
        assert client.get("/bucket/none", keep=connection).status == 404
        assert client.get("/bucket/key", keep=connection).body == BODY
        assert client.head("/bucket/none", keep=connection).status == 404
    connection.close()


def test_connection_close_and_http_1_0(proxy):
    for version, extra, closes in [("HTTP/1.1", [("Connection", "close")], True),
                                   ("HTTP/1.0", [], True), ("HTTP/1.1", [], False)]:
        target, headers = signed(proxy, headers=[("Range", "bytes=0-9")])
        with RawConnection(("127.0.0.1", proxy.s3_port), timeout=2) as raw:
            raw.send(request_bytes("GET", target, [*headers, *extra], version=version))
            assert raw.answer()[2] == BODY[:10]
            assert raw.closed() == closes, (version, extra)


def test_a_get_with_a_body_does_not_upset_the_connection(proxy):
    target, headers = signed(proxy, headers=[("Range", "bytes=0-9")])
    with RawConnection(("127.0.0.1", proxy.s3_port), timeout=5) as raw:
        raw.send(request_bytes("GET", target, [*headers, ("Content-Length", "5")], b"hello"))
        status, answered, _ = raw.answer()
        if status == 206 and answered.get("connection", "").lower() != "close":
            raw.send(request_bytes("GET", target, headers))
            assert raw.answer()[2] == BODY[:10]
        else:
            assert raw.closed()


def test_a_slow_header_meets_its_deadline(scripted, node):
    proxy = node(scripted, {"listen": {"header_timeout": "1s"}})
    with RawConnection(("127.0.0.1", proxy.s3_port), timeout=15) as raw:
        began = time.monotonic()
        raw.send(b"GET /bucket/key HTTP/1.1\r\nHo")
        assert raw.closed() and time.monotonic() - began < 10


def test_an_idle_connection_is_closed(scripted, node):
    scripted.put("bucket", "key", b"x")
    proxy = node(scripted, {"listen": {"idle_timeout": "1s"}})
    target, headers = signed(proxy)
    with RawConnection(("127.0.0.1", proxy.s3_port), timeout=15) as raw:
        raw.send(request_bytes("GET", target, headers))
        assert raw.answer()[0] == 200
        began = time.monotonic()
        assert raw.closed() and time.monotonic() - began < 10


def test_connections_beyond_the_limit_wait_or_are_refused(scripted, node):
    scripted.put("bucket", "key", b"x")
    proxy = node(scripted, {"listen": {"max_connections": 16}})
    held = [RawConnection(("127.0.0.1", proxy.s3_port), timeout=2) for _ in range(64)]
    target, headers = signed(proxy)
    answered = 0
    for raw in held:
        raw.send(request_bytes("GET", target, headers))
    for raw in held[:16]:
        answered += raw.answer()[0] == 200
    assert answered == 16
    assert proxy.open_files() < 16 + 200
    for raw in held:
        raw.socket.close()
    assert proxy.client(SCRIPT).get("/bucket/key").status == 200
    # The admin port has room of its own.
    assert proxy.admin_get("/healthz")[0] == 200


def test_boto3_over_tls(rgw, bucket, node, certificate):
    proxy = node(rgw, tls_config(certificate), scheme="https")
    # Over TLS boto3 sends trailing checksums in a streaming form unless told not to.
    s3 = boto(proxy.endpoint, ALICE, verify=str(certificate / "ca.pem"),
              request_checksum_calculation="when_required")
    body = pattern(20 * MIB, "tls")
    s3.put_object(Bucket=bucket, Key="key", Body=body)
    for _ in range(2):
        assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == body
    assert rgw.boto().get_object(Bucket=bucket, Key="key")["Body"].read() == body


def test_streaming_trailers_over_tls(scripted, node, certificate):
    """What boto3 sends over TLS: aws-chunked within chunks, the checksum behind it."""
    proxy = node(scripted, {**tls_config(certificate), "origin": {"trailers": "strip"}},
                 scheme="https")
    s3 = boto(proxy.endpoint, SCRIPT, verify=str(certificate / "ca.pem"))
    body = pattern(3 * MIB + 5, "trailer")
    s3.put_object(Bucket="bucket", Key="key", Body=body, ContentEncoding="gzip")
    stored = scripted.get("bucket", "key")
    assert stored.body == body
    request, = scripted.asked("PUT")
    assert request.header("content-encoding") == "gzip"
    assert request.header("x-amz-trailer") is None
    assert request.header("content-length") == str(len(body))


def test_plain_text_on_the_tls_port_and_old_tls(scripted, node, certificate):
    proxy = node(scripted, tls_config(certificate), scheme="https")
    with RawConnection(("127.0.0.1", proxy.s3_port), timeout=15) as raw:
        raw.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert raw.closed()
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with socket.create_connection(("127.0.0.1", proxy.s3_port), timeout=10) as plain:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            old.wrap_socket(plain)
    assert proxy.admin_get("/healthz")[0] == 200


def test_a_certificate_without_its_key_is_refused(scripted, node, certificate):
    proxy = node(scripted, {"listen": {"tls_certificate": str(certificate / "cert.pem")}},
                 start=False)
    proxy.start(wait=False)
    assert proxy.process.wait(20) != 0
    proxy.process = None
