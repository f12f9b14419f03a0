#!/usr/bin/env python3
"""Makes docs/compatibility.md out of JUnit reports: what the end-to-end tests saw work.

  compatibility.py REPORT.xml... > docs/compatibility.md

Tests say what they do by `record_property`: client, operation, origin and mode, or operation, case,
origin and mode. Nothing in the output depends on when or how fast a run was, nor on its order.
"""
import collections
import pathlib
import sys
import xml.etree.ElementTree as ElementTree

VERSIONS = pathlib.Path(__file__).parents[1] / "clients" / "versions"
REQUIREMENTS = pathlib.Path(__file__).parents[1] / "e2e" / "requirements.txt"
# The worst of several cases decides.
OUTCOMES = ("passed", "skipped", "failed")
ORIGINS = {"rgw": "RGW", "minio": "MinIO", "aws": "scripted, as AWS"}
TITLE = """# Compatibility

What the end-to-end tests saw work through a node, cell by cell: made by
`tests/support/compatibility.py` from their report. `passed` stands for every case of that kind, an
empty cell for none.
"""
REFUSALS_INTRO = """
## What a node refuses although the origin may take it

Written by hand in `tests/support/compatibility.py`; [security.md](security.md) says what these
refusals prevent. *both*: in both auth modes. *verify*: only in `auth.mode: verify`, where the node
signs for its callers; in passthrough these requests are passed on, and ambiguous ones bypass the
cache.

| what | modes | answer | why |
| --- | --- | --- | --- |
"""
SERVERS_DISAGREE = "servers disagree on which of them counts"
# (what, modes, answer, why), in the order in which a node looks.
REFUSALS = [
    ("bare CR or LF, NUL, folded lines, an empty first line", "both", "400 BadRequest",
     "servers disagree on where lines end"),
    ("a head beyond `listen.max_header_size`", "both", "400 RequestHeaderSectionTooLarge",
     "memory for each connection is bounded"),
    ("a target in absolute form for a host outside `listen.domains`", "both", "400 BadRequest",
     "the node is no open proxy"),
    ("a backslash, `#`, blank or control character in a target", "both", "400 BadRequest",
     "some servers take a backslash for a slash, and `#` or a blank for the end of the target. "
     "Braces, pipes, quotes and bytes above 0x7f pass"),
    ("a field name that is no token, a control character in a value, a method that is no token",
     "both", "400 BadRequest", "servers disagree on what they read in it"),
    ("no Host, two of them, or one that is no name or address", "both", "400 BadRequest",
     "the Host is signed and may name the bucket"),
    ("a Transfer-Encoding other than `chunked`, twice, or in HTTP/1.0", "both",
     "501 NotImplemented", "servers disagree on where the body ends"),
    ("Content-Length twice, beside Transfer-Encoding, or no number", "both", "400 BadRequest",
     "servers disagree on where the body ends"),
    ("a Connection that names `Host`, `Authorization`, `Range`, `Expect`, `Content-*`, `If-*` or "
     "`x-amz-*` (in any folding), or more than 32 names", "both", "400 BadRequest",
     "the field would be removed on the way, although it decides what the request means"),
    ("more than 128 fields; a name beyond 4 KiB; a value beyond 24 KiB", "both",
     "400 RequestHeaderSectionTooLarge", "each costs work before the caller is known"),
    ("a field name with other characters than letters, digits and `-` that folds to one that "
     "matters: `x_amz_acl`, `content.type`, `range_`, `x_auth_token`, `x_forwarded_for`", "both",
     "400 BadRequest", "CGI-style servers, Ceph's gateway among them, read the field it folds to. "
     "`x-amz-meta-*` may hold such characters; other odd names are removed (verify)"),
    ("two names that fold alike: `x-amz-meta-a_b` and `x-amz-meta-a-b`", "both", "400 BadRequest",
     "such servers take them for one field"),
    ("two fields of Authorization, Content-MD5, Content-Type, Date, Expect, "
     "`x-amz-content-sha256`, `x-amz-copy-source`, `x-amz-copy-source-range`, `x-amz-date` or "
     "`x-amz-security-token`", "both", "400 BadRequest", SERVERS_DISAGREE),
    ("a bucket name with other characters than letters, digits, `-`, `_`, `.` and `:` (`%2F` above "
     "all); an empty one before a key", "verify", "400 InvalidBucketName",
     "one server would end the name at the slash, and another would not"),
    ("a `%` without two hexadecimal digits", "verify", "400 InvalidURI",
     "servers disagree on what it stands for"),
    ("more than 128 parameters", "verify", "400 InvalidArgument",
     "each costs work before the caller is known"),
    ("a parameter name that holds `=`, `&`, `+`, a blank or a control character once it is decoded "
     "(`acl%3D`)", "verify", "400 InvalidArgument",
     "a server that decodes before it splits reads another parameter"),
    ("`versionId`, `partNumber`, `uploadId`, `response-*` or a parameter of a signature twice",
     "verify", "400 InvalidArgument", SERVERS_DISAGREE),
    ("two authorisations: an Authorization field and a presigned URL, SigV2 and SigV4 in one URL",
     "verify", "400 InvalidArgument", SERVERS_DISAGREE),
    ("parameters of a signature in another spelling (`x-amz-signature`)", "verify",
     "400 InvalidArgument", "some servers honour them, so the request is not anonymous"),
    ("some of the parameters of a presigned URL without the others", "verify",
     "400 InvalidArgument or AuthorizationQueryParametersError, 403 AccessDenied",
     "some servers honour them, so the request is not anonymous"),
    ("credentials of other protocols: Swift's tokens and temporary URLs, tokens of security token "
     "services, signed URLs of Google and Alibaba, `rgwx-*`; a session token without a signature",
     "verify", "400 InvalidArgument",
     "the node cannot verify them, and the origin may honour them"),
    ("SigV2 in the Authorization field", "verify", "400 InvalidRequest",
     "no current client sends it; presigned SigV2 URLs are taken"),
    ("an Authorization of any other scheme", "verify", "400 InvalidArgument",
     "the node cannot verify it"),
    ("SigV4A, CreateSession, `STREAMING-AWS4-ECDSA-*`", "verify", "501 NotImplemented",
     "not implemented"),
    ("a signature in the Authorization field without `x-amz-content-sha256`; a value of that field "
     "that S3 does not define", "verify", "400 InvalidRequest, 400 InvalidArgument",
     "what was signed of the body must be known; AWS answers the same"),
    ("a credential scope of another service than `s3`, or of another day than the request's date",
     "verify", "400 AuthorizationHeaderMalformed or AuthorizationQueryParametersError",
     "the key was made for something else; AWS answers the same"),
    ("chunks that are signed (`STREAMING-AWS4-HMAC-SHA256-*`) below a presigned URL", "verify",
     "501 NotImplemented", "the chain of signatures starts at one in the Authorization field"),
    ("SignedHeaders with a name twice, an empty one, or more than 64", "verify",
     "400 AuthorizationHeaderMalformed or AuthorizationQueryParametersError",
     "each name costs work, and no client sends such a list"),
    ("SignedHeaders with a name that is not among the fields", "verify",
     "403 SignatureDoesNotMatch", "the field was taken away on the way"),
    ("`host` or an `x-amz-*` field that is not signed, but for `x-amz-content-sha256`", "verify",
     "403 AccessDenied", "somebody may have added it; AWS refuses it, too"),
    ("behind a presigned SigV2 URL: parameters that SigV2 does not sign, but for those of lists "
     "(`prefix`, `delimiter`, `marker`, `max-keys`, ...) and `x-id`", "verify", "403 AccessDenied",
     "any holder of the URL may have added it, and the node would sign it"),
    ("behind a presigned SigV2 URL: a sub-resource whose value holds `&` and the name of another; "
     "a control character in a value; an `x-amz-*` parameter beside the field of that name",
     "verify", "403 AccessDenied",
     "one text to sign has two readings; the node refuses the one that no signer means"),
    ("a POST whose Content-Type mentions `form-data` and that is signed by field or URL (but for "
     "`delete`, `uploads` and `uploadId`)", "verify", "400 InvalidArgument",
     "the origin may go by the policy in the body instead"),
    ("a form with another type than `multipart/form-data`, a boundary that holds double quotes, "
     "blanks or what RFC 2046 does not allow, or is longer than 70 characters; any parameter but "
     "one `boundary` and one `charset`", "verify", "400 MalformedPOSTRequest",
     "servers disagree on where its parts end"),
    ("a form with a field twice, a part without a name or with two, a preamble, a boundary within "
     "a value, control characters or folded lines in the head of a part, a disposition with "
     "anything but `name`, `filename` and `filename*`, names of other characters than letters, "
     "digits and `-_.`, a field of MinIO's (`x-minio-*`), more than 256 fields or 64 KiB before "
     "its file", "verify", "400 MalformedPOSTRequest", "servers find other fields in it"),
    ("a form with parts of a signature but no policy, or with SigV2 and SigV4", "verify",
     "400 InvalidArgument", SERVERS_DISAGREE),
    ("of a caller with an allow-list: `tenant:bucket`", "verify", "403 AccessDenied",
     "a pattern for buckets would match other tenants"),
    ("of a caller with an allow-list: a copy source that is not `bucket/key` or `/bucket/key` of "
     "an allowed, plain bucket name", "verify", "403 AccessDenied",
     "servers disagree on which bucket an ARN, a URL or a tenant names"),
    ("a body that does not match its SHA-256, Content-MD5 or `x-amz-checksum-*`", "verify",
     "400, as AWS answers",
     "older origins ignore such fields ([ADR 0010](adr/0010-origins-disagree.md))"),
]


