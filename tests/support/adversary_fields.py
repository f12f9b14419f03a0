"""Attacks by field names, by paths and by what a copy reads."""
import base64
import hashlib

import sigv4
from adversary import BAD, DENIED, REFUSED, Attack
from aws_chunked import presign_v2

BODY = b"by an attacker"
ALL_USERS = 'uri="http://acs.amazonaws.com/groups/global/AllUsers"'
MD5 = base64.b64encode(hashlib.md5(BODY).digest()).decode()

# Names that a CGI-style server takes for others, sent unsigned beside a signed PUT.
FOLDED = [
    ("x_amz_copy_source", "/{secret}/k"), ("X_Amz_Copy_Source", "/{secret}/k"),
    ("x-amz_copy-source", "/{secret}/k"), ("x-amz-copy_source", "/{secret}/k"),
    ("x.amz.copy.source", "/{secret}/k"), ("x!amz!copy!source", "/{secret}/k"),
    ("x~amz-copy-source", "/{secret}/k"), ("x_amz_copy_source_range", "bytes=0-9"),
    ("x_amz_acl", "public-read"), ("x-amz_acl", "public-read"), ("x.amz.acl", "public-read"),
    ("X_AMZ_ACL", "public-read"), ("x_amz_grant_full_control", ALL_USERS),
    ("x_amz_tagging", "a=b"), ("x_amz_storage_class", "REDUCED_REDUNDANCY"),
    ("x_amz_website_redirect_location", "/elsewhere"), ("x_amz_meta_a", "b"),
    ("x-amz-meta_a", "b"), ("x_amz-meta-a", "b"), ("x_amz_object_lock_mode", "GOVERNANCE"),
    ("x_amz_server_side_encryption", "AES256"), ("x_amz_security_token", "token"),
    ("x_amz_date", "20200101T000000Z"), ("x_amz_content_sha256", "UNSIGNED-PAYLOAD"),
    ("x_amz_decoded_content_length", "1"), ("x_amz_metadata_directive", "REPLACE"),
    ("content_type", "text/html"), ("Content.Type", "text/html"), ("content_length", "0"),
    ("content_md5", MD5), ("content_encoding", "gzip"), ("content_disposition", "inline"),
    ("if_match", '"x"'), ("if_none_match", "*"), ("if_unmodified_since", "never"),
    ("transfer_encoding", "chunked"), ("x_auth_token", "AUTH_rgwtk00"),
    ("x_forwarded_for", "203.0.113.7"), ("x_forwarded_proto", "https"),
    ("x_goog_acl", "public-read"), ("x_rgw_quota", "0"), ("rgwx_uid", "alice"),
    ("x_minio_source_mtime", "2020-01-01T00:00:00Z"), ("x_object_manifest", "{secret}/k"),
    ("x_container_read", ".r:*"), ("x_account_meta_temp_url_key", "k"),
    ("x_storage_user", "alice:swift"),
]


def filled(world, text):
    return text.format(secret=world.secret, mine=world.mine)


def beside_signed_put(name, value):
    def run(world):
        return world.signed("PUT", f"/{world.mine}/c", add=[(name, filled(world, value))],
                            body=b"" if "copy" in name else BODY)
    return run


def signed_odd_name(name, value):
    """The attacker's own signature covers the odd name: it is none the better for that."""
    def run(world):
        return world.signed("PUT", f"/{world.mine}/c", headers=[(name, filled(world, value))])
    return run


def beside_presigned_put(name, value):
    def run(world):
        return world.presigned("PUT", f"/{world.secret}/new", body=BODY,
                               headers=[(name, filled(world, value))])
    return run


def beside_presigned_v2_put(name, value):
    def run(world):
        target = presign_v2(world.owner, "PUT", f"/{world.secret}/new")
        return world.send("PUT", target, [*world.host, (name, filled(world, value))], BODY)
    return run


def beside_anonymous_get(name, value):
    def run(world):
        return world.send("GET", f"/{world.secret}/k", [*world.host, (name, value)])
    return run


