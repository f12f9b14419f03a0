"""What S3 answers to reads of an object: conditionals, ranges, parts, headers. Pure, AWS's way.

Sources: API_GetObject, API_HeadObject, RFC 9110 sections 13 and 14. Where AWS differs from the RFC
(several ranges give the whole object, malformed ranges are ignored) AWS wins.
"""
import dataclasses
import email.utils
import hashlib
import re
import time

RANGE = re.compile(r"^bytes=(?:(\d+)-(\d*)|-(\d+))$")
OVERRIDES = {
    "response-content-type": "Content-Type", "response-cache-control": "Cache-Control",
    "response-content-language": "Content-Language", "response-expires": "Expires",
    "response-content-disposition": "Content-Disposition",
    "response-content-encoding": "Content-Encoding",
}
KEPT_HEADERS = ("content-type", "cache-control", "content-disposition", "content-encoding",
                "content-language", "expires", "x-amz-storage-class")
ARCHIVED = ("GLACIER", "DEEP_ARCHIVE")


class S3Error(Exception):
    """`status`, `code`, message; `headers` go along with the answer."""

    def __init__(self, status, code, message="", headers=()):
        super().__init__(message or code)
        self.status = status
        self.code = code
        self.headers = list(headers)


@dataclasses.dataclass
class Object:
    """One version of one object."""
    body: bytes
    etag: str = ""  # with its quotes; None sends none
    headers: dict = dataclasses.field(default_factory=dict)  # Content-Type, x-amz-meta-*, ...
    modified: float = dataclasses.field(default_factory=lambda: float(int(time.time())))
    version_id: str | None = None
    parts: tuple = ()  # part sizes of a multipart upload
    checksums: dict = dataclasses.field(default_factory=dict)  # x-amz-checksum-*
    storage_class: str = "STANDARD"
    kms_denied: bool = False  # encrypted by a key the caller may not use: HEAD 200, GET 403
    sse_c_md5: str | None = None  # the customer key's MD5 that must come with every read
    delete_marker: bool = False

    def __post_init__(self):
        if self.etag == "":
            self.etag = f'"{hashlib.md5(self.body).hexdigest()}"'
        if self.parts and sum(self.parts) != len(self.body):
            raise ValueError("the parts do not add up to the body")


@dataclasses.dataclass
class Answer:
    status: int
    headers: list
    body: bytes = b""


def http_date(seconds):
    return email.utils.formatdate(seconds, usegmt=True)


def _date(text):
    try:
        return email.utils.parsedate_to_datetime(text).timestamp() if text else None
    except ValueError:
        return None


def _etag_listed(value, etag):
    """Weak tags never match here: S3's own are strong and it compares strongly."""
    listed = [item.strip() for item in value.split(",")]
    return "*" in listed or etag in listed or etag.strip('"') in listed


def check_conditions(headers, obj):
    """None to go on, or the status 304 or 412. S3's precedence table of API_GetObject."""
    etag = obj.etag or ""
    since = _date(headers.get("if-modified-since"))
    unless = _date(headers.get("if-unmodified-since"))
    if "if-match" in headers:
        if not _etag_listed(headers["if-match"], etag):
            return 412
    elif unless is not None and obj.modified > unless:
        return 412
    if "if-none-match" in headers:
        if _etag_listed(headers["if-none-match"], etag):
            return 304
    elif since is not None and obj.modified <= since:
        return 304
    return None


def parse_range(value, size):
    """(first, last) or None for the whole; raises 416. Malformed and several ranges: the whole."""
    match = RANGE.match(value.strip())
    if not match:
        return None
    first, last, suffix = match.groups()
    if suffix is not None:
        start, end = max(0, size - int(suffix)), size - 1
        unsatisfiable = int(suffix) == 0 or size == 0
    else:
        start, end = int(first), min(int(last), size - 1) if last else size - 1
        if last and int(last) < start:
            return None
        unsatisfiable = start >= size
    if unsatisfiable:
        raise S3Error(416, "InvalidRange", "The requested range is not satisfiable")
    return start, end


def part_range(obj, number):
    sizes = obj.parts or (len(obj.body),)
    if not 1 <= number <= len(sizes):
        raise S3Error(416, "InvalidPartNumber", "The requested partnumber is not satisfiable")
    start = sum(sizes[:number - 1])
    return start, start + sizes[number - 1] - 1


def object_headers(obj, whole, checksum_mode):
    headers = [("Last-Modified", http_date(obj.modified)), ("Accept-Ranges", "bytes")]
    if obj.etag is not None:
        headers.append(("ETag", obj.etag))
    if obj.version_id is not None:
        headers.append(("x-amz-version-id", obj.version_id))
    if obj.kms_denied:
        headers.append(("x-amz-server-side-encryption", "aws:kms"))
        headers.append(("x-amz-server-side-encryption-aws-kms-key-id", "arn:aws:kms:x:1:key/k"))
    elif obj.sse_c_md5:
        headers.append(("x-amz-server-side-encryption-customer-algorithm", "AES256"))
        headers.append(("x-amz-server-side-encryption-customer-key-MD5", obj.sse_c_md5))
    else:
        headers.append(("x-amz-server-side-encryption", "AES256"))
    if obj.storage_class != "STANDARD":
        headers.append(("x-amz-storage-class", obj.storage_class))
    if whole and checksum_mode:
        headers += list(obj.checksums.items())
    return headers + list({"Content-Type": "binary/octet-stream", **obj.headers}.items())


def _refuse_unreadable(method, headers, obj):
    if obj.sse_c_md5:
        given = headers.get("x-amz-server-side-encryption-customer-key-md5")
        if given is None:
            raise S3Error(400, "InvalidRequest", "The object was stored using a form of SSE")
        if given != obj.sse_c_md5:
            raise S3Error(403, "AccessDenied", "Access Denied")
    if method == "GET" and obj.kms_denied:
        raise S3Error(403, "AccessDenied", "not authorized to perform kms:Decrypt")
    if method == "GET" and obj.storage_class in ARCHIVED:
        raise S3Error(403, "InvalidObjectState", "not valid for the object's storage class")


def read(method, headers, query, obj):
    """The answer to a GET or HEAD of an existing object; `headers` with lower-case names."""
    _refuse_unreadable(method, headers, obj)
    size = len(obj.body)
    condition = check_conditions(headers, obj)
    if condition == 412:
        raise S3Error(412, "PreconditionFailed", "At least one of the pre-conditions did not hold")
    span = None
    if "partNumber" in query and size > 0:
        span = part_range(obj, int(query["partNumber"]))
    elif "range" in headers and condition != 304:
        if_range = headers.get("if-range")
        if if_range is None or if_range == obj.etag or _date(if_range) == obj.modified:
            span = parse_range(headers["range"], size)
    common = object_headers(obj, span is None, headers.get("x-amz-checksum-mode") == "ENABLED")
    if condition == 304:
        kept = ("last-modified", "etag", "x-amz-version-id", "cache-control", "expires")
        return Answer(304, [item for item in common if item[0].lower() in kept])
    for name, replaced in OVERRIDES.items():
        if name in query:
            common = [item for item in common if item[0].lower() != replaced.lower()]
            common.append((replaced, query[name]))
    body = obj.body
    if span is not None:
        common.append(("Content-Range", f"bytes {span[0]}-{span[1]}/{size}"))
        if "partNumber" in query and obj.parts:
            common.append(("x-amz-mp-parts-count", str(len(obj.parts))))
        body = memoryview(obj.body)[span[0]:span[1] + 1]
    return Answer(206 if span is not None else 200, common, body)