def outcome(case):
    kinds = {child.tag for child in case}
    return "failed" if kinds & {"failure", "error"} else \
        "skipped" if "skipped" in kinds else "passed"


def cases(reports):
    """(properties, outcome) of every test case that names an operation."""
    for report in reports:
        for case in ElementTree.parse(report).iter("testcase"):
            properties = {each.get("name"): each.get("value")
                          for each in case.iterfind("properties/property")}
            if "operation" in properties:
                yield properties, outcome(case)


def table(rows, columns, cells):
    """Markdown, with `cells[row, column]` where there is one."""
    lines = ["| |" + "".join(f" {column} |" for column in columns),
             "| --- |" + " --- |" * len(columns)]
    for row in rows:
        lines.append(f"| {row} |" + "".join(f" {cells.get((row, column), '')} |"
                                            for column in columns))
    return "\n".join(lines) + "\n"


def worst(outcomes):
    return max(outcomes, key=OUTCOMES.index)


def origin_of(properties):
    mode = properties.get("mode")
    origin = properties.get("origin", "any origin")
    return ORIGINS.get(origin, origin) + (f", {mode}" if mode else "")


def pivot(found, row, column):
    """One table of `found`, a list of (properties, outcome)."""
    gathered = collections.defaultdict(list)
    for properties, result in found:
        gathered[row(properties), column(properties)].append(result)
    cells = {place: worst(results) for place, results in gathered.items()}
    rows, columns = (sorted({place[axis] for place in cells}, key=str.casefold) for axis in (0, 1))
    return table(rows, columns, cells)


