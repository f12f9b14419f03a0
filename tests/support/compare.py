"""Compares an answer through Forebay with the origin's own: every byte and every header."""
import hashlib
import re

# Belong to one connection, one moment or one request; nothing else may differ.
OWN_HEADERS = {"date", "connection", "keep-alive", "x-forebay-cache", "x-forebay-prestage",
               "x-amz-request-id", "x-amz-id-2"}
OWN_XML = re.compile(rb"<(RequestId|HostId)>[^<]*</\1>")
# What RFC 9110 section 15.4.5 lets a 304 repeat; the gateways leave out one or another.
REPEATED_BY_304 = {"etag", "last-modified", "cache-control", "expires", "x-amz-version-id"}


def headers_of(reply):
    return sorted((name, value) for name, value in reply.headers if name not in OWN_HEADERS)


def differences(direct, through):
    """What differs, as a list of lines; empty when the two answers are one and the same."""
    if direct.status != through.status:
        return [f"status {direct.status} became {through.status} {through.body[:300]!r}"]
    if direct.status == 304:
        added = set(headers_of(through)) - set(headers_of(direct))
        lost = [item for item in headers_of(direct)
                if item[0] in REPEATED_BY_304 and item not in headers_of(through)]
        wrong = [item for item in added if item[0] not in REPEATED_BY_304]
        return [f"304 lost {lost}, gained {wrong}"] if lost or wrong or through.body else []
    if direct.status >= 300:
        same = error_of(direct) == error_of(through)
        return [] if same else [f"error {direct.body!r} became {through.body!r}"]
    found = []
    here, there = headers_of(direct), headers_of(through)
    if here != there:
        found.append(f"headers lost {sorted(set(here) - set(there))}, "
                     f"gained {sorted(set(there) - set(here))}, counts {len(here)} {len(there)}")
    if direct.body != through.body:
        found.append(f"body of {len(direct.body)} bytes became {len(through.body)} others")
    return found


def error_of(reply):
    return reply.status, reply.code, OWN_XML.sub(b"", reply.body) if reply.code is None else b""


def assert_same(direct, through, what=""):
    found = differences(direct, through)
    assert not found, f"{what}: " + "; ".join(found)


def digest(data):
    return hashlib.sha256(data).hexdigest()


def pattern(size, seed=0):
    """`size` bytes that no other seed and no shift of a block repeats."""
    key = f"{seed}".encode()
    block = b"".join(hashlib.sha256(key + n.to_bytes(4, "big")).digest() for n in range(4099))
    return (block * (size // len(block) + 1))[:size]
