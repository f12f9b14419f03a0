"""An origin that says that a bucket is elsewhere: the client never leaves the node."""
import pytest
from compare import pattern
from conftest import SCRIPT
from node import MIB, boto
from s3_semantics import Answer
from scripted_origin import Script, ScriptedOrigin

BODY = pattern(9 * MIB, "elsewhere")


@pytest.fixture
def elsewhere():
    with ScriptedOrigin() as origin:
        origin.put("bucket", "key", BODY)
        yield origin
        assert origin.malformed == []


def redirect(status, headers, body=b""):
    return Script(answer=Answer(status, headers, body), expect="final")


def proxy_of(node, scripted, allowed=("127.0.0.1:*",)):
    return node(scripted, {"origin": {"redirect_hosts": list(allowed)}})


def location(elsewhere):
    return [("Location", f"http://127.0.0.1:{elsewhere.port}/bucket/key?x=y")]


def endpoint_xml(elsewhere):
    return (f"<Error><Code>PermanentRedirect</Code><Endpoint>bucket.127.0.0.1:{elsewhere.port}"
            "</Endpoint></Error>").encode()


@pytest.mark.parametrize("status", [301, 307])
@pytest.mark.parametrize("how", ["location", "endpoint", "region"])
def test_reads_go_where_the_bucket_is(scripted, elsewhere, node, status, how):
    headers, body = [("Content-Type", "application/xml")], b""
    if how == "location":
        headers += location(elsewhere)
    elif how == "endpoint":
        body = endpoint_xml(elsewhere)
    else:  # takes the star's place in the pattern
        headers.append(("x-amz-bucket-region", str(elsewhere.port)))
        elsewhere.region = str(elsewhere.port)
    scripted.on(redirect(status, headers, body))
    client = proxy_of(node, scripted).client(SCRIPT)
    for cache in ("miss", "hit"):
        reply = client.get("/bucket/key")
        assert (reply.status, reply.body) == (200, BODY)
        assert reply.header("x-forebay-cache") == cache
        assert reply.header("location") is None
    assert client.head("/bucket/key").status == 200
    assert client.get("/bucket", query=[("list-type", "2")]).status == 200
    assert len(scripted.requests) == 1, "what was learnt is not asked again"


def test_heads_come_first(scripted, elsewhere, node):
    scripted.on(redirect(301, location(elsewhere)))
    assert proxy_of(node, scripted).client(SCRIPT).head("/bucket/key").status == 200


def test_a_body_that_was_held_back_goes_there(scripted, elsewhere, node):
    scripted.on(redirect(307, location(elsewhere)))
    s3 = boto(proxy_of(node, scripted).endpoint, SCRIPT)
    s3.put_object(Bucket="bucket", Key="new", Body=BODY)  # with Expect: 100-continue
    assert elsewhere.get("bucket", "new").body == BODY
    assert scripted.asked("PUT")[0].body_received == 0


def test_a_body_that_has_left_is_sent_again_by_the_client(scripted, elsewhere, node):
    scripted.on(redirect(307, location(elsewhere)))
    client = proxy_of(node, scripted).client(SCRIPT)
    first = client.put("/bucket/new", BODY)
    assert (first.status, first.code) == (503, "SlowDown")
    assert first.header("retry-after")
    assert client.put("/bucket/new", BODY).status == 200
    assert elsewhere.get("bucket", "new").body == BODY


@pytest.mark.parametrize("allowed", [[], ["s3.*.amazonaws.com"]])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_hosts_that_nobody_allowed(scripted, elsewhere, node, allowed, method):
    scripted.on(redirect(301, location(elsewhere)))
    proxy = proxy_of(node, scripted, allowed)
    reply = proxy.client(SCRIPT).request(method, "/bucket/key")
    assert reply.status == 503 and reply.header("location") is None
    assert elsewhere.requests == []
    assert "origin.redirect_hosts" in proxy.log()


def test_redirects_in_a_circle_end(scripted, node):
    scripted.on(redirect(301, [("Location", f"http://127.0.0.1:{scripted.port}/bucket/key")]))
    reply = proxy_of(node, scripted).client(SCRIPT).get("/bucket/key")
    assert reply.status == 503
    assert len(scripted.requests) <= 6


def test_what_a_redirect_taught_is_relearnt(scripted, elsewhere, node):
    scripted.on(redirect(301, location(elsewhere)))
    with ScriptedOrigin() as third:
        third.put("bucket", "key", BODY)
        client = proxy_of(node, scripted).client(SCRIPT)
        assert client.get("/bucket/key").body == BODY
        elsewhere.on(redirect(301, location(third)))
        assert client.get("/bucket/key").body == BODY
        assert third.requests
