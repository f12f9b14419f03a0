#!/usr/bin/env python3
"""Writes the kept seeds, tests/fuzz/corpus/<target>/: messages as clients and origins really send
them, and their usual faults. Seeds that fuzzing found worth keeping lie beside them.

    tests/fuzz/make_corpus.py
"""
import pathlib

CORPUS = pathlib.Path(__file__).resolve().parent / "corpus"
SHA = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
SIGNATURE = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
SCOPE = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request"

AUTHORIZATION = (f"AWS4-HMAC-SHA256 Credential={SCOPE},"
                 f"SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature={SIGNATURE}")
PRESIGNED = ("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" + SCOPE.replace("/", "%2F") +
             "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
             "&X-Amz-Signature=" + SIGNATURE)
PRESIGNED_V2 = "AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=vjbyPxybdZaNmGa%2ByT272YEAiv4%3D&" \
               "Expires=1369353660"


def head(first, *fields):
    return "".join(line + "\r\n" for line in (first, *fields)) + "\r\n"


def signed(first, *fields, payload=SHA, authorization=AUTHORIZATION):
    return head(first, "Host: examplebucket.s3.amazonaws.com", f"x-amz-content-sha256: {payload}",
                "x-amz-date: 20130524T000000Z", f"Authorization: {authorization}", *fields)


