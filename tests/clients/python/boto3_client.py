"""boto3 with its own transfer manager."""
import boto3
import botocore.exceptions
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from served import serve, write

MIB = 1 << 20


class Boto3:
    def client(self, **config):
        return boto3.client("s3", endpoint_url=self.endpoint, region_name="us-east-1",
                            aws_access_key_id=self.access_key,
                            aws_secret_access_key=self.secret_key, config=Config(**config))

    def connect(self, endpoint, access_key, secret_key):
        self.endpoint, self.access_key, self.secret_key = endpoint, access_key, secret_key
        self.s3 = self.client()

    @staticmethod
    def extra(checksum, metadata):
        extra = {"ChecksumAlgorithm": checksum} if checksum else {}
        return extra | ({"Metadata": metadata} if metadata else {})

    def upload(self, bucket, key, path, part_size=None, checksum=None, metadata=None):
        part_size = part_size or 8 * MIB
        config = TransferConfig(multipart_threshold=part_size, multipart_chunksize=part_size)
        self.s3.upload_file(path, bucket, key, ExtraArgs=self.extra(checksum, metadata),
                            Config=config)

    def download(self, bucket, key, path):
        self.s3.download_file(bucket, key, path)

    def download_range(self, bucket, key, path, first, last):
        reply = self.s3.get_object(Bucket=bucket, Key=key, Range=f"bytes={first}-{last}")
        write(path, reply["Body"].read())

    def list(self, bucket, prefix):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def copy(self, bucket, key, to):
        self.s3.copy({"Bucket": bucket, "Key": key}, bucket, to)

    def delete(self, bucket, keys):
        if len(keys) == 1:
            self.s3.delete_object(Bucket=bucket, Key=keys[0])
            return
        objects = [{"Key": key} for key in keys]
        reply = self.s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})
        assert "Errors" not in reply, reply

    def make_bucket(self, bucket):
        self.s3.create_bucket(Bucket=bucket)

    def remove_bucket(self, bucket):
        self.s3.delete_bucket(Bucket=bucket)

    def presign(self, bucket, key, version=None):
        """Without a version, as boto3 does by itself: that is SigV2 outside AWS."""
        client = self.client(signature_version="s3v4") if version == 4 else self.s3
        return client.generate_presigned_url("get_object", {"Bucket": bucket, "Key": key})

    @staticmethod
    def code(error):
        if isinstance(error, botocore.exceptions.ClientError):
            return error.response["Error"]["Code"]
        return None


if __name__ == "__main__":
    serve(Boto3())
