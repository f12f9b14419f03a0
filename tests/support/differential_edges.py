"""Differential cases of the corners: all preconditions together, who asks and how, odd addresses,
other checksums, configuration of buckets, bodies that are not what they are said to be."""
import base64
import datetime
import itertools
import re

import aws_chunked
import sigv4
from differential import Case
from differential_reads import FUTURE, PAST, get
from differential_writes import BODY, PART, finish, upload_id

CASES = []
# Reflected polynomials; checksums are kept as big-endian numbers in base64.
POLYNOMIALS = {"crc32c": (32, 0x82F63B78), "crc64nvme": (64, 0x9A6C9329AC4BC9B5)}


def crc(name, data):
    width, polynomial = POLYNOMIALS[name]
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (polynomial if value & 1 else 0)
        table.append(value)
    rest = ones = (1 << width) - 1
    for byte in data:
        rest = rest >> 8 ^ table[(rest ^ byte) & 255]
    return base64.b64encode((rest ^ ones).to_bytes(width // 8, "big")).decode()


def read(name, operation, run, **options):
    CASES.append(Case(name, operation, run, **options))


def write(name, operation, **options):
    """Decorates a runner that changes things."""
    def add(run):
        CASES.append(Case(name, operation, run, writes=True, warm=None, **options))
        return run
    return add


# --- preconditions: each of the four absent, held and not, on GET, GET of a range, HEAD -----------

def preconditions(method, match, unmodified, span=()):
    """All nine of If-None-Match and If-Modified-Since beside two that are given."""
    def run(world):
        tag = world.read("object", "HEAD").header("etag")
        replies = []
        for none, modified in itertools.product((None, '"other"', tag), (None, PAST, FUTURE)):
            fields = [("If-Match", {"held": tag, "not": '"other"'}.get(match)),
                      ("If-Unmodified-Since", {"held": FUTURE, "not": PAST}.get(unmodified)),
                      ("If-None-Match", none), ("If-Modified-Since", modified)]
            headers = [*span, *(field for field in fields if field[1])]
            replies.append(world.read("object", method, headers=headers))
        return replies
    return run


for m, u in itertools.product(("absent", "held", "not"), repeat=2):
    suffix = f"match_{m}_unmodified_{u}"
    read(f"preconditions_get_{suffix}", "GetObject", preconditions("GET", m, u))
    read(f"preconditions_range_{suffix}", "GetObject",
         preconditions("GET", m, u, [("Range", "bytes=7-99999")]))
    read(f"preconditions_head_{suffix}", "HeadObject", preconditions("HEAD", m, u))


# --- who asks, and how --------------------------------------------------------------------------

def now(**delta):
    return datetime.datetime.now(datetime.UTC) + datetime.timedelta(**delta)


def signed_read(**options):
    return lambda w: [w.client.get(f"/{w.bucket}/object", **options)]


def presigned_read(method="GET", sent=(), signed=(), **options):
    """`signed`: headers beside Host that the URL signs; `sent`: those that go along."""
    def run(w):
        path = f"/{w.bucket}/object"
        fields = [("Host", w.client.host), *signed]
        moment = options.get("now")
        pairs = sigv4.presign(method, path, [], fields, w.client.key,
                              **options | ({"now": moment()} if moment else {}))
        return [w.unsigned(method, w.client.target(path, pairs), sent)]
    return run


def with_authorization(change):
    def run(w):
        target, fields = w.client.signed("GET", f"/{w.bucket}/object")
        changed = [(n, change(v) if n == "Authorization" else v) for n, v in fields]
        return [w.client.send("GET", target, changed)]
    return run


SPAN = ("Range", "bytes=10-19")
read("date_too_old", "GetObject",
     lambda w: signed_read(now=now(minutes=-20))(w), ours=True)
read("date_too_new", "GetObject", lambda w: signed_read(now=now(minutes=20))(w), ours=True)
read("date_nearly_too_old", "GetObject", lambda w: signed_read(now=now(minutes=-14))(w))
read("unsigned_payload_read", "GetObject", signed_read(payload_hash="UNSIGNED-PAYLOAD"))
read("presigned_v4_gone", "GetObject",
     presigned_read(now=lambda: now(hours=-1), expires=60), ours=True)
read("presigned_v4_too_long", "GetObject", presigned_read(expires=604801), ours=True,
     codes=("AuthorizationQueryParametersError",))
read("presigned_v4_week", "GetObject", presigned_read(expires=604800))
read("presigned_v4_range_unsigned", "GetObject", presigned_read(sent=[SPAN]))
read("presigned_v4_range_signed", "GetObject", presigned_read(sent=[SPAN], signed=[SPAN]))
read("presigned_v4_header_missing", "GetObject", presigned_read(signed=[SPAN]), ours=True,
     codes=("SignatureDoesNotMatch",))
read("presigned_v4_other_method", "GetObject",
     lambda w: [w.unsigned("GET", w.client.presigned("PUT", f"/{w.bucket}/object"))], ours=True)
read("presigned_v4_conditional", "GetObject", presigned_read(sent=[("If-Modified-Since", FUTURE)]))
read("authorization_nonsense", "GetObject", with_authorization(lambda _: "nonsense"), ours=True,
     codes=("InvalidArgument",))
read("authorization_cut", "GetObject",
     with_authorization(lambda v: v.partition(", Signature")[0]), ours=True,
     codes=("AuthorizationHeaderMalformed",))
read("authorization_basic", "GetObject", with_authorization(lambda _: "Basic YTpi"), ours=True,
     codes=("InvalidArgument",))
read("authorization_no_scope", "GetObject",
     with_authorization(lambda v: re.sub("Credential=([^/]*)/[^,]*", r"Credential=\1", v)),
     ours=True, codes=("AuthorizationHeaderMalformed",))
read("signature_flipped", "GetObject", with_authorization(
    lambda v: v[:-1] + ("0" if v[-1] != "0" else "1")), ours=True)
read("expected_owner_wrong", "GetObject", get(x_amz_expected_bucket_owner="111122223333"))
read("expected_owner_wrong_head", "HeadObject",
     get(method="HEAD", x_amz_expected_bucket_owner="111122223333"))
read("stranger_lists", "ListObjectsV2", lambda w: [w.stranger.get(f"/{w.bucket}")])
read("stranger_missing", "GetObject", lambda w: [w.stranger.get(f"/{w.bucket}/none"),
                                                 w.stranger.head(f"/{w.bucket}/none")])
read("stranger_writes", "PutObject", lambda w: [
    w.stranger.put(f"/{w.bucket}/object?", b""), w.stranger.delete(f"/{w.bucket}/none?")],
     origins=("rgw",))


# --- methods and addresses ----------------------------------------------------------------------

for method, path in (("PATCH", "/{b}/object"), ("POST", "/{b}/object"), ("POST", "/"),
                     ("DELETE", "/"), ("PUT", "/"), ("PROPFIND", "/{b}"), ("PATCH", "/{b}")):
    name = path.replace("/{b}/object", "object").replace("/{b}", "bucket").replace("/", "service")
    read(f"method_{method.lower()}_{name}", "MethodNotAllowed",
         lambda w, m=method, p=path: [w.client.request(m, p.format(b=w.bucket))])


# Of these the node says itself that they are none, where the origins do not agree on what they are.
REFUSED = {name: ("InvalidBucketName",) for name in (
    "lower_hex_slash", "two_slashes_first", "bad_bucket", "slash_bucket_of_dots")}
REFUSED |= {name: ("InvalidURI",) for name in ("bad_escape", "cut_escape")}
REFUSED["not_utf8"] = ("SignatureDoesNotMatch",)
REFUSED["two_versions"] = ("InvalidArgument",)


def raw_target(target):
    """A target that is not spelt as the signature has it."""
    def run(w):
        spelt = target.format(b=w.bucket)
        _, fields = w.client.signed("GET", sigv4.urllib.parse.unquote(spelt.partition("?")[0]),
                                    sigv4.parse_query(spelt.partition("?")[2]))
        return [w.client.send("GET", spelt, fields)]
    return run


for name, target in {
        "lower_hex": "/{b}/keys/a%20b%20%20c", "over_encoded": "/{b}/%6fbject",
        "bare_plus": "/{b}/keys/a+b", "encoded_slash_bare": "/{b}/keys%2Fa%252Fb",
        "lower_hex_slash": "/{b}%2fobject", "empty_query": "/{b}/object?",
        "unknown_query": "/{b}/object?nonsense=1",
        "x_id": "/{b}/object?x-id=GetObject", "trailing_slash_bucket": "/{b}/",
        "two_slashes_first": "//{b}/object", "leading_slash_key": "/{b}//object",
        "dot_segments": "/{b}/./object", "up_segments": "/{b}/keys/../object",
        "up_and_away": "/{b}/../../object", "bad_escape": "/{b}/%zz", "cut_escape": "/{b}/a%2",
        "nul": "/{b}/a%00b", "control": "/{b}/a%01b", "not_utf8": "/{b}/a%ff%feb",
        "bad_bucket": "/Not_A-Bucket!/key", "short_bucket": "/x/key",
        "slash_bucket_of_dots": "/../key", "two_versions": "/{b}/object?versionId=a&versionId=b",
        "empty_version": "/{b}/versioned?versionId=", "part_no_number": "/{b}/parts?partNumber=x",
        "part_and_version": "/{b}/parts?partNumber=1&versionId=null",
        "part_huge": "/{b}/parts?partNumber=99999999999",
        "override_and_version": "/{b}/object?versionId=null&response-content-type=a/b"}.items():
    read(f"target_{name}", "GetObject", raw_target(target), codes=REFUSED.get(name, ()))


# --- reads of what is rarely there ----------------------------------------------------------------

for name in ("crc32", "crc32c", "sha1", "crc64nvme"):
    for method in ("GET", "HEAD"):
        read(f"{method.lower()}_checksum_{name}", f"{method.title()}Object",
             get(f"checksum-{name}", method, x_amz_checksum_mode="ENABLED"),
             warm=f"checksum-{name}")
    read(f"range_checksum_{name}", "GetObject",
         get(f"checksum-{name}", x_amz_checksum_mode="ENABLED", Range="bytes=0-99"),
         warm=f"checksum-{name}")
for name in ("redirect", "expires", "rfc2047", "long_metadata", "tagged"):
    read(f"get_{name}", "GetObject", get(f"odd-{name}"), warm=f"odd-{name}")
    read(f"head_{name}", "HeadObject", get(f"odd-{name}", "HEAD"), warm=f"odd-{name}")
read("attributes_asked", "GetObjectAttributes",
     get("parts", query=[("attributes", "")],
         x_amz_object_attributes="ETag,Checksum,ObjectParts,StorageClass,ObjectSize"))
read("listed_by_pages", "ListObjectsV2", lambda w: _pages(w))
for name, query in {
        "v2_prefix_delimiter": [("list-type", "2"), ("prefix", "keys/"), ("delimiter", "/")],
        "v2_odd_delimiter": [("list-type", "2"), ("delimiter", "a b")],
        "v2_none": [("list-type", "2"), ("max-keys", "0")],
        "v2_negative": [("list-type", "2"), ("max-keys", "-1")],
        "v2_bad_token": [("list-type", "2"), ("continuation-token", "nonsense")],
        "v2_bad_encoding": [("list-type", "2"), ("encoding-type", "nonsense")],
        "v3": [("list-type", "3")], "v1_encoded": [("encoding-type", "url"), ("prefix", "keys/")],
        "versions_page": [("versions", ""), ("max-keys", "2")],
        "uploads_prefix": [("uploads", ""), ("prefix", "x"), ("delimiter", "/")]}.items():
    read(f"listed_{name}", "ListObjects", lambda w, q=query: [
        w.client.get(f"/{w.bucket}", query=q)])
for name, origin in (("here", "http://example.test"), ("elsewhere", "http://other.test")):
    read(f"cors_{name}", "CORS", get(Origin=origin))
    read(f"cors_{name}_range", "CORS", get(Origin=origin, Range="bytes=0-9"))
    read(f"cors_{name}_head", "CORS", get(method="HEAD", Origin=origin))
    read(f"cors_{name}_error", "CORS", get("none", Origin=origin))
read("preflight_nothing", "CORS",
     lambda w: [w.unsigned("OPTIONS", f"/{w.bucket}/object")])
read("preflight_headers", "CORS", lambda w: [w.unsigned("OPTIONS", f"/{w.bucket}/object", [
    ("Origin", "http://example.test"), ("Access-Control-Request-Method", "GET"),
    ("Access-Control-Request-Headers", "x-amz-date, range")])])


def _pages(world):
    replies, query = [], [("list-type", "2"), ("max-keys", "5")]
    while not replies or replies[-1].xml("NextContinuationToken"):
        replies.append(world.client.get(f"/{world.bucket}", query=query))
        query = [*query[:2], ("continuation-token", replies[-1].xml("NextContinuationToken"))]
    return replies


# --- writes -------------------------------------------------------------------------------------

DOCUMENTS = {
    "cors": b"<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET"
            b"</AllowedMethod></CORSRule></CORSConfiguration>",
    "lifecycle": b"<LifecycleConfiguration><Rule><ID>a</ID><Filter><Prefix>x/</Prefix></Filter>"
                 b"<Status>Enabled</Status><Expiration><Days>9</Days></Expiration></Rule>"
                 b"</LifecycleConfiguration>",
    "versioning": b"<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>",
    "tagging": b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>",
    "acl": b"<AccessControlPolicy/>", "policy": b"{}", "encryption": b"<x/>", "website": b"<x/>",
    "object-lock": b"<x/>", "requestPayment": b"<x/>", "publicAccessBlock": b"<x/>"}


def configured(name, document):
    def run(w):
        asked = {"query": [(name, "")]}
        md5 = [("Content-MD5", aws_chunked.md5(document))]
        replies = [w.write("", "PUT", document, headers=md5, **asked), w.write("", "GET", **asked),
                   w.write("", "PUT", b"no xml", headers=[("Content-MD5", aws_chunked.md5(
                       b"no xml"))], **asked)]
        return replies if name == "versioning" else [*replies, w.write("", "DELETE", **asked),
                                                     w.write("", "GET", **asked)]
    return run


for name, document in DOCUMENTS.items():
    write(f"bucket_{name}", f"PutBucket?{name}")(configured(name, document))


@write("acl", "PutObjectAcl")
def _(w):
    asked = {"query": [("acl", "")]}
    return [w.write("acl", body=b"x"), w.write("acl", headers=[("x-amz-acl", "private")], **asked),
            w.write("acl", "GET", **asked), w.write("acl", body=b"no xml", **asked),
            w.write("none", headers=[("x-amz-acl", "private")], **asked)]


@write("bucket_names", "CreateBucket", codes=("InvalidBucketName",))
def _(w):
    return [w.client.put(f"/{name}", b"") for name in ("x", "Not_A_Good-Name!", "192.168.5.4",
                                                       "a..b", "-a-b", "k" * 64)]


# The older gateway does not look at these headers, and MinIO has a code of its own.
@write("put_checksums_wrong", "PutObject", ours=True, codes=("BadDigest", "InvalidRequest"))
def _(w):
    return [w.write("sums", body=BODY, headers=[(f"x-amz-checksum-{name}", value)])
            for name, value in (("crc32", aws_chunked.crc32(b"x")), ("crc32", "nonsense"),
                                ("sha256", aws_chunked.sha256(b"x")),
                                ("crc32c", crc("crc32c", b"x")),
                                ("crc64nvme", crc("crc64nvme", b"x")))]


@write("put_refused", "PutObject")
def _(w):
    client = w.client
    return [client.put("/no-such-bucket-x/key", BODY), client.put(f"/{w.bucket}-public/", b""),
            w.write("c", body=b"1", headers=[("If-Match", "*")]),
            w.write("c", body=b"1", headers=[("If-None-Match", '"other"')]),
            w.write("c", body=b"1", query=[("partNumber", "1"), ("uploadId", "none")]),
            w.write("c", "POST", finish((1, '"a"')), query=[("uploadId", "none")]),
            w.write("c", "DELETE", query=[("uploadId", "none")]),
            w.write("c", body=b"1", headers=[("x-amz-meta-" + "k" * 30, "v" * 3000)]),
            w.write("c", body=b"1", headers=[("x-amz-object-lock-mode", "NONSENSE")]),
            w.write("c", body=b"1", headers=[("x-amz-tagging", "a=b&a=c")])]


@write("delete_objects_refused", "DeleteObjects")
def _(w):
    def post(body):
        return w.write("", "POST", body, query=[("delete", "")],
                       headers=[("Content-MD5", aws_chunked.md5(body))])
    keys = b"".join(b"<Object><Key>k%d</Key></Object>" % n for n in range(1001))
    return [post(b"<Delete>" + keys + b"</Delete>"), post(b"<Delete></Delete>"), post(b""),
            post(b"<Delete><Object><Key>a</Key><VersionId>none</VersionId></Object></Delete>"),
            w.write("", "POST", b"<Delete/>", query=[("delete", "")],
                    headers=[("Content-MD5", aws_chunked.md5(b"other"))])][:4]


@write("upload_part_copy_refused", "UploadPartCopy")
def _(w):
    w.write("source", body=PART)
    upload = [("uploadId", upload_id(w.write("target", "POST", query=[("uploads", "")])))]
    replies = []
    for source, span in (("none", None), ("source", "bytes=0-99999999"), ("source", "nonsense"),
                         ("source", "bytes=5-2")):
        headers = [("x-amz-copy-source", f"/{w.scratch}/{source}")]
        headers += [("x-amz-copy-source-range", span)] if span else []
        replies.append(w.write("target", headers=headers, query=[("partNumber", "1"), *upload]))
    return [*replies, w.write("target", "DELETE", query=upload)]


def chunks(name, mode, **options):
    trailer = options.pop("trailer", None)
    damage = options.pop("damage", None)

    def run(w):
        path = f"/{w.scratch}/{name}"
        return [aws_chunked.put(w.client, path, BODY, mode, trailer=trailer, damage=damage,
                                length=options.get("length")), w.client.get(path)]
    write(name, "PutObject", ours=True, origins=options.get("origins", ("rgw", "minio")),
          codes=("IncompleteBody", "BadDigest", "MalformedTrailerError"))(run)


CRC32 = "x-amz-checksum-crc32"
chunks("chunks_length_small", aws_chunked.SIGNED, length=len(BODY) - 1)
chunks("chunks_length_large", aws_chunked.SIGNED, length=len(BODY) + 1)
# MinIO says 400 or 500 to the same bytes, as it happens to have read them.
chunks("chunks_cut", aws_chunked.SIGNED, origins=("rgw",), damage=lambda data: data[:70_000])
chunks("chunks_no_encoding", aws_chunked.SIGNED, damage=lambda _: BODY)
chunks("chunks_size_nonsense", aws_chunked.SIGNED, damage=lambda data: b"zz" + data[2:])
chunks("trailer_wrong", aws_chunked.UNSIGNED_TRAILER, trailer=(CRC32, aws_chunked.crc32(b"x")),
       origins=("minio",))
chunks("trailer_signed_wrong", aws_chunked.SIGNED_TRAILER,
       trailer=(CRC32, aws_chunked.crc32(b"x")), origins=("minio",))
chunks("trailer_other_name", aws_chunked.UNSIGNED_TRAILER,
       trailer=(CRC32, aws_chunked.crc32(BODY)), origins=("minio",),
       damage=lambda data: data.replace(b"checksum-crc32:", b"checksum-sha1:"))
for name in POLYNOMIALS:
    chunks(f"trailer_{name}", aws_chunked.UNSIGNED_TRAILER, origins=("minio",),
           trailer=(f"x-amz-checksum-{name}", crc(name, BODY)))


def form(name, key="form", ours=True, codes=(), change=lambda body: body, **options):
    def run(w):
        headers, body = aws_chunked.post_form(w.client, w.scratch, key, BODY, **options)
        return [w.client.send("POST", f"/{w.scratch}", headers, change(body)),
                w.client.get(f"/{w.scratch}/{key}")]
    write(name, "PostObject", ours=ours, codes=codes)(run)


form("form_other_field", change=lambda b: b.replace(b'name="key"\r\n\r\nform',
                                                    b'name="key"\r\n\r\nother'))
form("form_no_file", change=lambda b: b.replace(b'name="file"', b'name="elif"'),
     codes=("MalformedPOSTRequest",))
form("form_cut", change=lambda b: b[:-60])
form("form_odd_key", key="ü b+c", ours=False)
form("form_too_small", conditions=[["content-length-range", 1 << 20, 1 << 30]])
