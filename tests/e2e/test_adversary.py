"""Hostile requests, byte by byte, through a node that verifies, to two real origins: each is
refused, changes nothing at the origin, tells nothing, and costs the node little."""
import contextlib
import unittest.mock
import urllib.parse

import adversary_costs
import adversary_credentials
import adversary_fields
import adversary_queries
import pytest
import sigv4
from adversary import (KIB, LEAKS, MIB, OWN, SECRET, SHOWN, Load, World, cost, fenced_bucket,
                       median, send_to)
from aws_chunked import presign_v2
from conftest import end_node
from node import Node
from s3_client import S3Client

OWNER = ("AKOWNER", "SKOWNERSECRET", None)
ATTACKS = [attack for module in (adversary_fields, adversary_queries, adversary_credentials,
                                 adversary_costs) for attack in module.ATTACKS]
# How much more than an ordinary read an attack may cost the node, and how much slower others' reads
# may be while four clients send it all the time.
COST_MAX, SLOWER_MAX, MEMORY_MAX = 60, 30, 32 * MIB


def cases(costly):
    return [pytest.param(origin, attack, id=f"{origin}-{attack.name}")
            for origin in ("rgw", "minio") for attack in ATTACKS
            if origin in attack.origins and attack.costly == costly]


def add_swift(world):
    """The other protocol of the same gateway: a user, a token and a key for temporary URLs."""
    user, secret = adversary_credentials.SWIFT_USER, adversary_credentials.SWIFT_SECRET
    admin = world.origin.script
    admin("admin", "subuser", "create", "--uid=alice", f"--subuser={user}", "--access=full")
    admin("admin", "key", "create", f"--subuser={user}", "--key-type=swift",
          f"--secret-key={secret}")
    admin("admin", "user", "modify", "--uid=alice",
          f"--temp-url-key={adversary_credentials.URL_KEY}")
    direct = world.origin.endpoint
    reply = send_to(direct, "GET", "/auth/v1.0", [
        *world.origin_host, ("X-Auth-User", user), ("X-Auth-Key", secret)])
    world.swift_token = reply.header("x-auth-token")
    reply = send_to(direct, "GET", f"/swift/v1/{world.secret}/k", [
        *world.origin_host, ("X-Auth-Token", world.swift_token)])
    assert reply.body == SECRET, "the attack is none where the origin takes no token"
    world.state = world.snapshot()


@pytest.fixture(scope="module")
def worlds(request, tmp_path_factory):
    """name -> its world, made when first asked for."""
    made = {}

    def world_of(name):
        if name in made:
            return made[name]
        server = request.getfixturevalue(name)
        node = Node(tmp_path_factory.mktemp("adversary"), server.endpoint, [],
                    {"cache": {"min_object_size": "4KiB"}})
        world = made[name] = World(server, node, OWNER)
        world.fill()
        if name == "rgw":
            add_swift(world)
        node.write_credentials(world.credentials(OWNER))
        node.start()
        # Hot: what may not be read may not be read from the cache either.
        for key, body in (("k", SECRET), ("shown", SHOWN)):
            for _ in range(3):
                assert world.owner.get(f"/{world.secret}/{key}").body == body
        node.settle()
        return world
    yield world_of
    failures = [line for world in made.values() for line in end_node(world.node)]
    assert not failures, "\n".join(failures)


def check(world, attack):
    """Sends it; what is wrong with what came of it."""
    reply = attack.run(world)
    wrong = []
    told = reply.body + repr(reply.headers).encode()
    if reply.status not in attack.statuses:
        wrong.append(f"the status is {reply.status} {reply.code}, none of "
                     f"{sorted(attack.statuses)}: {reply.body[:200]!r}")
    wrong += [f"the answer holds {leak!r}" for leak in attack.leaks if leak in told]
    if len(told) > attack.largest:
        wrong.append(f"the answer is of {len(told)} bytes")
    return wrong + world.changes()


def fail_if(wrong):
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


@pytest.mark.parametrize("origin, attack", cases(costly=False))
def test_attack(worlds, origin, attack):
    fail_if(check(worlds(origin), attack))


