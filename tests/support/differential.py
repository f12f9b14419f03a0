"""The same requests direct and through a node: where cases run, cases, and what may differ."""
import dataclasses
import re

# Belong to one connection, one moment or one request. MinIO counts its answers.
OWN_HEADERS = {"date", "connection", "keep-alive", "x-forebay-cache", "x-forebay-prestage",
               "x-amz-request-id", "x-amz-id-2", "x-ratelimit-remaining", "transfer-encoding"}
# Belong to one request; and what two writes, or two refusals of a signature, have each its own of.
OWN_XML = re.compile(rb"<(RequestId|HostId|RequestTime|ServerTime|StringToSign|SignatureProvided|"
                     rb"CanonicalRequest|StringToSignBytes|CanonicalRequestBytes|X-Amz-Date|"
                     rb"Expires|NextContinuationToken|ContinuationToken)>[^<]*</\1>")
OWN_JSON = re.compile(rb'"(RequestId)":"[^"]*"')
OWN_XML_OF_WRITES = re.compile(
    rb"<(RequestId|HostId|UploadId|LastModified|Initiated|CreationDate|ID|NextContinuationToken|"
    rb"ContinuationToken|VersionId|ServerTime|NextVersionIdMarker|X-Amz-Date|Expires|StringToSign|"
    rb"SignatureProvided|CanonicalRequest|StringToSignBytes|CanonicalRequestBytes|RequestTime|"
    rb"Resource)>[^<]*</\1>")
# The names of buckets differ in length, so that the lengths of what names them do.
OWN_HEADERS_OF_WRITES = {"last-modified", "x-amz-version-id", "content-length"}
SCRATCH = re.compile(rb"scratch-[0-9a-f]+")
# What RFC 9110 section 15.4.5 lets a 304 repeat; the gateways leave out one or another.
REPEATED_BY_304 = {"etag", "last-modified", "cache-control", "expires", "x-amz-version-id",
                   "content-type", "accept-ranges", "vary", "content-security-policy",
                   "strict-transport-security", "x-content-type-options", "x-xss-protection"}


@dataclasses.dataclass
class World:
    """Where a case runs: a way to an origin, and the buckets there."""
    client: object  # s3_client.S3Client of a user who owns everything here
    stranger: object  # of one who may read nothing of it, or everything, as the origin has it
    bucket: str  # objects to read; never changed
    scratch: str  # for writes; each way has its own
    versions: list  # of the key "versioned", oldest first; the third is a delete marker
    direct: bool

    def read(self, key, method="GET", **options):
        return self.client.request(method, f"/{self.bucket}/{key}", **options)

    def write(self, key="", method="PUT", body=b"", **options):
        path = f"/{self.scratch}/{key}" if key else f"/{self.scratch}"
        return self.client.request(method, path, body=body, **options)

    def unsigned(self, method, path, headers=(), body=b""):
        return self.client.send(method, path, [("Host", self.client.host), *headers], body)


@dataclasses.dataclass(frozen=True)
class Case:
    """`run(world)` sends requests and returns their replies."""
    name: str
    operation: str
    run: object
    writes: bool = False
    warm: str | None = "object"  # the key to have in the cache for the second look
    origins: tuple = ("rgw", "minio")
    modes: tuple = ("verify", "passthrough")
    ours: bool = False  # a node that verifies refuses by itself: only status and code must agree
    codes: tuple = ()  # refusals that the node may give by itself instead, in either mode


def headers_of(reply, world, case):
    """Every header that is not its own, without the names that each way has its own of."""
    fields = []
    for name, value in reply.headers:
        value = value.replace(world.scratch, "SCRATCH").replace(world.client.host, "HOST")
        if name not in OWN_HEADERS and not (
                case.writes and name in OWN_HEADERS_OF_WRITES):
            fields.append((name, value))
    return sorted(fields)


def plain(world, data, writes):
    """What the body says but for names that each way has its own of."""
    data = SCRATCH.sub(b"SCRATCH", data).replace(world.client.host.encode(), b"HOST")
    if not data.lstrip().startswith(b"<"):
        return OWN_JSON.sub(b"", data)
    data = OWN_XML.sub(b"", data)
    return OWN_XML_OF_WRITES.sub(b"", data) if writes else data


def _not_modified(here, there, body):
    gained = set(there) - set(here)
    lost = [item for item in set(here) - set(there)
            if item[0] in ("etag", "last-modified", "cache-control")]
    wrong = [item for item in gained if item[0] not in REPEATED_BY_304]
    return [f"304 lost {lost}, gained {wrong}"] if lost or wrong or body else []


def differences(direct, direct_world, through, through_world, case, ours=False):
    """What a client could tell, as a list of lines. `ours`: the node itself refuses here, in words
    of its own, so that of a refusal only status and code must agree."""
    if through.status >= 400 and through.code in case.codes:
        return []
    if direct.status != through.status:
        return [f"status {direct.status} {direct.code} became {through.status} "
                f"{through.body[:300]!r}"]
    if direct.code != through.code:
        return [f"{direct.code} became {through.code}"]
    if ours and direct.status >= 400:
        return []
    here = headers_of(direct, direct_world, case)
    there = headers_of(through, through_world, case)
    if direct.status == 304:
        return _not_modified(here, there, through.body)
    found = []
    if here != there:
        found.append(f"{direct.status} {direct.code}: headers lost {sorted(set(here) - set(there))}"
                     f", gained {sorted(set(there) - set(here))}, counts {len(here)} {len(there)}")
    if plain(direct_world, direct.body, case.writes) != plain(through_world, through.body,
                                                              case.writes):
        found.append(f"{direct.status}: body of {len(direct.body)} bytes became "
                     f"{len(through.body)} others: {direct.body[:400]!r} {through.body[:400]!r}")
    return found
