"""A web page in Chromium that uploads, reads and lists across origins by presigned URLs and forms:
through a node it fares as it does direct, and the origin's CORS rules decide."""
import types
import urllib.parse
import xml.etree.ElementTree as ElementTree

import browser as browser_module
import pytest
from browser import fetch
from compare import OWN_HEADERS, pattern
from conftest import SCRIPT, credentials_of, end_node, fresh_bucket
from node import Node, boto, wait_until

FRONTS = [(origin, mode) for origin in ("rgw", "minio") for mode in ("verify", "passthrough")]
PASSTHROUGH = {"auth": {"mode": "passthrough", "credentials_file": None}}
BODY = pattern(300_000, "page")
POSTED = b"posted by a page"
TYPED = {"ContentType": "text/x-page", "Metadata": {"colour": "blue"}}
TYPED_FIELDS = {"Content-Type": "text/x-page", "x-amz-meta-colour": "blue"}
# What fetch() throws, whatever the reason for which the browser shows a page no answer.
BLOCKED = "TypeError"
ALLOWED = {"put": 200, "get": 200, "range": 206, "suffix": 206, "head": 200, "list": 200,
           "put_v2": 200, "get_v2": 200, "form": 201, "missing": 404}
# The gateway has rules for each bucket. MinIO allows every page the methods that it knows.
RULED = {
    "rgw": {"unknown_method": BLOCKED, "odd_field": BLOCKED, "delete": BLOCKED,
            "stranger_get": BLOCKED, "stranger_put": BLOCKED},
    "minio": {"unknown_method": BLOCKED, "odd_field": 200, "delete": 204,
              "stranger_get": 200, "stranger_put": 200},
}
REFUSED = ("forged", "expired", "forged_put")


