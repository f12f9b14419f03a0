"""A bad origin: nothing hangs, nothing wrong is served or kept, its own words reach the client."""
import http.client
import socket
import threading
import time

import pytest
from compare import assert_same, pattern
from conftest import SCRIPT, credentials_of
from node import MIB, free_port, wait_until
from s3_client import S3Client
from s3_semantics import Answer, S3Error
from scripted_origin import Script, ScriptedOrigin

SIZE = 13 * MIB + 5
QUICK = {"origin": {"connect_timeout": "1s", "lookup_timeout": "2s", "first_byte_timeout": "2s",
                    "progress_timeout": "2s"},
         "cache": {"fill_stall": "1s"}}
CUT = (http.client.IncompleteRead, ConnectionError)


@pytest.fixture
def body(scripted):
    return scripted.put("bucket", "key", pattern(SIZE)).body


def learn(client, path="/bucket/key"):
    """Lets the node see the object: only a first whole read of an unknown one is the caller's own
    GET, after that come a lookup and fills."""
    assert client.get(path, headers=[("Range", "bytes=0-0")]).status == 206


def timed(call):
    began = time.monotonic()
    try:
        return call(), time.monotonic() - began
    except CUT as error:
        return error, time.monotonic() - began


def assert_unavailable(reply, *codes):
    assert reply.status == 503 and reply.code in (codes or ("ServiceUnavailable", "SlowDown"))
    assert reply.header("retry-after") and int(reply.header("retry-after")) >= 1
    assert reply.xml("RequestId")


def test_an_origin_that_is_down(node):
    client = node(f"http://127.0.0.1:{free_port()}", QUICK).client(SCRIPT)
    for method in ("GET", "HEAD"):
        reply, took = timed(lambda m=method: client.request(m, "/bucket/key"))
        assert reply.status == 503 and reply.header("retry-after")
        assert took < 4
    assert_unavailable(client.get("/bucket/key"))
    assert_unavailable(client.get("/bucket"))
    # Nothing was sent of this write, so it may be told to come again.
    assert_unavailable(client.put("/bucket/key", b"x"))


