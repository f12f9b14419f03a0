"""The same requests direct and through a node: where cases run, cases, and what may differ."""
import dataclasses
import re

# Belong to one connection, one moment or one request. MinIO numbers its answers and its disks.
OWN_HEADERS = {"date", "connection", "keep-alive", "x-forebay-cache", "x-amz-request-id",
               "x-amz-id-2", "server", "x-ratelimit-limit", "x-ratelimit-remaining"}
OWN_XML = re.compile(
    rb"<(RequestId|HostId|UploadId|LastModified|Initiated|CreationDate|ID|NextContinuationToken|"
    rb"ContinuationToken|VersionId|ServerTime|NextVersionIdMarker|X-Amz-Date|Expires|StringToSign|"
    rb"SignatureProvided|CanonicalRequest|StringToSignBytes|CanonicalRequestBytes|RequestTime|"
    rb"Resource|Location)>[^<]*</\1>")
SCRATCH = re.compile(rb"scratch-[0-9a-f]+")
# What RFC 9110 section 15.4.5 lets a 304 repeat; the gateways leave out one or another.
REPEATED_BY_304 = {"etag", "last-modified", "cache-control", "expires", "x-amz-version-id",
                   "content-type", "accept-ranges", "vary", "content-security-policy",
                   "strict-transport-security", "x-content-type-options", "x-xss-protection"}
# Ours say less than the origin's: what they have in common must agree.
ERROR_HEADERS = {"content-type", "x-amz-delete-marker", "x-amz-version-id", "allow",
                 "x-amz-bucket-region", "content-range"}


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


def headers_of(reply):
    return sorted((n, v) for n, v in reply.headers if n not in OWN_HEADERS)


def plain(world, data):
    """What the body says but for names that each run has its own of."""
    data = SCRATCH.sub(b"SCRATCH", data).replace(world.client.host.encode(), b"HOST")
    return OWN_XML.sub(b"", data) if data.lstrip().startswith(b"<") else data


def _not_modified(direct, through):
    gained = set(headers_of(through)) - set(headers_of(direct))
    lost = [item for item in set(headers_of(direct)) - set(headers_of(through))
            if item[0] in ("etag", "last-modified", "cache-control")]
    wrong = [item for item in gained if item[0] not in REPEATED_BY_304]
    return [f"304 lost {lost}, gained {wrong}"] if lost or wrong or through.body else []


def differences(direct, direct_world, through, through_world, case):
    """What a client could tell, as a list of lines."""
    if direct.status != through.status:
        return [f"status {direct.status} {direct.code} became {through.status} "
                f"{through.body[:300]!r}"]
    if direct.status == 304:
        return _not_modified(direct, through)
    ours, writes = case.ours, case.writes
    found = []
    if direct.status >= 300:
        if direct.code != through.code:
            found.append(f"{direct.code} became {through.code}")
        for name in ERROR_HEADERS:
            if not ours and direct.header(name) != through.header(name):
                found.append(f"{name}: {direct.header(name)} became {through.header(name)}")
        if not ours and plain(direct_world, direct.body) != plain(through_world, through.body):
            found.append(f"{direct.body!r} became {through.body!r}")
        return found
    names = {direct_world.scratch: "SCRATCH", through_world.scratch: "SCRATCH",
             direct_world.client.host: "HOST", through_world.client.host: "HOST"}

    def renamed(reply):
        fields = []
        for name, value in headers_of(reply):
            for old, new in names.items():
                value = value.replace(old, new)
            if not (writes and name in ("last-modified", "x-amz-version-id", "content-length")):
                fields.append((name, value))
        return fields
    here, there = renamed(direct), renamed(through)
    if here != there:
        found.append(f"headers lost {sorted(set(here) - set(there))}, "
                     f"gained {sorted(set(there) - set(here))}, counts {len(here)} {len(there)}")
    if plain(direct_world, direct.body) != plain(through_world, through.body):
        found.append(f"body of {len(direct.body)} bytes became {len(through.body)} others: "
                     f"{direct.body[:300]!r} {through.body[:300]!r}")
    return found
