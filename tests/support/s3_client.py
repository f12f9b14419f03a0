"""A plain S3 client for tests: signs what it is told and returns exactly what came back."""
import dataclasses
import http.client
import urllib.parse
import xml.etree.ElementTree as ElementTree

import sigv4


@dataclasses.dataclass(repr=False)
class Reply:
    status: int
    headers: list  # (name, value), names in lower case, in order of arrival
    body: bytes

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:400]!r} of {len(self.body)} bytes>"

    def header(self, name):
        values = [value for n, value in self.headers if n == name.lower()]
        return ", ".join(values) if values else None

    @property
    def code(self):
        """The Code of an S3 error, or None where there is no XML."""
        return self.xml("Code")

    def xml(self, tag):
        if not self.body.lstrip().startswith(b"<"):
            return None
        try:
            root = ElementTree.fromstring(self.body)
        except ElementTree.ParseError:
            return None
        for node in root.iter():
            if node.tag.rpartition("}")[2] == tag:
                return node.text
        return None


class S3Client:
    """One caller at one endpoint; a connection of its own for each request unless `keep`."""

    def __init__(self, endpoint, key, region="us-east-1", timeout=30):
        self.endpoint = endpoint
        self.key = tuple(key) + (None,) * (3 - len(key))
        self.region = region
        self.timeout = timeout
        parsed = urllib.parse.urlsplit(endpoint)
        self.host, self.address = parsed.netloc, (parsed.hostname, parsed.port)

    def connect(self):
        return http.client.HTTPConnection(*self.address, timeout=self.timeout)

    def signed(self, method, path, query=(), headers=(), body=b"", host=None, **options):
        """(target, headers) ready to send. `path` is decoded; `query` a list of pairs."""
        raw_path = sigv4.encode(path, safe="/")
        pairs = list(query)
        headers = [("Host", host or self.host), *headers]
        headers = sigv4.sign(method, raw_path, pairs, headers, self.key, self.region, body,
                             **options)
        return self.target(raw_path, pairs), headers

    @staticmethod
    def target(raw_path, pairs):
        return raw_path + ("?" + sigv4.canonical_query(pairs) if pairs else "")

    def presigned(self, method, path, query=(), **options):
        raw_path = sigv4.encode(path, safe="/")
        pairs = sigv4.presign(method, raw_path, list(query), [("Host", self.host)], self.key,
                              self.region, **options)
        return self.target(raw_path, pairs)

    def request(self, method, path, query=(), headers=(), body=b"", unsigned=(), keep=None,
                **options):
        """Sends one signed request; `unsigned` headers go along without being signed."""
        target, all_headers = self.signed(method, path, query, headers, body, **options)
        return self.send(method, target, [*all_headers, *unsigned], body, keep)

    def send(self, method, target, headers, body=b"", keep=None):
        connection = keep or self.connect()
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            if body or method in ("PUT", "POST"):
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body or None)
            response = connection.getresponse()
            content = response.read()
            fields = [(name.lower(), value) for name, value in response.getheaders()]
            return Reply(response.status, fields, content)
        finally:
            if keep is None:
                connection.close()

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def head(self, path, **options):
        return self.request("HEAD", path, **options)

    def put(self, path, body, **options):
        return self.request("PUT", path, body=body, **options)

    def delete(self, path, **options):
        return self.request("DELETE", path, **options)
