"""pyarrow.fs.S3FileSystem, which is the C++ SDK of AWS."""
import os
import re
import shutil

from pyarrow import fs
from served import read, serve, write


class PyArrow:
    def connect(self, endpoint, access_key, secret_key):
        scheme, _, address = endpoint.partition("://")
        self.s3 = fs.S3FileSystem(access_key=access_key, secret_key=secret_key, region="us-east-1",
                                  endpoint_override=address, scheme=scheme,
                                  allow_bucket_creation=True, allow_bucket_deletion=True,
                                  tls_ca_file_path=os.environ.get("SSL_CERT_FILE", ""))

    def upload(self, bucket, key, path, part_size=None, metadata=None):
        """A stream becomes a multipart upload once it outgrows what the library holds back."""
        with self.s3.open_output_stream(f"{bucket}/{key}", metadata=metadata) as stream:
            stream.write(read(path))

    def download(self, bucket, key, path):
        with self.s3.open_input_stream(f"{bucket}/{key}") as stream, open(path, "wb") as file:
            shutil.copyfileobj(stream, file, 1 << 20)

    def download_range(self, bucket, key, path, first, last):
        with self.s3.open_input_file(f"{bucket}/{key}") as file:
            file.seek(first)
            write(path, file.read(last - first + 1))

    def list(self, bucket, prefix):
        """Of a folder: the library has no other listing."""
        selector = fs.FileSelector(f"{bucket}/{prefix}".rstrip("/"), recursive=True)
        found = self.s3.get_file_info(selector)
        return [info.path.partition("/")[2] for info in found if info.type == fs.FileType.File]

    def copy(self, bucket, key, to):
        self.s3.copy_file(f"{bucket}/{key}", f"{bucket}/{to}")

    def delete(self, bucket, keys):
        for key in keys:
            self.s3.delete_file(f"{bucket}/{key}")

    def make_bucket(self, bucket):
        self.s3.create_dir(bucket)

    def remove_bucket(self, bucket):
        self.s3.delete_dir(bucket)

    @staticmethod
    def code(error):
        """As S3 spells it: the library says NO_SUCH_BUCKET."""
        if isinstance(error, FileNotFoundError):
            return "FileNotFoundError"
        named = re.search(r"AWS Error ([A-Z_]+)", str(error))
        return named[1].title().replace("_", "") if named else None


serve(PyArrow())
