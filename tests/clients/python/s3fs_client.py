"""s3fs, the fsspec file system that pandas, dask and PyTorch loaders open s3:// by."""
import s3fs
from served import serve, write


class S3fs:
    def connect(self, endpoint, access_key, secret_key):
        self.login = {"key": access_key, "secret": secret_key, "endpoint_url": endpoint}
        self.s3 = self.file_system()

    def file_system(self, **config):
        return s3fs.S3FileSystem(**self.login, client_kwargs={"region_name": "us-east-1"},
                                 config_kwargs=config, use_listings_cache=False,
                                 skip_instance_cache=True)

    def upload(self, bucket, key, path, part_size=None, metadata=None):
        extra = {"Metadata": metadata} if metadata else {}
        self.s3.put_file(path, f"{bucket}/{key}", chunksize=part_size or 50 << 20, **extra)

    def download(self, bucket, key, path):
        self.s3.get_file(f"{bucket}/{key}", path)

    def download_range(self, bucket, key, path, first, last):
        write(path, self.s3.cat_file(f"{bucket}/{key}", start=first, end=last + 1))

    def list(self, bucket, prefix):
        return [name.partition("/")[2] for name in self.s3.find(f"{bucket}/{prefix}")]

    def copy(self, bucket, key, to):
        self.s3.copy(f"{bucket}/{key}", f"{bucket}/{to}")

    def delete(self, bucket, keys):
        self.s3.rm([f"{bucket}/{key}" for key in keys])

    def make_bucket(self, bucket):
        self.s3.mkdir(bucket)

    def remove_bucket(self, bucket):
        self.s3.rmdir(bucket)

    def presign(self, bucket, key, version=None):
        """Without a version, as it does by itself: by SigV2."""
        s3 = self.file_system(signature_version="s3v4") if version == 4 else self.s3
        return s3.sign(f"{bucket}/{key}")

    @staticmethod
    def code(error):
        """Of what botocore said, of which s3fs makes an OSError."""
        cause = error.__cause__
        return cause.response["Error"]["Code"] if hasattr(cause, "response") else None


serve(S3fs())