def folded():
    yield from (Attack(f"folded {name}", beside_signed_put(name, value), BAD)
                for name, value in FOLDED)
    for name in ("x_amz_copy_source", "x_amz_acl", "x.amz.acl", "content_type"):
        value = dict(FOLDED).get(name)
        yield Attack(f"signed odd name {name}", signed_odd_name(name, value), BAD)
    for name in ("x_amz_acl", "x_amz_copy_source", "x-amz-meta_a", "x_amz_tagging", "content_type"):
        value = dict(FOLDED)[name]
        yield Attack(f"presigned PUT and {name}", beside_presigned_put(name, value), BAD)
        yield Attack(f"V2 PUT and {name}", beside_presigned_v2_put(name, value), BAD)
    for name, value in (("x_amz_security_token", "t"), ("x_auth_token", "AUTH_rgwtk00")):
        yield Attack(f"anonymous and {name}", beside_anonymous_get(name, value), BAD)
    for first, second in (("x-amz-meta-a_b", "x-amz-meta-a-b"),
                          ("x-amz-meta-a-b", "X-Amz-Meta-A_B"),
                          ("x-amz-meta-a_b", "x-amz-meta-a.b")):
        yield Attack(f"collision of {first} and {second}", collision(first, second), BAD)


def collision(first, second):
    def run(world):
        return world.signed("PUT", f"/{world.mine}/c", body=BODY,
                            headers=[(first, "one"), (second, "two")])
    return run


# --- heads that parsers read differently --------------------------------------------------------

# Lines put raw before the empty one of a signed PUT.
LINES = {
    "a blank before the colon": "x-amz-copy-source : /{secret}/k",
    "a tab before the colon": "x-amz-copy-source\t: /{secret}/k",
    "a folded line": "x-one: a\r\n x-amz-copy-source: /{secret}/k",
    "a bare LF": "x-one: a\nx-amz-copy-source: /{secret}/k",
    "a bare CR": "x-one: a\rx-amz-copy-source: /{secret}/k",
    "a NUL in a value": "x-one: a\0x-amz-copy-source: /{secret}/k",
    "a NUL in a name": "x-amz-copy-source\0: /{secret}/k",
    "no name": ": /{secret}/k",
    "no colon": "x-amz-copy-source /{secret}/k",
    "a name in UTF-8": "x-amz-copy-source\u00e9: /{secret}/k",
    "a parenthesis in a name": "x-amz-copy-source(: /{secret}/k",
    "an unsigned copy source": "x-amz-copy-source: /{secret}/k",
    "an unsigned copy source in capitals": "X-AMZ-COPY-SOURCE: /{secret}/k",
    "an unsigned acl": "x-amz-acl: public-read",
    "Connection names Authorization": "Connection: authorization",
    "Connection names the date": "Connection: close, X-Amz-Date",
    "Connection names the date with underscores": "Connection: x_amz_date",
    "Host twice": "Host: elsewhere.test",
    "a second Content-Length": "Content-Length: 3",
    "both framings": "Transfer-Encoding: chunked",
    "an odd coding": "Transfer-Encoding: gzip, chunked",
}


def raw_line(line):
    def run(world):
        name, _, value = filled(world, line).partition(": ")
        return world.signed("PUT", f"/{world.mine}/c", body=b"",
                            add=[("Content-Length", "0"), (name, value)])
    return run


DOUBLED = [("Content-Type", "text/a", "text/b"), ("Content-MD5", MD5, "1B2M2Y8AsgTpgAmY7PhCfg=="),
           ("Date", "Thu, 01 Jan 2015 00:00:00 GMT", "Fri, 02 Jan 2015 00:00:00 GMT"),
           ("x-amz-security-token", "one", "two"), ("Expect", "100-continue", "100-continue"),
           ("x-amz-copy-source", "/{mine}/own", "/{secret}/k"),
           ("x-amz-copy-source", "/{secret}/k", "/{mine}/own")]
DOUBLED_AFTER = [("Authorization", "AWS4-HMAC-SHA256 Credential=AKX/x"),
                 ("x-amz-date", "20200101T000000Z"), ("x-amz-content-sha256", "UNSIGNED-PAYLOAD")]


def doubled(name, first, second):
    def run(world):
        fields = [(name, filled(world, first)), (name, filled(world, second))]
        return world.signed("PUT", f"/{world.mine}/c", headers=fields,
                            body=b"" if "copy" in name else BODY)
    return run


def heads():
    yield from (Attack(f"head: {name}", raw_line(line), REFUSED | {501})
                for name, line in LINES.items())
    for name, first, second in DOUBLED:
        yield Attack(f"twice {name}: {first[-6:]}", doubled(name, first, second))
    yield from (Attack(f"twice {name}", beside_signed_put(name, value))
                for name, value in DOUBLED_AFTER)


