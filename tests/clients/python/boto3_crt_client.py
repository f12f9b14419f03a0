"""boto3 with the AWS Common Runtime: its checksums, and its transfer client.

Asked for that client, boto3 takes the endpoint from the environment and always speaks TLS, so the
transfer manager is made here as the aws command line makes it.
"""
import os

from awscrt.auth import AwsCredentialsProvider
from boto3_client import MIB, Boto3
from botocore.config import Config
from botocore.session import Session
from s3transfer.crt import (BotocoreCRTRequestSerializer, CRTTransferManager,
                            create_s3_crt_client)
from s3transfer.manager import TransferConfig
from served import serve


class Boto3Crt(Boto3):
    def connect(self, endpoint, access_key, secret_key):
        super().connect(endpoint, access_key, secret_key)
        self.serializer = BotocoreCRTRequestSerializer(
            Session(), {"region_name": "us-east-1", "endpoint_url": endpoint,
                        "config": Config(s3={"addressing_style": "path"})})
        provider = AwsCredentialsProvider.new_static(access_key, secret_key)
        self.crt = create_s3_crt_client(
            "us-east-1", provider, num_threads=2, use_ssl=endpoint.startswith("https:"),
            verify=os.environ.get("AWS_CA_BUNDLE"))

    def transfers(self, part_size):
        config = TransferConfig(multipart_threshold=part_size, multipart_chunksize=part_size)
        return CRTTransferManager(self.crt, self.serializer, config=config)

    def upload(self, bucket, key, path, part_size=None, checksum=None, metadata=None):
        with self.transfers(part_size or 8 * MIB) as transfers:
            extra = self.extra(checksum, metadata)
            transfers.upload(path, bucket, key, extra_args=extra).result()

    def download(self, bucket, key, path):
        with self.transfers(8 * MIB) as transfers:
            transfers.download(bucket, key, path).result()


serve(Boto3Crt())