@pytest.mark.parametrize("origin, attack", cases(costly=True))
def test_what_it_costs(worlds, origin, attack):
    world = worlds(origin)
    ordinary = cost(world, lambda: world.owner.get(f"/{world.secret}/shown"), 20)
    usual = median(world.good_reads(9))
    before = world.memory()
    world.forget_peak()
    wrong = check(world, attack)
    each = cost(world, lambda: attack.run(world), 3)
    with Load(world, attack):
        meanwhile = median(world.good_reads(9))
    grown = world.peak() - before
    if each > COST_MAX * ordinary:
        wrong.append(f"it costs {each / ordinary:.0f} reads of processor time")
    if meanwhile > SLOWER_MAX * usual:
        wrong.append(f"reads take {meanwhile / usual:.0f} times as long meanwhile")
    if grown > MEMORY_MAX:
        wrong.append(f"the node grew by {grown / MIB:.0f} MiB")
    fail_if(wrong)


@pytest.mark.parametrize("origin", ["rgw", "minio"])
def test_many_regions_are_not_remembered(worlds, origin):
    """Each scope's key may be kept for the next request; choosing scopes fills no memory."""
    world = worlds(origin)
    before = world.memory()
    for n in range(600):
        client = S3Client(world.node.endpoint, world.origin.alice, region=f"region-{n}" + "x" * 900)
        assert client.get(f"/{world.secret}/k").status == 403
    assert world.memory() - before < MEMORY_MAX


def test_the_suite_is_large():
    assert len(ATTACKS) >= 80 and len({attack.name for attack in ATTACKS}) == len(ATTACKS)


# --- what stays possible ------------------------------------------------------------------------

def put_and_look(world, client, name, **options):
    """An upload's status, and what a direct HEAD says of the object; the object is gone then."""
    path = f"/{world.mine}/{name}"
    reply = client.put(path, b"a body", **options)
    seen = world.direct.head(path)
    world.direct.delete(path)
    fields = sorted(field for field in seen.headers if field[0].startswith("x-amz-meta-")
                    or field[0] in ("content-type", "content-length", "etag"))
    return reply.status, reply.code, fields


# Uploads that only look odd: (name, signed fields, fields beside them).
ODD_UPLOADS = [
    ("an underscore in metadata", [("x-amz-meta-my_key", "v")], []),
    ("underscores and dots", [("x-amz-meta-a_b_c", "v"), ("X-Amz-Meta-d.e", "w")], []),
    ("an unsigned Content-Type", [], [("Content-Type", "text/x-unsigned")]),
    ("a trace of Amazon's", [], [("X-Amzn-Trace-Id", "Root=1-2-3")]),
    ("an odd name of no meaning", [], [("x_custom", "1"), ("my_header", "2")]),
    ("an agent's fields", [("amz-sdk-request", "attempt=1")], [("amz-sdk-invocation-id", "x")]),
]


@pytest.mark.parametrize("origin", ["rgw", "minio"])
@pytest.mark.parametrize("name, signed, beside", ODD_UPLOADS, ids=[each[0] for each in ODD_UPLOADS])
def test_what_only_looks_odd_is_as_direct(worlds, origin, name, signed, beside):
    world = worlds(origin)
    options = {"headers": signed, "unsigned": beside}
    expected = put_and_look(world, world.direct, "odd", **options)
    assert put_and_look(world, world.attacker, "odd", **options) == expected
    assert expected[0] == 200


@pytest.mark.parametrize("origin", ["rgw", "minio"])
def test_an_unsigned_payload_hash_and_type_of_a_presigned_upload(worlds, origin):
    world = worlds(origin)
    for add in ([("Content-Type", "text/x-unsigned")],
                [("x-amz-content-sha256", "UNSIGNED-PAYLOAD")]):
        seen = []
        for client in (world.direct, world.owner):
            target = client.presigned("PUT", f"/{world.mine}/typed")
            status = client.send("PUT", target, [("Host", client.host), *add], b"x").status
            seen.append((status, world.direct.head(f"/{world.mine}/typed").header("content-type")))
            world.direct.delete(f"/{world.mine}/typed")
        assert seen[0] == seen[1] and seen[0][0] == 200


@pytest.mark.parametrize("name", ["range_", "x_custom", "method_override", "my_method"])
@pytest.mark.parametrize("origin", ["rgw", "minio"])
def test_odd_names_of_no_meaning_change_nothing(worlds, origin, name):
    world = worlds(origin)
    reply = world.signed("GET", f"/{world.secret}/shown", by=world.owner,
                         add=[(name, "bytes=0-0"), ("X-HTTP-Method-Override", "DELETE")])
    assert (reply.status, reply.body, world.changes()) == (200, SHOWN, [])