# --- what a copy reads, and paths ---------------------------------------------------------------

SOURCES = ["/{secret}/k", "{secret}/k", "%2F{secret}%2Fk", ":{secret}/k", "other:{secret}/k",
           "{mine}/../{secret}/k", "{mine}%2F..%2F{secret}%2Fk", "//{secret}/k",
           "/{mine}//../../{secret}/k", "{mine}\\..\\{secret}\\k", "{secret}%00/k", "./{secret}/k",
           "http://127.0.0.1/{secret}/k", "arn:aws:s3:::{secret}/k", "%2e%2e/{secret}/k"]


def copy_from(source):
    def run(world):
        return world.signed("PUT", f"/{world.mine}/c",
                            headers=[("x-amz-copy-source", filled(world, source))])
    return run


def copy_in_query(name):
    def run(world):
        source = [(name, f"/{world.secret}/k")]
        target = world.attacker.presigned("PUT", f"/{world.mine}/c", source)
        return world.send("PUT", target, world.host)
    return run


def part_copy(world):
    return world.signed("PUT", f"/{world.mine}/c", query=[("partNumber", "1"), ("uploadId", "u")],
                        headers=[("x-amz-copy-source", f"/{world.secret}/k")])


PATHS = ["/{secret}/k", "/{mine}/../{secret}/k", "/{mine}/%2e%2e/{secret}/k",
         "/{mine}%2F..%2F{secret}/k", "//{secret}/k", "/{secret}%2Fk", "/./{secret}/k",
         "/{mine}/..%2f..%2f{secret}%2fk", "/:{secret}/k", "/other:{secret}/k", "/{secret}%00/k",
         "/{mine}%00/../{secret}/k", "/{mine}/;/../../{secret}/k", "/%73{tail}/k",
         "http://127.0.0.1/{secret}/k", "/{mine}\\..\\{secret}\\k",
         "/minio/{secret}/k", "/minio/admin/v3/info", "/minio/v2/metrics/cluster",
         "/admin/user?uid=alice", "/admin/bucket?bucket={secret}", "/{secret}/k#/{mine}/own",
         "/", "/{secret}", "/{secret}?policy", "/{secret}/k?acl", "/{secret}?list-type=2"]


def at_path(method, path, host=None):
    """Signed as it stands, so that only what the path names is in question."""
    def run(world):
        raw = path.format(secret=world.secret, mine=world.mine, tail=world.secret[1:])
        plain, _, query = raw.partition("?")
        client = world.attacker
        pairs = [tuple((item + "=").split("=")[:2]) for item in query.split("&") if query]
        fields = client.signed(method, "/", pairs, [], b"", host=host)[1]
        signed = resigned(client, method, plain, pairs, fields)
        return world.send(method, raw, signed)
    return run


def resigned(client, method, raw_path, pairs, fields):
    """The same fields with the signature of another raw path."""
    kept = [field for field in fields if field[0].lower() not in (
        "authorization", "x-amz-date", "x-amz-content-sha256")]
    return sigv4.sign(method, raw_path, pairs, kept, client.key, client.region)


def places():
    yield from (Attack(f"copy from {source}", copy_from(source), REFUSED | {404})
                for source in SOURCES)
    for name in ("x-amz-copy-source", "X-Amz-Copy-Source", "x-Amz-copy-source"):
        yield Attack(f"copy by the query {name}", copy_in_query(name))
    yield Attack("copy of a part", part_copy, DENIED)
    yield from (Attack(f"GET {path}", at_path("GET", path), REFUSED | {404}) for path in PATHS)
    for method in ("PUT", "DELETE", "HEAD", "POST"):
        yield Attack(f"{method} of the secret", at_path(method, "/{secret}/k"), DENIED)
    yield Attack("a method that nobody knows", at_path("PROPFIND", "/{secret}/k"),
                 REFUSED | {405, 501})
    yield Attack("TRACE", at_path("TRACE", "/{secret}/k"), REFUSED | {405, 501})
    yield Attack("a method in lower case", at_path("get", "/{secret}/k"), REFUSED | {405, 501})
    yield Attack("Host names the other bucket", at_path("GET", "/k", host="{secret}.s3.test"),
                 REFUSED)


ATTACKS = [*folded(), *heads(), *places()]