def refusals():
    rows = ("| " + " | ".join(cells) + " |\n" for cells in REFUSALS)
    return REFUSALS_INTRO + "".join(rows)


def versions():
    """(name, version) of what the clients are made of; of a program of ours the file that pins."""
    for line in REQUIREMENTS.read_text().splitlines():
        if line.startswith(("boto3==", "awscli==")):
            yield line.split("==")
    seen = set()
    for line in VERSIONS.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        name, kind, package, version, *_ = line.split()
        if name not in seen:  # the first line of several is the client, the others what it needs
            seen.add(name)
            yield name, f"as {package}/{version} says" if kind == "here" else f"{package} {version}"


def main():
    found = list(cases(sys.argv[1:]))
    clients = [each for each in found if "client" in each[0]]
    operations = [each for each in found if "client" not in each[0]]
    text = TITLE
    if clients:
        text += "\n## Clients\n"
        for origin in sorted({origin_of(properties) for properties, _ in clients}):
            here = [each for each in clients if origin_of(each[0]) == origin]
            text += f"\n### {origin}\n\n"
            text += pivot(here, lambda p: p["operation"], lambda p: p["client"])
    if operations:
        text += "\n## Operations\n\n"
        text += pivot(operations, lambda p: ": ".join(filter(None, (p["operation"],
                                                                    p.get("case")))), origin_of)
    text += refusals()
    if clients:
        pinned = {(name, "version"): version for name, version in versions()}
        text += "\n## Versions\n\n" + table(sorted(name for name, _ in pinned), ["version"], pinned)
    sys.stdout.write(text)
    return 0 if found else "compatibility.py: no test in these reports names an operation"


if __name__ == "__main__":
    sys.exit(main())
