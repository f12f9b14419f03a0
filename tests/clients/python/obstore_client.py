"""obstore, which is the object_store of Rust."""
import datetime
import os
import re

import obstore
from obstore.store import S3Store
from served import read, serve, write


class Obstore:
    def connect(self, endpoint, access_key, secret_key):
        self.options = {"endpoint": endpoint, "access_key_id": access_key, "region": "us-east-1",
                        "secret_access_key": secret_key, "virtual_hosted_style_request": False}

    def store(self, bucket, **options):
        certificate = os.environ.get("SSL_CERT_FILE")
        client = {"allow_http": True}
        if certificate:
            client["root_certificate"] = read(certificate)
        return S3Store(bucket, client_options=client, **self.options, **options)

    def upload(self, bucket, key, path, part_size=None, checksum=None, metadata=None):
        options = {"checksum_algorithm": checksum.lower()} if checksum else {}
        obstore.put(self.store(bucket, **options), key, read(path), attributes=metadata,
                    use_multipart=part_size is not None, chunk_size=part_size or 5 << 20)

    def download(self, bucket, key, path):
        with open(path, "wb") as file:
            for chunk in obstore.get(self.store(bucket), key):
                file.write(chunk)

    def download_range(self, bucket, key, path, first, last):
        write(path, obstore.get_range(self.store(bucket), key, start=first, end=last + 1))

    def list(self, bucket, prefix):
        pages = obstore.list(self.store(bucket), prefix=prefix)
        return [item["path"] for page in pages for item in page]

    def copy(self, bucket, key, to):
        obstore.copy(self.store(bucket), key, to)

    def delete(self, bucket, keys):
        obstore.delete(self.store(bucket), keys)

    def presign(self, bucket, key, version=None):
        return obstore.sign(self.store(bucket), "GET", key, datetime.timedelta(minutes=10))

    @staticmethod
    def code(error):
        named = re.search(r"<Code>(\w+)</Code>", str(error))
        return named[1] if named else type(error).__name__


serve(Obstore())
