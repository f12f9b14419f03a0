"""Differential cases that change nothing. See differential.Case."""
import aws_chunked
from differential import Case

PAST, FUTURE = "Thu, 01 Jan 2015 00:00:00 GMT", "Fri, 01 Jan 2038 00:00:00 GMT"
SIZE = 300_007


def get(key="object", method="GET", query=(), unsigned=(), **fields):
    """A runner of one read; keyword a_b becomes the header a-b. ETAG and VERSION are filled in."""
    def run(world):
        def fill(value):
            if value == "ETAG":
                return world.read("object", "HEAD").header("etag")
            if value.startswith("VERSION"):
                return world.versions[int(value[7:])]
            return value
        headers = [(name.replace("_", "-"), fill(value)) for name, value in fields.items()]
        pairs = [(name, fill(value)) for name, value in query]
        return [world.read(key, method, query=pairs, headers=headers, unsigned=unsigned)]
    return run


def both(name, **options):
    """The same fields on GetObject and HeadObject."""
    return [Case(f"get_{name}", "GetObject", get(**options), warm=options.get("key", "object")),
            Case(f"head_{name}", "HeadObject", get(method="HEAD", **options),
                 warm=options.get("key", "object"))]


def raw(method, path, headers=()):
    return lambda world: [world.unsigned(method, path.format(b=world.bucket), headers)]


def presigned(method="GET", key="object", query=(), version=4, **options):
    def run(world):
        path = f"/{world.bucket}/{key}"
        if version == 2:
            target = aws_chunked.presign_v2(world.client, method, path, query, **options)
        else:
            target = world.client.presigned(method, path, query, **options)
        return [world.unsigned(method, target)]
    return run


RANGES = {"first_byte": "bytes=0-0", "middle": "bytes=1000-200000", "open": "bytes=299000-",
          "suffix": "bytes=-1000", "suffix_beyond": "bytes=-999999999",
          "last_byte": "bytes=300006-",
          "beyond": "bytes=300007-", "far_beyond": "bytes=999999999-", "end_beyond":
          "bytes=299999-999999999", "backwards": "bytes=5-2", "several": "bytes=0-1,5-6",
          "malformed": "bytes=a-b", "other_unit": "lines=1-2", "empty": "bytes=",
          "suffix_zero": "bytes=-0", "huge": "bytes=0-18446744073709551615"}

CONDITIONS = {
    "if_match": {"If_Match": "ETAG"}, "if_match_other": {"If_Match": '"other"'},
    "if_match_star": {"If_Match": "*"},
    "if_none_match": {"If_None_Match": "ETAG"}, "if_none_match_other": {"If_None_Match": '"other"'},
    "if_modified_since_past": {"If_Modified_Since": PAST},
    "if_modified_since_future": {"If_Modified_Since": FUTURE},
    "if_unmodified_since_past": {"If_Unmodified_Since": PAST},
    "if_unmodified_since_future": {"If_Unmodified_Since": FUTURE},
    "match_beats_unmodified": {"If_Match": "ETAG", "If_Unmodified_Since": PAST},
    "none_match_beats_modified": {"If_None_Match": '"other"', "If_Modified_Since": FUTURE},
    "match_and_none_match": {"If_Match": "ETAG", "If_None_Match": "ETAG"},
    "bad_date": {"If_Modified_Since": "yesterday"},
    "range_if_match": {"Range": "bytes=1-9", "If_Match": "ETAG"},
    "range_if_match_other": {"Range": "bytes=1-9", "If_Match": '"other"'},
    "range_if_none_match": {"Range": "bytes=1-9", "If_None_Match": "ETAG"},
    "if_range_etag": {"Range": "bytes=1-9", "If_Range": "ETAG"},
    "if_range_other": {"Range": "bytes=1-9", "If_Range": '"other"'},
    "if_range_date": {"Range": "bytes=1-9", "If_Range": FUTURE}}

OVERRIDES = [("response-content-type", "text/x"), ("response-cache-control", "no-store"),
             ("response-content-disposition", 'attachment; filename="a b"'),
             ("response-content-language", "de"), ("response-content-encoding", "x"),
             ("response-expires", FUTURE)]