# Targets that RFC 3986 does not allow and servers take. What stays refused: docs/compatibility.md.
RAW = ["{", "}", "{1}", "|", '"', "a{1}/|x|", "é".encode().decode("latin-1"), "\x80", "\xff"]


@pytest.mark.parametrize("raw", RAW, ids=[ascii(raw) for raw in RAW])
@pytest.mark.parametrize("origin", ["rgw", "minio"])
def test_raw_bytes_in_targets_are_as_direct(worlds, origin, raw):
    """Each request is signed for the target as every server decodes it, and is sent as it is."""
    world = worlds(origin)
    text = raw.encode("latin-1").decode("utf-8", "surrogateescape")
    seen = []
    for client in (world.direct, world.owner):
        bucket = world.mine
        reply = send_to(client.endpoint, "GET", f"/{bucket}/{raw}",
                        sign_raw(client, f"/{bucket}/{text}", []))
        listed = send_to(client.endpoint, "GET", f"/{bucket}?prefix={raw}",
                         sign_raw(client, f"/{bucket}", [("prefix", text)]))
        seen.append([(reply.status, reply.code), (listed.status, listed.xml("Prefix"))])
    if raw.isascii() or len(raw) == 2:  # else it is no UTF-8, of which each origin thinks otherwise
        assert seen[0] == [(404, "NoSuchKey"), (200, text)]
    assert seen[0] == seen[1]


def sign_raw(client, path, pairs):
    """The fields of a GET whose path or query may hold bytes that are no UTF-8."""
    def encode(text, safe=""):
        return urllib.parse.quote(text.encode("utf-8", "surrogateescape"),
                                  safe=sigv4.UNRESERVED + safe)

    unquote = urllib.parse.unquote

    def decode(text):
        return unquote(text, errors="surrogateescape")
    with unittest.mock.patch.object(sigv4, "encode", encode), \
            unittest.mock.patch.object(sigv4.urllib.parse, "unquote", decode):
        return sigv4.sign("GET", encode(path, "/"), pairs, [("Host", client.host)], client.key)


# --- who the client is --------------------------------------------------------------------------

ELSEWHERE = "203.0.113.7"
SPOOFS = [("X-Forwarded-For", ELSEWHERE), ("x-forwarded-for", f"{ELSEWHERE}, 127.0.0.1"),
          ("X-Real-IP", ELSEWHERE), ("Forwarded", f"for={ELSEWHERE}"), ("X-Client-IP", ELSEWHERE),
          ("True-Client-IP", ELSEWHERE), ("CF-Connecting-IP", ELSEWHERE),
          ("X-Cluster-Client-IP", ELSEWHERE), ("X_Forwarded_For", ELSEWHERE),
          ("x-forwarded_for", ELSEWHERE), ("Remote-Addr", ELSEWHERE), ("REMOTE_ADDR", ELSEWHERE)]


@pytest.fixture
def fenced():
    """fenced(world, statements): a bucket whose policy judges addresses."""
    with contextlib.ExitStack() as stack:
        yield lambda world, *statements: stack.enter_context(
            fenced_bucket(world.origin, "addresses", *statements))


@pytest.mark.parametrize("origin", ["rgw", "minio"])
def test_nobody_says_where_it_is(worlds, fenced, origin):
    """The policy lets one address read unsigned; the origin believes X-Forwarded-For. Cold, hot."""
    world = worlds(origin)
    bucket = fenced(world, ("Allow", "IpAddress", ELSEWHERE))
    direct = send_to(world.origin.endpoint, "GET", f"/{bucket}/k", [
        *world.origin_host, ("X-Forwarded-For", ELSEWHERE)])
    assert direct.body == SECRET, "the attack is none where the origin trusts nobody"
    wrong = []
    for look in ("cold", "hot"):
        for name, value in SPOOFS:
            for method in ("GET", "HEAD"):
                reply = world.send(method, f"/{bucket}/k", [*world.host, (name, value)])
                if reply.status not in (400, 403) or SECRET[:40] in reply.body:
                    wrong.append(f"{look}, {method}, {name}: {reply.status}")
            target = world.attacker.presigned("GET", f"/{bucket}/k")
            reply = world.send("GET", target, [*world.host, (name, value)])
            if reply.status not in (400, 403):
                wrong.append(f"{look}, presigned, {name}: {reply.status}")
        for _ in range(2):
            world.owner.get(f"/{bucket}/k")
        world.node.settle()
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("origin", ["rgw", "minio"])
def test_the_node_says_where_its_clients_are(worlds, fenced, node, origin):
    """With origin.forwarded_for: set the policy judges the client's address, on hits too."""
    world = worlds(origin)
    here = fenced(world, ("Allow", "IpAddress", "127.0.0.1"))
    there = fenced(world, ("Allow", "IpAddress", ELSEWHERE))
    for trusted in (False, True):
        config = {"origin": {"forwarded_for": "set"}, "cache": {"min_object_size": "4KiB"}}
        if trusted:
            config["listen"] = {"trusted_proxies": ["127.0.0.0/8"]}
        proxy = node(world.origin, config, world.credentials(OWNER))
        for _ in range(3):
            for bucket, address, allowed in (
                    (here, None, True), (there, None, False), (there, ELSEWHERE, trusted),
                    (here, ELSEWHERE, not trusted)):
                add = [("X-Forwarded-For", address)] if address else []
                for named in ((), [("Connection", "keep-alive, X-Forwarded-For")]):
                    # A field that Connection names is the client's, not the node's.
                    open_ = bucket == here if named else allowed
                    reply = send_to(proxy.endpoint, "GET", f"/{bucket}/k",
                                    [*world.host, *add, *named])
                    assert (reply.status == 200, reply.body == SECRET) == (open_, open_), (
                        trusted, bucket, address, named, reply)
            proxy.client(OWNER).get(f"/{here}/k")
            proxy.client(OWNER).get(f"/{there}/k")
            proxy.settle()