def cors_rules(origin):
    return {"CORSRules": [{
        "AllowedOrigins": [origin], "AllowedMethods": ["GET", "PUT", "POST", "HEAD"],
        "AllowedHeaders": ["content-type", "x-amz-meta-*", "range"],
        "ExposeHeaders": ["ETag", "Content-Range", "x-amz-meta-colour", "x-forebay-cache"],
        "MaxAgeSeconds": 60}]}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A page that the rules allow, and one of an origin that they do not name."""
    if browser_module.program() is None:
        pytest.skip("no Chromium: deploy/install-deps.sh test")
    with browser_module.browser(tmp_path_factory.mktemp("browser"), 2) as pages:
        yield pages


@pytest.fixture(scope="module", params=FRONTS, ids="-".join)
def front(request, tmp_path_factory, pages):
    """A node in front of an origin, and what a page found direct and through the node."""
    origin_name, mode = request.param
    origin = request.getfixturevalue(origin_name)
    config = {"listen": {"domains": ["localhost"]}, "cache": {"min_object_size": "64KiB"}}
    if mode == "passthrough":
        config |= PASSTHROUGH
    node = Node(tmp_path_factory.mktemp("node"), origin.endpoint, credentials_of(origin.alice),
                config)
    node.start()
    with fresh_bucket(origin) as bucket:
        if origin_name == "rgw":
            origin.boto().put_bucket_cors(Bucket=bucket,
                                          CORSConfiguration=cors_rules(pages[0].origin))
        found = {where: visit(pages, Caller(endpoint, origin.alice, bucket, where))
                 for where, endpoint in (("direct", origin.endpoint), ("node", node.endpoint))}
        yield types.SimpleNamespace(name=origin_name, mode=mode, origin=origin, node=node,
                                    bucket=bucket, pages=pages, found=found)
    failures = end_node(node)
    assert not failures, "\n".join(failures)


class Caller:
    """What the owner of a bucket signs for a page, for one endpoint and in one folder."""

    def __init__(self, endpoint, key, bucket, folder, **config):
        self.bucket, self.folder = bucket, folder
        self.v4 = boto(endpoint, key, **config)
        self.v2 = boto(endpoint, key, signature_version="s3")

    def url(self, operation, key, expires=600, version=4, **parameters):
        client = self.v4 if version == 4 else self.v2
        names = {"Bucket": self.bucket, "Key": f"{self.folder}/{key}"} | parameters
        return client.generate_presigned_url(operation, names, expires)

    def form(self, key, **fields):
        form = self.v4.generate_presigned_post(
            self.bucket, f"{self.folder}/{key}", Fields=fields,
            Conditions=[{name: value} for name, value in fields.items()])
        return {"url": form["url"], "method": "POST", "fields": form["fields"], "body": POSTED}


def visit(pages, caller):
    """The outcomes of all that a page tries."""
    put, get = caller.url("put_object", "a", **TYPED), caller.url("get_object", "a")
    lists = caller.v4.generate_presigned_url(
        "list_objects_v2", {"Bucket": caller.bucket, "Prefix": caller.folder}, 600)
    odd = caller.url("put_object", "odd", **TYPED)
    landing = f"{pages[0].origin}/landed"
    outcomes = pages[0].take({
        "put": fetch(put, "PUT", TYPED_FIELDS, BODY),
        "get": fetch(get),
        "range": fetch(get, headers={"Range": "bytes=100-199"}),
        # A range of the last bytes needs a preflight, one from the first on does not.
        "suffix": fetch(get, headers={"Range": "bytes=-100"}),
        "head": fetch(caller.url("head_object", "a"), "HEAD"),
        "put_v2": fetch(caller.url("put_object", "v2", version=2), "PUT", body=BODY),
        "get_v2": fetch(caller.url("get_object", "v2", version=2)),
        "form": fetch(**caller.form("form", success_action_status="201")),
        "sent": fetch(**caller.form("sent", success_action_redirect=landing), submit=True),
        "missing": fetch(caller.url("get_object", "none")),
        "list": fetch(lists),
        "unknown_method": fetch(get, "PROPFIND"),
        "odd_field": fetch(odd, "PUT", TYPED_FIELDS | {"x-odd": "1"}, BODY),
        "delete": fetch(caller.url("delete_object", "v2"), "DELETE"),
        "forged": fetch(forged(get)),
        "forged_put": fetch(forged(put), "PUT", TYPED_FIELDS, BODY),
        "expired": fetch(caller.url("get_object", "a", expires=-100)),
    })
    stranger = caller.url("put_object", "stranger", **TYPED)
    return outcomes | pages[1].take({
        "stranger_get": fetch(get),
        "stranger_put": fetch(stranger, "PUT", TYPED_FIELDS, BODY),
    })


def forged(url):
    return url[:-1] + ("0" if url[-1] != "0" else "1")


def verdicts(outcomes, names):
    return {name: outcomes[name].status or outcomes[name].error for name in names}


def keys_in(outcome):
    root = ElementTree.fromstring(outcome.body)
    return {urllib.parse.unquote(each.text) for each in root.iter()
            if each.tag.rpartition("}")[2] == "Key"}


def keys_at(front, where):
    pages = front.origin.boto().list_objects_v2(Bucket=front.bucket, Prefix=f"{where}/")
    return {each["Key"].removeprefix(f"{where}/") for each in pages["Contents"]}


def test_a_page_uploads_reads_and_lists(front):
    for where, found in front.found.items():
        assert verdicts(found, ALLOWED) == ALLOWED, where
        assert found["get"].body == found["get_v2"].body == BODY
        assert found["get"].header("Content-Type") == "text/x-page"
        assert found["get"].header("x-amz-meta-colour") == "blue"
        assert found["put"].header("ETag") == found["get"].header("ETag") is not None
        assert found["range"].body == BODY[100:200]
        assert found["range"].header("Content-Range") == "bytes 100-199/300000"
        assert found["suffix"].body == BODY[-100:]
        assert keys_in(found["list"]) == {f"{where}/{name}" for name in ("a", "v2", "form", "sent")}
        stored = front.origin.boto().get_object(Bucket=front.bucket, Key=f"{where}/a")
        assert (stored["Body"].read(), stored["ContentType"], stored["Metadata"]) == \
            (BODY, "text/x-page", {"colour": "blue"})


def test_a_page_uploads_by_forms(front):
    for where, found in front.found.items():
        landed = urllib.parse.urlsplit(found["sent"].landed)
        assert f"{landed.scheme}://{landed.netloc}{landed.path}" == \
            f"{front.pages[0].origin}/landed"
        assert urllib.parse.parse_qs(landed.query)["key"] == [f"{where}/sent"]
        for key in ("form", "sent"):
            stored = front.origin.boto().get_object(Bucket=front.bucket, Key=f"{where}/{key}")
            assert stored["Body"].read() == POSTED


def test_the_origins_rules_decide(front):
    ruled = RULED[front.name]
    stored = {"a", "form", "sent"} | ({"v2"} if front.name == "rgw" else {"odd", "stranger"})
    for where, found in front.found.items():
        assert verdicts(found, ruled) == ruled, where
        assert keys_at(front, where) == stored


def seen(outcome):
    """What must be the same direct and through a node."""
    own = OWN_HEADERS | {"last-modified", "location"}
    body = outcome.body
    if outcome.header("Content-Type") == "application/xml":
        # It holds names of hosts and folders, whose lengths differ.
        own = own | {"content-length"}
        root = ElementTree.fromstring(body)
        body = [root.tag, [(each.tag, each.text) for each in root.iter()
                           if each.tag in ("Code", "Bucket", "ETag")]]
    fields = sorted((name, value) for name, value in outcome.headers if name not in own)
    return outcome.error, outcome.type, outcome.status, fields, body


def test_a_page_fares_as_it_does_direct(front):
    direct, through = front.found["direct"], front.found["node"]
    for name in direct.keys() - set(REFUSED) - {"sent"}:
        assert seen(direct[name]) == seen(through[name]), name


def test_what_a_page_sees_of_a_refused_signature(front):
    """The gateway's refusals carry no CORS fields, MinIO's do. Those of a node do not, for it does
    not know the origin's rules."""
    direct, through = (verdicts(front.found[where], REFUSED) for where in ("direct", "node"))
    blocked = dict.fromkeys(REFUSED, BLOCKED)
    assert direct == (blocked if front.name == "rgw" else
                      {"forged": 403, "forged_put": 403, "expired": 400})
    assert through == (blocked if front.mode == "verify" else direct)


