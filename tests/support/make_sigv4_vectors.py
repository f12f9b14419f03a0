"""Prints tests/unit/s3/sigv4_vectors.hpp: requests as botocore signs them, at a fixed time.

Needs botocore (made with 1.44.5):
    python3 tests/support/make_sigv4_vectors.py > tests/unit/s3/sigv4_vectors.hpp
    clang-format-19 -i tests/unit/s3/sigv4_vectors.hpp
"""
import datetime
import json
import urllib.parse

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

NOW = datetime.datetime(2026, 2, 3, 4, 5, 6, tzinfo=datetime.timezone.utc)
botocore.auth.get_current_datetime = lambda remove_tzinfo=True: NOW.replace(
    tzinfo=None if remove_tzinfo else datetime.timezone.utc)

KEYS = ["plain", "a b", "a+b", "100%", "äöü/日本", "a//b", "a/./b/../c", "/lead", "trail/",
        "~tilde-_.", "q?x=y&z", "#frag", "quote'\"(){}[]!*", "a=b;c,d@e:f$g", "%2F", "\x01\x7f"]
QUERIES = [[], [("uploads", "")], [("list-type", "2"), ("prefix", "a b/ü+c"), ("delimiter", "/")],
           [("versionId", "x.Y_-~/+="), ("partNumber", "7")], [("B", "1"), ("a", "2"), ("A", "3")],
           [("k", "b"), ("k", "a"), ("k", "")]]
HEADERS = [{}, {"Range": "bytes=0-9", "If-Match": '"abc"'},
           {"x-amz-meta-spaces": "  a   b  ", "x-amz-acl": "private", "Content-Type": "text/plain"}]
REGIONS = ["us-east-1", "eu-central-1", "default"]
SECRETS = ["wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "x", "s" * 100]


def query_text(query):
    return "&".join(f"{urllib.parse.quote(name, safe='-_.~')}="
                    f"{urllib.parse.quote(value, safe='-_.~')}" for name, value in query)


def requests():
    """Each dimension is walked through once, with the others at varying values."""
    count = max(len(KEYS), len(QUERIES), len(HEADERS))
    for i in range(count):
        path = "/bucket/" + urllib.parse.quote(KEYS[i], safe="/~")
        query = query_text(QUERIES[i % len(QUERIES)])
        yield {
            "method": ["GET", "PUT", "HEAD", "DELETE"][i % 4],
            "target": path + ("?" + query if query else ""),
            "headers": dict(HEADERS[i % len(HEADERS)]),
            "host": ["localhost:9000", "bucket.s3.example.com"][i % 2],
            "region": REGIONS[i // 2 % len(REGIONS)],
            "secret": SECRETS[i // 3 % len(SECRETS)],
            "token": "" if i % 3 else "token/with+signs==",
            "body": None if i % 4 != 1 else b"body %d" % i,
        }


def header_vector(case):
    request = AWSRequest(case["method"], f"http://{case['host']}{case['target']}", case["headers"],
                         case["body"])
    request.context["payload_signing_enabled"] = True
    request.context["client_config"] = None
    credentials = Credentials("AKIDEXAMPLE", case["secret"], case["token"] or None)
    botocore.auth.S3SigV4Auth(credentials, "s3", case["region"]).add_auth(request)
    return case["target"], {"Host": case["host"], **dict(request.headers.items())}


def presigned_vector(case):
    request = AWSRequest(case["method"], f"http://{case['host']}{case['target']}", case["headers"])
    credentials = Credentials("AKIDEXAMPLE", case["secret"], case["token"] or None)
    botocore.auth.S3SigV4QueryAuth(credentials, "s3", case["region"], expires=900).add_auth(request)
    parts = urllib.parse.urlsplit(request.url)
    return f"{parts.path}?{parts.query}", {"Host": case["host"], **dict(request.headers.items())}


def quoted(text):
    return json.dumps(text)


def main():
    print("#pragma once")
    print("// Made by tests/support/make_sigv4_vectors.py with botocore 1.44.5. Do not edit.")
    print("#include <string_view>\n#include <utility>\n#include <vector>\n")
    print("namespace forebay::s3 {\n")
    print("struct SignedRequest {\n  std::string_view method, target;")
    print("  std::vector<std::pair<std::string_view, std::string_view>> headers;")
    print("  std::string_view region, secret_key, session_token;\n};\n")
    print(f"inline constexpr long long kVectorTime = {int(NOW.timestamp())};")
    print('inline constexpr std::string_view kVectorAccessKey = "AKIDEXAMPLE";\n')
    for name, make in (("header", header_vector), ("presigned", presigned_vector)):
        print(f"inline const std::vector<SignedRequest>& {name}_vectors() {{")
        print("  static const std::vector<SignedRequest> vectors{")
        for case in requests():
            target, headers = make(case)
            fields = ", ".join(f"{{{quoted(k)}, {quoted(v)}}}" for k, v in headers.items())
            rest = ", ".join(quoted(case[k]) for k in ("region", "secret", "token"))
            print(f"      {{{quoted(case['method'])}, {quoted(target)}, {{{fields}}}, {rest}}},")
        print("  };\n  return vectors;\n}\n")
    print("}  // namespace forebay::s3")


main()