# --- browsers -----------------------------------------------------------------------------------

PREFLIGHT = [("Origin", "http://page.test"), ("Access-Control-Request-Method", "PUT"),
             ("Access-Control-Request-Headers", "content-type")]
CORS = {"CORSRules": [{"AllowedOrigins": ["http://page.test"], "AllowedMethods": ["PUT", "GET"],
                       "AllowedHeaders": ["*"]}]}


def preflight_of(reply):
    return reply.status, sorted(field for field in reply.headers if field[0].startswith("access-"))


@pytest.mark.parametrize("form", ["plain", "V4", "V2", "V4 of a stranger", "expired", "lower case",
                                  "malformed", "header"])
@pytest.mark.parametrize("origin", ["rgw", "minio"])
def test_a_preflight_is_the_origins_to_answer(worlds, origin, form):
    world = worlds(origin)
    if origin == "rgw":
        world.origin.boto().put_bucket_cors(Bucket=world.mine, CORSConfiguration=CORS)
    try:
        path, host, add = f"/{world.mine}/page", world.origin_host, []
        expected = preflight_of(send_to(world.origin.endpoint, "OPTIONS", path,
                                        [*host, *PREFLIGHT]))
        assert expected[0] == (200 if origin == "rgw" else 204) and expected[1]
        client = world.owner
        target = {"plain": lambda: path, "V4": lambda: client.presigned("PUT", path),
                  "V2": lambda: presign_v2(client, "PUT", path),
                  "V4 of a stranger": lambda: world.stranger.presigned("PUT", path),
                  "expired": lambda: presign_v2(client, "PUT", path, expires=-60),
                  "lower case": lambda: client.presigned("PUT", path).replace("X-Amz", "x-amz"),
                  "malformed": lambda: path + "?X-Amz-Signature=0&X-Amz-Credential=a",
                  "header": lambda: path}[form]()
        if form == "header":
            add = [("Authorization", "AWS4-HMAC-SHA256 Credential=AKX/x")]
        reply = world.send("OPTIONS", target, [*world.host, *PREFLIGHT, *add])
        assert preflight_of(reply) == expected
    finally:
        world.reset()


@pytest.mark.parametrize("origin", ["rgw", "minio"])
@pytest.mark.parametrize("path", ["/{secret}/k", "/{secret}?policy", "/{secret}/k?acl", "/"])
def test_a_preflight_tells_nothing(worlds, origin, path):
    world = worlds(origin)
    _, fields = world.direct.signed("OPTIONS", path.format(**vars(world)))
    reply = world.send("OPTIONS", path.format(**vars(world)), [*fields, *PREFLIGHT])
    assert not any(leak in reply.body for leak in LEAKS)
    assert world.changes() == [] and OWN not in reply.body


def test_the_node_is_whole_after_all_this(worlds):
    for name in ("rgw", "minio"):
        world = worlds(name)
        assert world.owner.get(f"/{world.secret}/k").body == SECRET
        assert world.attacker.get(f"/{world.mine}/own").body == OWN
        assert world.memory() < 512 * MIB and world.node.open_files() < 4 * KIB
