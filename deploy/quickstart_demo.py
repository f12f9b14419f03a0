#!/usr/bin/env python3
"""Shows with boto3 what one node does: cold, hot, pre-staged, overwritten, revoked.

Every byte that is read is compared with what was written. Counters are the node's own /metrics.
"""
import argparse
import io
import os
import pathlib
import subprocess
import sys
import time
import urllib.request
import uuid

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

MIB = 1 << 20
LARGE, SINGLE, AHEAD = 256 * MIB, 48 * MIB, 64 * MIB
PARALLEL = TransferConfig(multipart_threshold=8 * MIB, multipart_chunksize=16 * MIB,
                          max_concurrency=8)
ONE_PUT = TransferConfig(multipart_threshold=1024 * MIB)
RGW = pathlib.Path(__file__).resolve().parents[1] / "tests" / "support" / "rgw.sh"


class Demo:
    def __init__(self, arguments):
        self.arguments = arguments
        self.prefix = f"forebay-quickstart-{uuid.uuid4().hex[:8]}/"
        self.node = self.client(arguments.node)
        self.origin = self.client(arguments.origin)
        self.bodies = {}
        self.rows = []

    def client(self, endpoint, access_key=None, secret_key=None):
        token = None if access_key else os.environ.get("AWS_SESSION_TOKEN")
        return boto3.client(
            "s3", endpoint_url=endpoint, region_name=self.arguments.region,
            aws_access_key_id=access_key or os.environ["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=secret_key or os.environ["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=token,
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"},
                          retries={"max_attempts": 1}, max_pool_connections=16))

    # --- counting ---------------------------------------------------------------------------

    def counters(self):
        """(origin requests, origin bytes) since the node started."""
        totals = {"forebay_origin_requests_total": 0, "forebay_origin_bytes_total": 0}
        with urllib.request.urlopen(self.arguments.admin + "/metrics", timeout=10) as answer:
            for line in answer.read().decode().splitlines():
                name = line.partition("{")[0].partition(" ")[0]
                if name in totals and 'direction="out"' not in line:
                    totals[name] += int(float(line.rpartition(" ")[2]))
        return tuple(totals.values())

    def at_rest(self):
        """The counters once no fill is under way any more."""
        last = self.counters()
        while True:
            time.sleep(0.3)
            now = self.counters()
            if now == last:
                return now
            last = now

    def step(self, title, work, size=None):
        before = self.at_rest()
        began = time.monotonic()
        work()
        took = time.monotonic() - began
        after = self.at_rest()
        self.rows.append((title, after[0] - before[0], after[1] - before[1], took, size))
        print(f"   {title}", flush=True)

    def print_table(self):
        print()
        if self.arguments.link:
            print(f"Origin behind a SHAPED LINK of {self.arguments.link}; loopback otherwise.")
        print(f"{'':42} {'origin':>9} {'origin':>13} {'':>8} {'':>7}")
        print(f"{'step':42} {'requests':>9} {'bytes':>13} {'seconds':>8} {'MB/s':>7}")
        for title, requests, sent, took, size in self.rows:
            rate = f"{size / took / 1e6:.0f}" if size else ""
            print(f"{title:42} {requests:>9,} {sent:>13,} {took:>8.2f} {rate:>7}")
        print("Origin bytes are object bytes that the origin sent. A hit still costs one origin "
              "request:\nmay this caller read, and which version is current?")

    # --- the work ---------------------------------------------------------------------------

    def make_body(self, key, size):
        """Random bytes, no megabyte like another."""
        seed = os.urandom(MIB - 4)
        self.bodies[key] = b"".join(n.to_bytes(4, "big") + seed for n in range(size // MIB))

    def upload(self, client, key, how):
        client.upload_fileobj(io.BytesIO(self.bodies[key]), self.arguments.bucket,
                              self.prefix + key, Config=how)

    def read(self, key):
        got = io.BytesIO()
        self.node.download_fileobj(self.arguments.bucket, self.prefix + key, got, Config=PARALLEL)
        expect(got.getvalue() == self.bodies[key], f"{key} came back different")

    def read_both(self):
        self.read("multipart")
        self.read("single-put")

    def head_and_wait(self):
        before = self.counters()[1]
        began = time.monotonic()
        self.node.head_object(Bucket=self.arguments.bucket, Key=self.prefix + "warmed")
        self.head_ms = (time.monotonic() - began) * 1000
        while self.counters()[1] < before + AHEAD and time.monotonic() - began < 60:
            time.sleep(0.05)

    def overwrite_and_read(self):
        """The same key, new bytes, straight to the origin; then a read through the node."""
        self.make_body("single-put", SINGLE)
        self.upload(self.origin, "single-put", ONE_PUT)
        self.read("single-put")

    def revoke_and_read(self):
        key = self.arguments.revoked_key
        caller = self.client(self.arguments.node, key, "SK" + key)
        hit = {"Bucket": self.arguments.bucket, "Key": self.prefix + "multipart",
               "Range": "bytes=0-99"}
        expect(caller.get_object(**hit)["Body"].read() == self.bodies["multipart"][:100],
               "the second key reads a hit")
        subprocess.run([RGW, "rm-key", self.arguments.embedded, key], check=True)
        try:
            caller.get_object(**hit)
        except ClientError as error:
            expect(error.response["ResponseMetadata"]["HTTPStatusCode"] == 403, str(error))
            return
        expect(False, "a revoked key still reads")

    def run(self):
        if self.arguments.embedded:
            try:
                self.origin.create_bucket(Bucket=self.arguments.bucket)
            except self.origin.exceptions.BucketAlreadyOwnedByYou:
                pass
            self.remove("forebay-quickstart-")  # of earlier runs: the gateway keeps all in memory
        both = LARGE + SINGLE
        for key, size in (("multipart", LARGE), ("single-put", SINGLE), ("warmed", AHEAD)):
            self.make_body(key, size)
        self.step("upload 256 MiB, multipart", lambda: self.upload(
            self.node, "multipart", PARALLEL), LARGE)
        self.step("upload 48 MiB, one PUT", lambda: self.upload(
            self.node, "single-put", ONE_PUT), SINGLE)
        self.step("read both, cold", self.read_both, both)
        self.step("read both again, hot", self.read_both, both)
        self.upload(self.origin, "warmed", ONE_PUT)
        self.step("HeadObject of 64 MiB, filled behind it", self.head_and_wait, AHEAD)
        self.step("read it for the first time", lambda: self.read("warmed"), AHEAD)
        self.step("overwritten at the origin, read new", self.overwrite_and_read)
        self.step("read the new version again, hot", lambda: self.read("single-put"), SINGLE)
        if self.arguments.embedded:
            self.step("key revoked at the origin, hit gives 403", self.revoke_and_read)
        self.print_table()
        print(f"HeadObject itself was answered in {self.head_ms:.0f} ms.")
        hot = [row for row in self.rows if "hot" in row[0] or "first time" in row[0]]
        expect(all(sent == 0 for _, _, sent, _, _ in hot), "a hit cost origin bytes")
        print("Every byte read was compared with what was written; no hit cost an origin byte.")

    def remove(self, prefix):
        """Deletes what is stored under `prefix`, with all versions where the bucket keeps them."""
        bucket = self.arguments.bucket
        for page in self.origin.get_paginator("list_object_versions").paginate(
                Bucket=bucket, Prefix=prefix):
            for version in page.get("Versions", []) + page.get("DeleteMarkers", []):
                self.origin.delete_object(Bucket=bucket, Key=version["Key"],
                                          VersionId=version["VersionId"])

    def clean(self):
        """Leaves nothing of the demo at an origin that is not ours."""
        bucket = self.arguments.bucket
        try:
            for upload in self.origin.list_multipart_uploads(
                    Bucket=bucket, Prefix=self.prefix).get("Uploads", []):
                self.origin.abort_multipart_upload(Bucket=bucket, Key=upload["Key"],
                                                   UploadId=upload["UploadId"])
        except ClientError as error:  # the objects must go all the same
            print(f"Unfinished uploads under {self.prefix} could not be looked for: {error}")
        try:
            self.remove(self.prefix)
        except ClientError:  # not everybody may list versions: delete by name
            for key in self.bodies:
                self.origin.delete_object(Bucket=bucket, Key=self.prefix + key)
        left = self.origin.list_objects_v2(Bucket=bucket, Prefix=self.prefix)
        expect(not left.get("Contents"), "the origin is not clean")
        print(f"Removed the demo's objects under {self.prefix} again.")


def expect(condition, what):
    if not condition:
        sys.exit(f"quickstart: {what}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--node", "--admin", "--origin", "--bucket", "--region"):
        parser.add_argument(name, required=True)
    parser.add_argument("--embedded", help="folder of the embedded gateway, where there is one")
    parser.add_argument("--revoked-key", help="a key of the embedded gateway to revoke")
    parser.add_argument("--link", help="what to say about the link to the origin")
    demo = Demo(parser.parse_args())
    try:
        demo.run()
    finally:
        if not demo.arguments.embedded:
            demo.clean()


if __name__ == "__main__":
    main()