REQUESTS = [
    signed("GET /test.txt HTTP/1.1", "Range: bytes=0-9"),
    signed("GET /b/k%20%2B%C3%A9?versionId=3&partNumber=2 HTTP/1.1", "If-Match: \"etag\""),
    signed("HEAD /b/k HTTP/1.1", "User-Agent: aws-cli/2", "Accept-Encoding: identity"),
    signed("PUT /b/k HTTP/1.1", "Content-Length: 66824", "Content-Encoding: aws-chunked",
           "x-amz-decoded-content-length: 66560", "x-amz-storage-class: REDUCED_REDUNDANCY",
           payload="STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
    signed("PUT /b/k HTTP/1.1", "Transfer-Encoding: chunked", "x-amz-trailer: x-amz-checksum-crc32",
           "x-amz-decoded-content-length: 5", "Expect: 100-continue",
           payload="STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
    signed("DELETE /b/k?uploadId=x HTTP/1.1", payload="UNSIGNED-PAYLOAD"),
    signed("GET /?max-keys=2&prefix=J HTTP/1.1", "x-amz-security-token: T/o+k=="),
    signed("GET /test.txt HTTP/1.1", authorization="AWS AKID:c2lnbmF0dXJl"),
    signed("GET /test.txt HTTP/1.1", authorization="AWS4-ECDSA-P256-SHA256 Credential=x"),
    signed("GET /b/k?" + PRESIGNED + " HTTP/1.1"),
    head("GET /test.txt?" + PRESIGNED + " HTTP/1.1", "Host: examplebucket.s3.amazonaws.com"),
    head("GET /b/k?" + PRESIGNED_V2 + " HTTP/1.1", "Host: s3.example"),
    head("GET /b/k HTTP/1.1", "Host: s3.example:9000", "Connection: keep-alive, X-Gone",
         "X-Gone: 1", "Keep-Alive: timeout=5"),
    head("GET / HTTP/1.0", "Host: s3.example", "Connection: close"),
    head("OPTIONS * HTTP/1.1", "Host: [::1]:80", "Origin: https://app.example",
         "Access-Control-Request-Method: PUT"),
    head("GET http://b.s3.example/k?x=1 HTTP/1.1", "Host: b.s3.example"),
    head("POST /b?delete HTTP/1.1", "Host: h", "Content-Length: 0", "Content-MD5: 1B2M2Y8AsgTpgAmY"
         "7PhCfg=="),
    head("PUT /b/k HTTP/1.1", "Host: h", "Content-Length: 5", "Transfer-Encoding: chunked"),
    head("PUT /b/k HTTP/1.1", "Host: h", "Content-Length: 5", "Content-Length: 6"),
    head("PUT /b/k HTTP/1.1", "Host: h", "Content-Length: +5"),
    head("PUT /b/k HTTP/1.1", "Host: h", "Transfer-Encoding: gzip, chunked"),
    head("GET /b/k HTTP/1.1", "Host: h", "Host: g"),
    head("GET /b/k HTTP/1.1"),
    head("GET /%zz?%2 HTTP/1.1", "Host: h"),
    "GET / HTTP/1.1\nHost: h\n\n",
    "GET / HTTP/1.1\r\nHost: h\r\n folded\r\n\r\n",
    "GET / HTTP/1.1\r\nHost : h\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: h\r\nX: a\x00b\r\n\r\n",
    "\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
    "GET  / HTTP/1.1\r\nHost: h\r\n\r\nbehind",
]

# Names and parameters that servers read in more than one way.
ODD_NAMES = [
    "x_amz_acl: public-read", "X_AMZ_COPY_SOURCE: /secret/k", "x-amz_acl: public-read",
    "x.amz.acl: public-read", "x~amz-copy-source: /secret/k", "x-amz-meta_a: b", "x_amz_meta_a: b",
    "content_type: text/html", "Content.Length: 0", "if_match: \"e\"", "range_: bytes=0-0",
    "author_ization: AWS a:b", "transfer_encoding: chunked", "x_auth_token: AUTH_tk",
    "x_forwarded_for: 192.0.2.1", "x_goog_acl: public-read", "rgwx_uid: u", "a.b: c", "a_b: c",
    "a_b: c\r\na-b: d", "x-amz-meta-my_key: v", "x-amz-meta-a.b!c: v",
    "x-amz-meta-a_b: v\r\nx-amz-meta-a-b: w", "x-amz-meta-a_b: v\r\nX-Amz-Meta-A_B: w",
    "Content-Type: a\r\ncontent-type: b", "x-amz-acl: a\r\nX-AMZ-ACL: b",
    "x-amz-copy-source: /b/k\r\nx-amz-copy-source: /secret/k", "Expect: a\r\nExpect: b",
    "Range: bytes=0-1\r\nRange: bytes=2-3", "Cookie: a=b\r\nCookie: c=d", "Date:\r\nDate: x",
    "Connection: close, a_b\r\na_b: c", "Connection: x_amz_date", "TE: trailers\r\nt_e: x",
    "X-Blank: \t v \t", "X-Empty:",
]
ODD_QUERIES = [
    "acl%3D", "acl%3Dx&prefix=a", "%61cl", "acl%26policy", "acl%2B", "acl+", "a%00b", "a%0Ab",
    "a%20b", "prefix=a%26acl", "prefix=a%26acl%3D&marker=b", "prefix=a%3Db%2Bc+d",
    "prefix=a=b=c", "=", "=x", "acl&acl", "versionId=1&versionId=2",
    "versionId=1&version%49d=2", "uploadId=u&partNumber=1",
    "response-content-type=a&response-content-type=b", "&&acl&&", "uploads", "uploads=", "a;acl",
    "x=%E2%82%AC&y={}|\"", "%zz", "acl%253D", PRESIGNED + "&acl%3D", PRESIGNED_V2 + "&acl%3D",
    PRESIGNED_V2 + "&policyStatus", PRESIGNED_V2 + "&versionId=1%26acl%3D",
    "&".join(f"p{n}" for n in range(129)),
]
MEANINGS = [
    *(head("PUT /b/k HTTP/1.1", "Host: h", "Content-Length: 0", names) for names in ODD_NAMES),
    *(head(f"GET /b?{query} HTTP/1.1", "Host: h") for query in ODD_QUERIES),
    head("GET /b/k HTTP/1.1", "Host: h", *(f"x{n}: y" for n in range(128))),
]

RESPONSES = [
    head("HTTP/1.1 200 OK", "Content-Length: 5", "ETag: \"d41d8cd9\"", "Accept-Ranges: bytes",
         "Last-Modified: Fri, 24 May 2013 00:00:00 GMT", "x-amz-version-id: null"),
    head("HTTP/1.1 206 Partial Content", "Content-Length: 10", "Content-Range: bytes 0-9/100",
         "x-amz-mp-parts-count: 3"),
    head("HTTP/1.1 304 Not Modified", "ETag: \"e\"", "Content-Length: 100"),
    head("HTTP/1.1 204 No Content", "x-amz-request-id: 0"),
    head("HTTP/1.1 100 Continue"),
    head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "Connection: close"),
    head("HTTP/1.1 200", "Content-Length: 0"),
    head("HTTP/1.0 200 OK", "Server: x"),
    head("HTTP/1.1 503 Slow Down", "Retry-After: 1", "Content-Type: application/xml"),
    head("HTTP/1.1 307 Temporary Redirect", "Location: https://b.s3.eu-west-1.amazonaws.com/k",
         "x-amz-bucket-region: eu-west-1"),
    head("HTTP/1.1 200 OK", "Content-Length: 5", "Content-Length: 5"),
    head("HTTP/1.1 200 OK", "Content-Length: 5", "Content-Length: 6"),
    head("HTTP/1.1 200 OK", "Content-Length: 5, 5"),
    head("HTTP/1.1 200 OK", "Content-Length: 5", "Transfer-Encoding: chunked"),
    head("HTTP/1.1 200 OK", "Transfer-Encoding: gzip"),
    head("HTTP/1.1 200 OK", "x-amz-meta-a: \xc3\xa9", "X-Empty:"),
    head("HTTP/2 200 OK", "Content-Length: 0"),
    head("HTTP/1.1 20 OK"),
    "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
]

CHUNKED = [
    "5\r\nhello\r\n0\r\n\r\n",
    "5;ext=\"v\"\r\nhello\r\n6\r\n world\r\n0\r\n\r\nbehind",
    "00005\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\nA: b\r\n\r\n",
    "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n",
    "0\r\n\r\n", "0\r\nA:b", "", "5\r\nhel",
    "5\nhello\n0\n\n", "5\r\nhelloX\r\n0\r\n\r\n", "-5\r\nhello\r\n0\r\n\r\n",
    "0x5\r\nhello\r\n0\r\n\r\n", "ffffffffffffffff\r\nx", "10000000000000000\r\nx",
    "5 \r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n0\r\nbad trailer\r\n\r\n",
    "1;" + "e" * 300 + "\r\nx\r\n0\r\n\r\n", "0\r\n" + "A: b\r\n" * 40 + "\r\n",
]

RANGES = [
    "bytes=0-9", "bytes=0-0", "bytes=5-", "bytes=-5", "bytes=-0", "bytes=9-5", "Bytes=0-1",
    "bytes=0-9,20-29", "bytes= 0-9", "bytes=0-9 ", "bytes=18446744073709551615-",
    "bytes=0-99999999999999999999", "items=0-1", "bytes=a-b", "bytes=", "bytes=--1", "",
    "bytes 0-9/100", "bytes 0-0/1", "bytes 0-9/*", "bytes */100", "bytes 9-0/100",
    "bytes 0-100/100", "bytes 0-18446744073709551615/18446744073709551615", "bytes  0-9/100",
    "bytes 0-9/100 ",
]

DATES = ["Fri, 24 May 2013 00:00:00 GMT", "Friday, 24-May-13 00:00:00 GMT",
         "Fri May 24 00:00:00 2013", "Thu, 01 Jan 1970 00:00:00 GMT",
         "Thu, 29 Feb 2024 23:59:60 GMT", "Fri, 31 Dec 9999 23:59:60 GMT", "x"]
CONDITIONS = [
    "", "If-Match: \"e\"", "If-Match: *", "If-None-Match: \"e\"", "If-None-Match: *",
    "If-None-Match: W/\"e\"", "If-None-Match: \"a\", \"e\"", "If-Match: e",
    "If-Modified-Since: Fri, 24 May 2013 00:00:00 GMT",
    "If-Unmodified-Since: Fri, 24 May 2013 00:00:00 GMT",
    "If-Match: \"e\"\nIf-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT",
    "If-None-Match: \"x\"\nIf-Modified-Since: Fri, 24 May 2013 00:00:00 GMT",
    "If-Range: \"e\"", "If-Range: W/\"e\"", "If-Range: Fri, 24 May 2013 00:00:00 GMT",
    "If-Match: \"a\"\nIf-Match: \"e\"",
]

TARGETS = [
    "a=1&b=2", "a&b=&=c", "uploads", "prefix=a%2Fb&delimiter=%2F", "x=%E2%82%AC", "a=b=c", "&&",
    "%", "%2", "%zz", "a+b=c+d", "/b/k%20k?versionId=1", "/b//../k/./", "/%00", "/b?x#y", "~-._",
    "/caf\xc3\xa9",
]

ADDRESSES = [
    ("GET", "s3.example", "/b/k"), ("GET", "b.s3.example", "/k"),
    ("HEAD", "h", "/b/k?partNumber=1"),
    ("PUT", "b.deep.s3.example:9000", "/a//b/../c"), ("GET", "h", "/"), ("GET", "h", "/b"),
    ("GET", "h", "/b/?list-type=2&prefix=x"), ("POST", "h", "/b/k?uploads"),
    ("POST", "h", "/b?delete"), ("PUT", "h", "/b/k?partNumber=1&uploadId=u"),
    ("DELETE", "h", "/b/k?tagging"), ("OPTIONS", "h", "*"), ("GET", "h", "/b/k?acl"),
    ("GET", "h", "/b/k?attributes"), ("GET", "h", "/arn:aws:s3:us-east-1:1:accesspoint%2Fap/k"),
    ("GET", "h", "/b/%zz"), ("GET", "h", "/b/" + "k" * 1025), ("GET", "h", "/b/%E2%82%AC%00"),
    ("GET", "h", "/../k"), ("GET", "h", "/b/k?x-id=GetObject&response-content-type=a"),
    ("PUT", "h", "/b/k?renameObject"), ("GET", "", "/b/k"), ("PATCH", "h", "/b/k"),
    ("GET", "B.S3.EXAMPLE", "/k"), ("GET", ".s3.example", "/k"),
]

ERRORS = [
    '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code><Message>m</Message>'
    '<Key>k</Key><RequestId>1</RequestId></Error>',
    '<Error><Code>PermanentRedirect</Code><Endpoint>b.s3.eu-west-1.amazonaws.com</Endpoint>'
    '</Error>',
    "<Error/>", "<Error><Code/></Error>", "<Error><Code>a&amp;b&#x41;</Code></Error>",
    "<Error><Code><![CDATA[x]]></Code></Error>", "<html><body>x</body></html>", "", "<Error>",
    '<!DOCTYPE x [<!ENTITY a "b">]><Error><Code>&a;</Code></Error>', "plain", "a]]>b", "\x01\xff",
]

CREDENTIALS = [
    "credentials:\n  - access_key: AK\n    secret_key: HUSH\n",
    "credentials:\n  - {access_key: AK, secret_key: HUSH, allow: [{bucket: 'a-*', read_only: true}"
    "]}\n  - {access_key: BK, secret_key: HUSH, origin_access_key: O, origin_secret_key: HUSH}\n",
    "credentials: [{access_key: AK, secret_key: HUSH, origin_session_token: HUSH}]\n",
    "credentials:\n  - access_key: AK\n", "credentials: []\n", "credentials:\n", "",
    "credentials: [{access_key: AK, secret_key: \"HUSH\nHUSH\"}]", "credentials: HUSH\n",
    "credentials:\n  - access_key: AK\n    secret_key: HUSH\n    secret_kye: HUSH\n",
    "credentials:\n  - &a {access_key: AK, secret_key: HUSH}\n  - *a\n",
    "credentials:\n" + "  - {access_key: AK, secret_key: HUSH}\n" * 2,
    "credentials:\n  - access_key: AK\n    secret_key: [HUSH]\n", "HUSH: HUSH\n", "--- a\n--- b\n",
    "credentials:\n\t- access_key: HUSH", "credentials: {access_key: AK, access_key: AK",
    "? [HUSH]\n: x\n", "credentials: [{access_key: AK, secret_key: !!binary HUSH}]",
]

CONFIGURATIONS = [
    "auth: {credentials_file: k}\n",
    "auth: {mode: passthrough}\n",
    "listen: {s3: '127.0.0.1:9000', admin: '[::1]:9001', domains: [s3.example]}\n"
    "origin: {endpoint: 'https://s3.example:9000', region: eu-west-1}\n"
    "auth: {credentials_file: /etc/k}\n",
    "cache: {devices: [{path: slab0, size: 8GiB}], rules: [{bucket: 'a-*', cache: never}]}\n"
    "memory: {pool_size: 64MiB}\nauth: {credentials_file: k}\n",
    "auth: {mode: passthrough}\norigin:\n  fill_credentials: {source: static, access_key: A, "
    "secret_key: HUSH}\n",
    "auth: {mode: passthrough}\norigin:\n  fill_credentials: {source: file, file: keys}\n",
    "auth: {mode: passthrough}\norigin: {fill_credentials: {source: web_identity, sts_endpoint: "
    "'https://sts'}}\n",
    "log: {level: debug, access: false}\nruntime: {workers: 2}\nauth: {credentials_file: k}\n",
    "limits: {direct_reads: 1}\nmemory: {wait: 250ms}\nauth: {credentials_file: k}\n",
    "io: {engine: pread, threads: 4}\nprestage: {trigger: off}\nauth: {credentials_file: k}\n",
    "log: {levle: x}\n", "log.level: info\n", "[]\n", "", "a: &x b\nc: *x\n", "--- a\n--- b\n",
    "log: {level: info, level: info}\n", "cache: {devices: [1]}\n",
    "memory: {pool_size: 1e99GiB}\n",
    "cache: {device_writes_per_day: .inf}\n", "listen: {s3: ':0'}\n", "listen: {domains: [-x, '']}",
    "? {}\n: x\n", "cache: {device_writes_per_day: 1.0000000000000002}\nauth: "
    "{credentials_file: k}\n", "auth: {credentials_file: \"a\\\"b\\\\c d\"}\n",
]

PAIR = '"AccessKeyId": "AK", "SecretAccessKey": "SK", "Token": "T", ' \
       '"Expiration": "2030-01-01T00:00:00Z"'
STS = ("<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
       "<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>AK</AccessKeyId>"
       "<SecretAccessKey>SK</SecretAccessKey><SessionToken>T</SessionToken><Expiration>"
       "2030-01-01T00:00:00.123Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult>"
       "</AssumeRoleWithWebIdentityResponse>")
ISSUED = [
    STS, '<?xml version="1.0"?>' + STS, STS[:200], STS.replace("AK", "&#10;"),
    "<ErrorResponse><Error><Code>ExpiredTokenException</Code></Error></ErrorResponse>",
    "{" + PAIR + "}", '{"Code": "Success", ' + PAIR + "}", '{"Code": "Failed"}',
    '{"AccessKeyId": 1}', "[" * 40, '{"AccessKeyId": "\\u000a"}', "{" + PAIR,
    "{" + PAIR.replace("AK", "\\r\\n") + "}", "null", "",
    "[default]\naws_access_key_id = AK\naws_secret_access_key = SK\naws_session_token = a=b\n",
    "# c\n[x]\naws_access_key_id = X\n[default]\r\nAWS_ACCESS_KEY_ID=AK\r\n"
    "aws_secret_access_key=SK\r\n",
    "[ default ]\naws_access_key_id=AK\ns3 =\n  aws_access_key_id = X\naws_secret_access_key=SK",
    "[default\naws_access_key_id = AK\n", "[default]\naws_access_key_id\n= x\n;y",
]

WAITS = ["0", "1", "120", "86400", "86401", "99999999999999999999", "-1", "+1", " 1", "1.5", "",
         "Thu, 19 Mar 2030 10:00:00 GMT", "Tuesday, 19-Mar-30 10:00:00 GMT",
         "Tue Mar 19 10:00:00 2030", "Sun Nov  6 08:49:37 1994", "tomorrow"]

LOCATIONS = [
    ("b", "https://b.s3.eu-west-1.amazonaws.com/b/k?x", "eu-west-1", ""),
    ("b", "", "", "<Error><Endpoint>s3.eu-west-1.amazonaws.com</Endpoint></Error>"),
    ("b", "", "eu-west-1", ""), ("b", "//s3.example:9000/b", "", ""), ("b", "/other", "r", ""),
    ("b", "https://evil.example/s3.x.amazonaws.com", "", ""),
    ("b", "https://s3.x@evil.example/.amazonaws.com", "", ""),
    ("b", "https://s3.x.amazonaws.com@evil.example/", "", ""),
    ("b", "https://s3.x.amazonaws.com\\@evil", "", ""), ("b", "", "../..", ""),
    ("b", "", "x.evil.example#", ""), ("B.c", "HTTP://B.C.S3.EXAMPLE:9000", "", ""),
    ("/b/k", "s3.example:9000/", "", "<Error>"), ("", "https://", "", ""),
]


def slot(identity, block=0, length=None, size=0x200000, slot_number=ord("0")):
    def number(value, count):
        return value.to_bytes(count, "little")
    text = b"".join(number(len(part), 2) + part for part in identity)
    return (b"U" * 16 + number(slot_number, 8) + number(7, 8) + number(block, 4) +
            number(size if length is None else length, 4) + b"\0" * (CHECKSUMS * 4) +
            number(size, 8) + text)


# Of a block: one for each page.
CHECKSUMS = 32


def superblock(size=10 << 30, version=1, block=4 << 20):
    def number(value, count):
        return value.to_bytes(count, "little")
    slots = (size - (64 << 10)) // ((4 << 20) + 4096)
    return (number(version, 4) + b"U" * 16 + number(64 << 20, 8) + number(block, 8) +
            number(128 << 10, 8) + number(size, 8) + number(1, 4) + number(64 << 10, 8) +
            number((4 << 20) + 4096, 8) + number(slots, 8))


IDENTITY = [b"default", b"bucket", b"a/key", b"d41d8cd9-12", b"null"]
SLABS = [
    superblock(), superblock(version=2), superblock(block=1), superblock(size=64 << 20),
    superblock()[:40], b"", slot(IDENTITY), slot(IDENTITY, block=1, size=0x500000, length=0x100000),
    slot(IDENTITY, length=1), slot([b"", b"", b"", b"", b""]), slot(IDENTITY)[:-3],
    slot([b"o", b"b", b"k" * 1024, b"e", b"v" * 1024]), slot(IDENTITY, slot_number=1),
    slot(IDENTITY) + b"tail", slot(IDENTITY, size=0), slot(IDENTITY, block=0xFFFFFFFF),
]

ZEROS = "0" * 64
STREAMED = [
    ("\x05", "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n"),
    ("\x05", f"5;chunk-signature={ZEROS}\r\nhello\r\n0;chunk-signature={ZEROS}\r\n\r\n"),
    ("\x05", f"5;chunk-signature={ZEROS}\r\nhello\r\n0;chunk-signature={ZEROS}\r\n"
             f"x-amz-checksum-crc32c:NhCmhg==\r\nx-amz-trailer-signature:{ZEROS}\r\n\r\n"),
    ("\x00", "0\r\n\r\n"), ("\x05", "5\r\nhello\r\n0\r\n\r\n"), ("\x04", "5\r\nhello\r\n0\r\n\r\n"),
    ("\x05", "5\nhello\n0\n\n"), ("\x05", "5;x=y\r\nhello\r\n0\r\n\r\n"),
    ("\x05", "2\r\nhe\r\n3\r\nllo\r\n0\r\nA:b\r\nC: d\r\n\r\n"), ("\x05", "5\r\nhel"),
    ("\x05", "-5\r\nhello\r\n"), ("\x01", "ffffffffffffffff\r\nx"), ("\x00", ""),
    ("\x05", "5\r\nhello0\r\n\r\n"), ("\x05", "5\r\nhello\r\n0\r\n\r\nbehind"),
    ("\x00", "0\r\n" + "A:b\r\n" * 12 + "\r\n"), ("\x05", "x" * 1100 + "\r\n"),
]


def part(name, value, boundary="B", more=""):
    return (f"--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n"
            f"{value}\r\n")


# {"expiration": "2030-01-01T00:00:00Z", "conditions": [{"bucket": "b"}, {"x-amz-credential": ...}]}
POLICY = ("eyJleHBpcmF0aW9uIjogIjIwMzAtMDEtMDFUMDA6MDA6MDBaIiwgImNvbmRpdGlvbnMiOiBbeyJidWNrZXQiOiAi"
          "YiJ9LCBbInN0YXJ0cy13aXRoIiwgIiRrZXkiLCAiIl1dfQ==")
FILE = part("file", "data", more="; filename=\"f\"") + "--B--\r\n"
V4_FIELDS = (part("x-amz-algorithm", "AWS4-HMAC-SHA256") + part("x-amz-credential", SCOPE) +
             part("x-amz-date", "20130524T000000Z") + part("policy", POLICY) +
             part("x-amz-signature", SIGNATURE))
FORMS = [
    part("key", "k") + FILE, part("key", "k") + V4_FIELDS + FILE,
    part("key", "k") + part("AWSAccessKeyId", "AKID") + part("policy", POLICY) +
    part("signature", "c2ln") + FILE,
    part("key", "k") + V4_FIELDS, "preamble\r\n" + part("key", "k") + FILE, "--B--\r\n", "",
    part("key", "k").replace("\r\n", "\n"), part("Key", "a\r\nb") + FILE,
    part("key", "--B") + FILE, part("policy", "e30=") + V4_FIELDS + FILE,
    V4_FIELDS.replace(POLICY, "not base64") + FILE, "--B\r\n\r\n\r\n" + FILE,
    "--B\r\nContent-Disposition: form-data\r\n\r\nx\r\n" + FILE,
    part("x-amz-security-token", "T") + V4_FIELDS + FILE, part("a\\\"b", "x") + FILE,
]


def seeds():
    """(target, input) of every seed."""
    yield from (("request_head", "\3" + text) for text in REQUESTS)
    yield from (("sigv4", text) for text in REQUESTS)
    yield from (("request_meaning", text) for text in REQUESTS + MEANINGS)
    yield from (("response_head", text) for text in RESPONSES)
    yield from (("chunked_decoder", "\2" + text) for text in CHUNKED)
    yield from (("range", "\0\1\2" + text) for text in RANGES)
    yield from (("conditional", f"\"e\"\n{DATES[i % len(DATES)]}\n{text}\n")
                for i, text in enumerate(CONDITIONS))
    yield from (("conditional", f"{tag}\n{date}\nIf-None-Match: \"e\"\n")
                for tag, date in zip(["W/\"e\"", "e", "\"\"", "", "\"e", "*", "\"e-2\""], DATES))
    yield from (("uri", text) for text in TARGETS)
    yield from (("address", "\n".join(address) + "\nx-amz-copy-source: /b/k\n" * (i % 2))
                for i, address in enumerate(ADDRESSES))
    yield from (("error_code", text) for text in ERRORS)
    yield from (("credentials_file", text) for text in CREDENTIALS)
    yield from (("config_file", text) for text in CONFIGURATIONS)
    yield from (("issued_credentials", text) for text in ISSUED)
    yield from (("retry_after", text) for text in WAITS)
    yield from (("redirect", "\n".join(place)) for place in LOCATIONS)
    yield from (("slab_layout", text) for text in SLABS)
    yield from (("aws_chunked", "\3" + length + text) for length, text in STREAMED)
    yield from (("post_form", "B\n" + text) for text in FORMS)


def main():
    counts = {}
    for target, text in seeds():
        number = counts[target] = counts.get(target, 0) + 1
        folder = CORPUS / target
        folder.mkdir(parents=True, exist_ok=True)
        data = text if isinstance(text, bytes) else text.encode("latin-1")
        (folder / f"{number:02}.seed").write_bytes(data)
    for target, number in sorted(counts.items()):
        print(f"{target}: {number} seeds")


if __name__ == "__main__":
    main()