KEYS = {"unicode": "ключ-日本語-é", "space": "a b  c", "plus": "a+b", "percent": "100%",
        "encoded_slash": "a%2Fb", "double_slash": "a//b", "dots": "a/./b/../c", "trailing": "dir/",
        "sub_resource": "a?acl", "query": "x&y=z", "hash": "a#b", "quotes": "a'b\"c<d>",
        "tilde": "~a-b_c.d!*()", "long": "k" * 1024, "backslash": "a\\b|c",
        "equals": "a=b,c;d:e@f$"}

SUB_RESOURCES = ["acl", "tagging", "attributes", "torrent", "retention", "legal-hold"]
BUCKET_RESOURCES = ["acl", "location", "versioning", "policy", "cors", "lifecycle", "tagging",
                    "website", "object-lock", "encryption", "policyStatus", "notification",
                    "logging", "requestPayment", "replication", "publicAccessBlock", "uploads"]


def list_case(name, operation, *query):
    return Case(f"list_{name}", operation, lambda world: [
        world.client.get(f"/{world.bucket}", query=list(query))])


def _cases():
    yield from both("plain")
    yield from both("small", key="small")
    yield from both("empty", key="empty")
    yield from both("gzip", key="gzip")
    yield from both("metadata", key="metadata")
    yield from both("checksummed", key="checksummed", x_amz_checksum_mode="ENABLED")
    yield from both("checksummed_range", key="checksummed", x_amz_checksum_mode="ENABLED",
                    Range="bytes=0-9")
    yield from both("checksummed_unasked", key="checksummed")
    yield from both("missing", key="none")
    yield from both("requester_pays", x_amz_request_payer="requester")
    yield from both("accept_encoding", Accept_Encoding="gzip, br")
    yield from both("directory_marker", key="keys/dir/")
    yield from both("origin_field", Origin="http://example.test")
    for name, value in RANGES.items():
        yield from both(f"range_{name}", Range=value)
    for name, value in CONDITIONS.items():
        yield from both(name, **value)
    yield from both("range_of_empty", key="empty", Range="bytes=0-0")
    yield from both("suffix_of_empty", key="empty", Range="bytes=-5")
    yield from both("part_1", key="parts", query=[("partNumber", "1")])
    yield from both("part_last", key="parts", query=[("partNumber", "2")])
    yield from both("part_beyond", key="parts", query=[("partNumber", "9")])
    yield from both("part_zero", key="parts", query=[("partNumber", "0")])
    yield from both("part_of_single", query=[("partNumber", "1")])
    yield from both("part_and_range", key="parts", query=[("partNumber", "1")], Range="bytes=0-9")
    yield from both("multipart_whole", key="parts")
    for name, value in OVERRIDES:
        yield from both(name.replace("-", "_"), query=[(name, value)])
    yield Case("get_all_overrides", "GetObject", get(query=OVERRIDES))
    for name, version in [("current", "VERSION3"), ("old", "VERSION0"), ("marker", "VERSION2"),
                          ("null", "null"), ("bad", "nonsense")]:
        yield from both(f"version_{name}", key="versioned", query=[("versionId", version)])
    yield from both("deleted", key="deleted")
    for name, key in KEYS.items():
        yield from both(f"key_{name}", key=f"keys/{key}" if name != "long" else key)
    yield Case("get_key_too_long", "GetObject", get(key="k" * 1025))
    for name in SUB_RESOURCES:
        yield Case(f"get_object_{name}", f"GetObject?{name}", get(query=[(name, "")]))
    for name in BUCKET_RESOURCES:
        yield Case(f"get_bucket_{name}", f"GetBucket?{name}", lambda world, name=name: [
            world.client.get(f"/{world.bucket}", query=[(name, "")])])
    yield Case("head_bucket", "HeadBucket", lambda w: [w.client.head(f"/{w.bucket}")])
    yield Case("head_bucket_missing", "HeadBucket", lambda w: [w.client.head("/no-such-bucket-x")])
    yield Case("get_bucket_missing", "GetObject", lambda w: [
        w.client.get("/no-such-bucket-x/key"), w.client.get("/no-such-bucket-x")])
    yield Case("list_buckets", "ListBuckets", lambda w: [w.client.get("/")])
    yield list_case("v1", "ListObjects")
    yield list_case("v2", "ListObjectsV2", ("list-type", "2"))
    yield list_case("v2_prefix", "ListObjectsV2", ("list-type", "2"), ("prefix", "keys/"))
    yield list_case("v2_delimiter", "ListObjectsV2", ("list-type", "2"), ("delimiter", "/"))
    yield list_case("v2_page", "ListObjectsV2", ("list-type", "2"), ("max-keys", "3"))
    yield list_case("v2_after", "ListObjectsV2", ("list-type", "2"), ("start-after", "keys/a b"))
    yield list_case("v2_encoded", "ListObjectsV2", ("list-type", "2"), ("encoding-type", "url"))
    yield list_case("v2_owner", "ListObjectsV2", ("list-type", "2"), ("fetch-owner", "true"))
    yield list_case("v1_marker", "ListObjects", ("marker", "keys/a+b"), ("max-keys", "2"))
    yield list_case("bad_max_keys", "ListObjectsV2", ("list-type", "2"), ("max-keys", "x"))
    yield list_case("versions", "ListObjectVersions", ("versions", ""), ("prefix", "versioned"))
    yield list_case("uploads", "ListMultipartUploads", ("uploads", ""))
    yield Case("list_parts_missing", "ListParts", get(query=[("uploadId", "none")]))
    yield from _auth_cases()


