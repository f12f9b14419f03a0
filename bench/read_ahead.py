#!/usr/bin/env python3
"""How often sequential readers of a device wait for it.

    FOREBAY_BIN=build/release/forebay .cache/venv/bin/python bench/read_ahead.py [--seconds 5]

Starts MinIO and a node with a slab file, warms objects that RAM cannot hold, and reads them whole
over 1, 32 and 300 connections. Prints as CSV, for each: the responses that ended, the reads of the
device, and the times that a reader had sent all that was here and waited for a read that only then
began, and for one that was under way (with a device slower than its readers there are many of
those). A response waits for its first read unless its lookup took longer.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/support"))

from minio import ALICE, Minio  # noqa: E402
from node import MIB, Node, wait_until  # noqa: E402

OBJECTS = 16
SIZE = 96 * MIB
BLOCKS = OBJECTS * SIZE // (4 * MIB)


def warm(minio, node, urls):
    """Objects on the device, and a file of their URLs for the load generator."""
    direct, through = minio.boto(), node.boto(ALICE)
    direct.create_bucket(Bucket="bench")
    lines = []
    for i in range(OBJECTS):
        name = {"Bucket": "bench", "Key": f"object{i}"}
        direct.put_object(**name, Body=bytes([i]) * SIZE)
        through.head_object(**name)
        url = through.generate_presigned_url("get_object", Params=name)
        lines.append(f"{url.removeprefix(node.endpoint)} {SIZE}\n")
    urls.write_text("".join(lines))
    wait_until(lambda: node.metric("forebay_cache_disk_used_slots") == BLOCKS, 120,
               "every block to be on the device")


def measure(node, urls, connections, seconds):
    names = (("forebay_requests_total", {"class": "2xx"}), ("forebay_cache_disk_reads_total", {}),
             ("forebay_cache_reader_waits_total", {"for": "disk"}),
             ("forebay_cache_reader_waits_total", {"for": "ahead"}))
    before = [node.metric(name, **labels) for name, labels in names]
    load = pathlib.Path(os.environ["FOREBAY_BIN"]).parent / "bench/forebay_load"
    out = subprocess.run([load, "--port", str(node.s3_port), "--urls", urls, "--warm-up", "0",
                          "--connections", str(connections), "--seconds", str(seconds)],
                         check=True, capture_output=True, text=True).stdout
    after = [node.metric(name, **labels) for name, labels in names]
    counts = [f"{b - a:.0f}" for a, b in zip(before, after)]
    print(",".join([str(connections), out.split(",")[4], *counts]), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        minio = Minio(folder / "minio")
        minio.start()
        access_key, secret_key, _ = ALICE
        node = Node(folder / "node", minio.endpoint,
                    [{"access_key": access_key, "secret_key": secret_key}],
                    {"memory": {"pool_size": "512MiB"}, "log": {"access": False},
                     "cache": {"devices": [{"path": str(folder / "slab"), "size": "2GiB"}]}})
        node.start()
        try:
            warm(minio, node, folder / "urls")
            print("connections,GBps,responses,device_reads,waits_for_new_reads,"
                  "waits_for_reads_ahead")
            for connections in (1, 32, 300):
                measure(node, folder / "urls", connections, args.seconds)
        finally:
            node.stop()
            minio.stop()


if __name__ == "__main__":
    main()