def test_an_origin_that_never_answers_the_call(node):
    """The connection is not even accepted: a full backlog."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        held = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(deaf.getsockname())
            held.append(filler)
        client = node(f"http://127.0.0.1:{deaf.getsockname()[1]}", QUICK).client(SCRIPT)
        reply, took = timed(lambda: client.get("/bucket/key"))
        assert_unavailable(reply)
        assert took < 6
        for filler in held:
            filler.close()


def test_it_comes_back_when_the_origin_does(node):
    with ScriptedOrigin() as origin:
        origin.put("bucket", "key", pattern(SIZE))
        proxy = node(origin, QUICK)
        client = proxy.client(SCRIPT)
        assert client.get("/bucket/key").status == 200
        port = origin.port
    # Hot bytes are not served without the origin's permission.
    assert client.get("/bucket/key").status == 503
    with ScriptedOrigin(port=port) as origin:
        origin.put("bucket", "key", pattern(SIZE))
        wait_until(lambda: client.get("/bucket/key").status == 200, 10, "recovery")


@pytest.mark.parametrize("where", ["lookup", "fill head", "fill body", "small", "list"])
def test_a_silent_origin_is_bounded(scripted, node, body, where):
    never = threading.Event()
    scripted.put("bucket", "small", b"x" * 1000)
    path = {"small": "/bucket/small", "list": "/bucket"}.get(where, "/bucket/key")
    method = "HEAD" if where == "lookup" else "GET"
    silent = Script(hold_at=(MIB, never)) if where == "fill body" else Script(hold_head=never)
    client = node(scripted, QUICK).client(SCRIPT)
    if where in ("lookup", "fill head", "fill body"):
        learn(client)
    scripted.on(silent, method=method)
    reply, took = timed(lambda: client.get(path))
    assert took < 15, reply
    if where == "fill body":
        assert isinstance(reply, CUT), "the head was out already: the connection is cut"
    else:
        assert reply.status in (503, 504), reply
    scripted.clear_scripts()
    never.set()
    assert client.get(path).status == 200
    assert client.get("/bucket/key").body == body


def test_one_silent_object_does_not_disturb_another(scripted, node, body, threads):
    never = threading.Event()
    scripted.put("bucket", "stuck", pattern(SIZE, "stuck"))
    scripted.on(Script(hold_at=(MIB, never)), key="stuck", method="GET")
    client = node(scripted).client(SCRIPT)
    stuck = [threading.Thread(target=lambda: timed(lambda: client.get("/bucket/stuck")))
             for _ in range(16)]
    for thread in stuck:
        thread.start()
    wait_until(lambda: scripted.asked("GET", "stuck"), what="the stuck fill")
    began = time.monotonic()
    assert all(reply.body == body for reply in threads(8, lambda n: client.get("/bucket/key")))
    assert time.monotonic() - began < 5
    never.set()
    for thread in stuck:
        thread.join(60)


def test_a_fill_that_stalls_is_replaced_once(scripted, node, body):
    never = threading.Event()
    scripted.on(Script(hold_at=(5 * MIB, never)), method="GET", nth=1)
    proxy = node(scripted, {"cache": {"fill_stall": "1s"}})
    reply, took = timed(lambda: proxy.client(SCRIPT).get("/bucket/key"))
    assert reply.body == body and took < 10
    assert len(scripted.asked("GET")) == 2
    assert proxy.metric("forebay_cache_fill_replacements_total") == 1
    never.set()


TRUNCATED = {
    "at once": Script(cut_at=0), "one byte": Script(cut_at=1), "middle": Script(cut_at=6 * MIB),
    "last byte": Script(cut_at=SIZE - 1), "reset": Script(cut_at=6 * MIB, cut_with="rst"),
    "chunked": Script(cut_at=6 * MIB, chunked=True),
    "until close": Script(cut_at=6 * MIB, until_close=True),
}
# An answer that ends where its connection does says nothing of its length: a caller's own GET of an
# unknown object cannot be told from a whole one, here as at the origin.
TRUNCATIONS = [(how, known) for how in TRUNCATED for known in (False, True)
               if known or how != "until close"]


@pytest.mark.parametrize("how, known", TRUNCATIONS)
def test_a_truncated_body_is_never_whole_and_never_kept(scripted, node, body, how, known):
    client = node(scripted, {"prestage": {"trigger": "off"}}).client(SCRIPT)
    if known:
        learn(client)
    scripted.on(TRUNCATED[how], method="GET", times=4)
    reply, _ = timed(lambda: client.get("/bucket/key"))
    if not isinstance(reply, CUT):
        # Only what was mended from a further request may be complete.
        assert reply.status == 503 or reply.body == body, reply
    scripted.clear_scripts()
    for _ in range(2):
        assert client.get("/bucket/key").body == body


@pytest.mark.parametrize("script", [
    Script(cut_at=500), Script(cut_at=500, cut_with="rst"), Script(cut_at=500, chunked=True)])
def test_a_truncated_small_body_is_cut_too(scripted, node, script):
    scripted.put("bucket", "small", b"x" * 1000)
    client = node(scripted).client(SCRIPT)
    scripted.on(script, method="GET", times=8)
    reply, _ = timed(lambda: client.get("/bucket/small"))
    assert isinstance(reply, CUT) or reply.status == 503
    scripted.clear_scripts()
    assert client.get("/bucket/small").body == b"x" * 1000


@pytest.mark.parametrize("raw", [
    b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
    b"HTTP/1.1 999 What\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 2_000_000 + b"\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n" * 100,
    b"HTTP/1.1 206 Part\r\nContent-Range: bytes 5-9/10\r\nContent-Length: 5\r\n\r\nhello",
], ids=["nothing", "garbage", "negative length", "two lengths", "CL and TE", "bad chunk", "999",
        "2 MB header", "101", "unasked 304", "100 for ever", "unasked 206"])
@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_answers_that_make_no_sense(scripted, node, body, raw, method):
    client = node(scripted, QUICK).client(SCRIPT)
    scripted.on(Script(raw=raw), method=method, times=6)
    reply, took = timed(lambda: client.get("/bucket/key"))
    assert took < 15
    if not isinstance(reply, CUT):
        assert reply.status >= 500 or reply.body == body, reply
    scripted.clear_scripts()
    assert client.get("/bucket/key").body == body


def test_slow_down_is_passed_on(scripted, node, body):
    client = node(scripted).client(SCRIPT)
    client.get("/bucket/key")
    slow = S3Error(503, "SlowDown", "Please reduce your request rate.", [("Retry-After", "7")])
    scripted.on(Script(error=slow))
    seen = len(scripted.requests)
    reply = client.get("/bucket/key")
    assert (reply.status, reply.code) == (503, "SlowDown")
    assert len(scripted.requests) - seen <= 6, "no storm of retries"
    scripted.clear_scripts()
    assert client.get("/bucket/key").body == body


@pytest.mark.parametrize("status, code", [(500, "InternalError"), (503, "SlowDown")])
def test_a_fill_that_the_origin_fails_to_answer_is_asked_for_again(scripted, node, body, status,
                                                                   code):
    client = node(scripted).client(SCRIPT)
    learn(client)
    scripted.on(Script(error=S3Error(status, code)), method="GET", times=2)
    assert client.get("/bucket/key").body == body
    assert len(scripted.asked("GET")) == 4, "the first look, two refusals, and one that went well"


@pytest.mark.parametrize("status, code", [(500, "InternalError"), (503, "SlowDown"),
                                          (403, "AccessDenied"), (404, "NoSuchKey"),
                                          (400, "ExpiredToken"),
                                          (429, "TooManyRequests")])
def test_generic_head_errors_become_the_answer_to_the_get(scripted, node, body, status, code):
    """HEAD errors carry no code: the client must see what the GET says."""
    client = node(scripted).client(SCRIPT)
    client.get("/bucket/key")  # hot
    scripted.on(Script(error=S3Error(status, code, "because")))
    direct = S3Client(scripted.endpoint, SCRIPT)
    for method in ("GET", "HEAD"):
        assert_same(direct.request(method, "/bucket/key"), client.request(method, "/bucket/key"))
    assert client.get("/bucket/key").code == code
    assert client.get("/bucket/key", headers=[("Range", "bytes=0-9")]).code == code


def test_a_head_that_fails_where_the_get_succeeds(scripted, node, body):
    """Some policies forbid HEAD only: the read still works, since the GET is what was asked."""
    scripted.on(Script(error=S3Error(403, "AccessDenied")), method="HEAD")
    client = node(scripted).client(SCRIPT)
    for _ in range(2):
        assert client.get("/bucket/key").body == body


@pytest.mark.parametrize("fields, code", [
    ({"kms_denied": True}, "AccessDenied"), ({"storage_class": "GLACIER"}, "InvalidObjectState"),
    ({"storage_class": "DEEP_ARCHIVE"}, "InvalidObjectState")])
def test_head_allowed_and_get_refused(scripted, node, body, fields, code):
    """The HEAD says 200, but this caller may not have the bytes, cached or not."""
    client = node(scripted).client(SCRIPT)
    client.get("/bucket/key")
    etag = scripted.get("bucket", "key").etag
    scripted.put("bucket", "key", body, **fields)
    assert scripted.get("bucket", "key").etag == etag
    for headers in ([], [("Range", "bytes=0-99")], [("If-Match", etag)]):
        reply = client.get("/bucket/key", headers=headers)
        assert (reply.status, reply.code) == (403, code), headers
    assert client.head("/bucket/key").status == 200


def test_kms_that_is_allowed_is_served(scripted, node, body):
    scripted.on(Script(set_headers={"x-amz-server-side-encryption": "aws:kms"}))
    client = node(scripted).client(SCRIPT)
    for _ in range(2):
        reply = client.get("/bucket/key")
        assert reply.body == body
        assert reply.header("x-amz-server-side-encryption") == "aws:kms"
    assert scripted.body_bytes() <= len(body) + 2


def test_the_etag_changes_between_lookup_and_fill(scripted, node, body):
    """Before the first byte: one new lookup, and the new version is served whole."""
    new = pattern(SIZE + 3, "new")
    client = node(scripted).client(SCRIPT)
    learn(client)
    scripted.on(Script(before=lambda _: scripted.put("bucket", "key", new)), method="GET", nth=1)
    reply = client.get("/bucket/key")
    assert (reply.status, reply.body) == (200, new)
    assert reply.header("etag") == scripted.get("bucket", "key").etag
    assert client.get("/bucket/key").body == new


def test_the_etag_changes_in_the_middle_of_a_large_read(scripted, node):
    """After the first byte: the connection is cut, and no mixture is served or kept."""
    old, new = pattern(150 * MIB, "old"), pattern(150 * MIB, "new")
    scripted.put("bucket", "big", old)

    def second_extent(request):
        return (request.header("range") or "bytes=0-").startswith("bytes=6710")
    scripted.on(Script(before=lambda _: scripted.put("bucket", "big", new)), method="GET",
                when=second_extent, nth=1)
    client = node(scripted).client(SCRIPT)
    learn(client, "/bucket/big")
    reply, _ = timed(lambda: client.get("/bucket/big"))
    assert isinstance(reply, CUT) or reply.body == old
    assert client.get("/bucket/big").body == new


LIES = {
    "another etag": Script(set_headers={"ETag": '"other"'}),
    "no etag": Script(set_headers={"ETag": None}),
    "another total": Script(set_headers={"Content-Range": f"bytes 0-{SIZE - 1}/{SIZE + 1}"}),
    "another offset": Script(set_headers={"Content-Range": f"bytes 1-{SIZE}/{SIZE}"}),
    "a shorter length": Script(set_headers={"Content-Length": str(SIZE - 100)}),
    "nothing but 206": Script(answer=Answer(206, [], b"")),
    "a whole 200": Script(answer=Answer(200, [("ETag", '"x"')], b"z" * 1000)),
    "204": Script(answer=Answer(204, [])),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_fill_that_is_not_what_was_asked_for(scripted, node, body, lie):
    client = node(scripted, QUICK).client(SCRIPT)
    learn(client)
    # To fills alone: what answers the caller's own GET, which follows them, is the answer.
    scripted.on(LIES[lie], method="GET", when=lambda r: r.header("range"), times=4)
    reply, took = timed(lambda: client.get("/bucket/key"))
    assert took < 20
    assert isinstance(reply, CUT) or reply.status >= 500 or reply.body == body, reply
    scripted.clear_scripts()
    for _ in range(2):
        assert client.get("/bucket/key").body == body


def test_bytes_beyond_the_body_end_the_connection(scripted, node, body):
    """What follows an answer must not be taken for the next one."""
    extra = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
    etag = scripted.get("bucket", "key").etag.encode()
    head = b"HTTP/1.1 200 OK\r\nETag: %b\r\nContent-Length: %d\r\n\r\n" % (etag, SIZE)
    scripted.on(Script(raw=head + extra), method="HEAD", times=2)
    client = node(scripted).client(SCRIPT)
    for _ in range(4):
        assert client.get("/bucket/key").body == body


def test_pooled_connections_that_went_stale(scripted, node, body):
    """The origin hangs up between requests, as every origin does: no client notices."""
    client = node(scripted).client(SCRIPT)
    for turn in range(20):
        scripted.on(Script(drop=True) if turn % 5 == 3 else Script(), method="HEAD", nth=turn + 1)
        assert client.get("/bucket/key", headers=[("Range", "bytes=0-9")]).status in (206, 503)
        assert client.get("/bucket/key").body == body


def test_a_refusal_for_one_key_is_retried_under_another(scripted, node, body):
    """Two readers wait for one fill; the key it began with may not read, the other may."""
    scripted.credentials["OTHER"] = ("OSECRET", None)
    proxy = node(scripted, credentials=credentials_of(SCRIPT, ("OTHER", "OSECRET")))
    learn(proxy.client(SCRIPT))
    seen = {method: len(scripted.asked(method)) for method in ("GET", "HEAD")}
    gate = threading.Event()
    scripted.on(Script(hold_head=gate, error=S3Error(403, "AccessDenied")), method="GET",
                when=lambda r: r.access_key == "OTHER")
    replies = {}

    def read(name, key):
        replies[name] = timed(lambda: proxy.client(key).get("/bucket/key"))[0]
    first = threading.Thread(target=read, args=("refused", ("OTHER", "OSECRET")))
    first.start()
    wait_until(lambda: len(scripted.asked("GET")) > seen["GET"], what="the fill")
    second = threading.Thread(target=read, args=("allowed", SCRIPT))
    second.start()
    wait_until(lambda: len(scripted.asked("HEAD")) >= seen["HEAD"] + 2, what="the second lookup")
    time.sleep(0.2)
    gate.set()
    first.join(30)
    second.join(30)
    assert replies["allowed"].status == 200 and replies["allowed"].body == body


def test_an_origin_as_slow_as_a_modem(scripted, node):
    """Slow is not dead: as long as bytes come, nothing is given up."""
    scripted.put("bucket", "slow", pattern(5 * MIB))
    scripted.on(Script(bytes_per_second=MIB), key="slow", method="GET")
    client = node(scripted, QUICK).client(SCRIPT)
    assert client.get("/bucket/slow").body == pattern(5 * MIB)