def _auth_cases():
    def as_other(key, **options):
        def run(world):
            keep, world.client.key = world.client.key, key(world.client.key)
            try:
                return [world.read("object", **options)]
            finally:
                world.client.key = keep
        return run
    yield Case("unknown_key", "GetObject", as_other(lambda _: ("NOBODY", "x" * 20, None)),
               ours=True)
    yield Case("wrong_secret", "GetObject", as_other(lambda k: (k[0], "wrong", None)), ours=True)
    yield Case("stranger", "GetObject", lambda w: [w.stranger.get(f"/{w.bucket}/object"),
                                                   w.stranger.head(f"/{w.bucket}/object")])
    yield Case("stranger_range", "GetObject", lambda w: [
        w.stranger.get(f"/{w.bucket}/object", headers=[("Range", "bytes=0-9")])])
    yield Case("anonymous_private", "GetObject", raw("GET", "/{b}/object"), ours=True)
    yield Case("anonymous_head", "HeadObject", raw("HEAD", "/{b}/object"))
    yield Case("anonymous_public", "GetObject", raw("GET", "/{b}-public/object"))
    yield Case("anonymous_public_range", "GetObject",
               raw("GET", "/{b}-public/object", [("Range", "bytes=5-99")]))
    yield Case("anonymous_public_missing", "GetObject", raw("GET", "/{b}-public/none"))
    yield Case("preflight", "CORS", raw("OPTIONS", "/{b}/object", [
        ("Origin", "http://example.test"), ("Access-Control-Request-Method", "GET")]))
    yield Case("preflight_refused", "CORS", raw("OPTIONS", "/{b}/object", [
        ("Origin", "http://other.test"), ("Access-Control-Request-Method", "DELETE")]))
    for version in (2, 4):
        yield Case(f"presigned_v{version}_get", "GetObject", presigned(version=version))
        yield Case(f"presigned_v{version}_head", "HeadObject",
                   presigned("HEAD", version=version))
        yield Case(f"presigned_v{version}_expired", "GetObject",
                   presigned(version=version, expires=-10 if version == 2 else 0), ours=True,
                   codes=("AuthorizationQueryParametersError",))
        yield Case(f"presigned_v{version}_override", "GetObject",
                   presigned(version=version, query=[("response-content-type", "text/x")]))
        yield Case(f"presigned_v{version}_missing", "GetObject",
                   presigned(key="none", version=version))
        yield Case(f"presigned_v{version}_odd_key", "GetObject",
                   presigned(key="keys/a b  c", version=version))


CASES = list(_cases())