def cors_fields(reply):
    return sorted(field for field in reply.headers
                  if field[0].startswith("access-control-") or field[0] == "vary")


def test_the_cors_fields_of_a_cached_object_are_the_origins(front):
    """A cached object is a hit for an <img>, which sends no Origin. A request that has one is
    answered by the origin, for the answer depends on it."""
    page, stranger = front.pages
    key = front.origin.alice
    path = f"/{front.bucket}/node/a"
    node, direct = front.node.client(key), front.origin.client(key)
    wait_until(lambda: node.get(path).header("x-forebay-cache") == "hit", what="a hit")
    for origin in (page.origin, stranger.origin, "null"):
        for method, more in (("GET", []), ("HEAD", []), ("GET", [("Range", "bytes=0-99")]),
                             ("GET", [("If-None-Match", "*")])):
            asked = [("Origin", origin), *more]
            through, alone = (client.send(method, client.presigned(method, path),
                                          [("Host", client.host), *asked])
                              for client in (node, direct))
            assert through.status == alone.status, (method, asked)
            assert cors_fields(through) == cors_fields(alone), (method, asked)
    hits = front.node.metric("forebay_cache_requests_total", status="hit")
    url = Caller(front.node.endpoint, key, front.bucket, "node").url("get_object", "a")
    shown = page.take({"image": fetch(url, mode="no-cors"), "get": fetch(url)})
    assert (shown["image"].type, shown["image"].status) == ("opaque", 0)
    assert front.node.metric("forebay_cache_requests_total", status="hit") == hits + 1
    assert (shown["get"].status, shown["get"].body) == (200, BODY)


def test_the_answer_to_a_preflight_is_the_origins(front):
    page, stranger = front.pages
    key, path = front.origin.alice, f"/{front.bucket}/node/a"
    allowed = 0
    for origin in (page.origin, stranger.origin):
        for method in ("PUT", "GET", "DELETE", "PROPFIND"):
            for fields in ("content-type,x-amz-meta-colour", "range", "x-odd"):
                asked = [("Origin", origin), ("Access-Control-Request-Method", method),
                         ("Access-Control-Request-Headers", fields)]
                through, alone = (client.send("OPTIONS", client.presigned(method, path),
                                              [("Host", client.host), *asked])
                                  for client in (front.node.client(key), front.origin.client(key)))
                # By its status the gateway also tells what it makes of the URL's signature, which
                # the node keeps to itself.
                assert (through.status < 300) == (alone.status < 300), asked
                allowed += through.header("access-control-allow-origin") is not None
                assert cors_fields(through) == cors_fields(alone), asked
    assert 0 < allowed < 24


@pytest.mark.parametrize("front", [front for front in FRONTS if "verify" in front],
                         indirect=True, scope="module", ids="-".join)
def test_a_bucket_in_the_name_of_the_host(front):
    """Only where the node signs anew: these origins do not know that name as theirs."""
    endpoint = front.node.endpoint.replace("127.0.0.1", "localhost")
    caller = Caller(endpoint, front.origin.alice, front.bucket, "named",
                    s3={"addressing_style": "virtual"})
    put = caller.url("put_object", "a", **TYPED)
    assert put.startswith(f"http://{front.bucket}.localhost:")
    found = front.pages[0].take({"put": fetch(put, "PUT", TYPED_FIELDS, BODY),
                                 "get": fetch(caller.url("get_object", "a"))})
    assert (found["put"].status, found["get"].status, found["get"].body) == (200, 200, BODY)


@pytest.mark.parametrize("mode", ["verify", "passthrough"])
@pytest.mark.parametrize("version", [4, 2])
def test_a_preflight_reaches_the_origin_without_credentials(scripted, node, pages, mode, version):
    proxy = node(scripted, PASSTHROUGH if mode == "passthrough" else None)
    caller = Caller(proxy.endpoint, SCRIPT, "bucket", "page")
    url = caller.url("put_object", "a b", version=version, **TYPED)
    outcome = pages[0].take({"put": fetch(url, "PUT", TYPED_FIELDS, BODY)})["put"]
    assert outcome.error == BLOCKED, "this origin allows no page anything"
    request, = scripted.requests
    assert (request.method, request.target.partition("?")[0]) == ("OPTIONS", "/bucket/page/a%20b")
    assert request.header("access-control-request-method") == "PUT"
    assert request.header("origin") == pages[0].origin
    assert request.header("authorization") is None
    for word in ("Signature", "Credential", "AccessKeyId", SCRIPT[0]):
        assert word.lower() not in request.target.lower()
