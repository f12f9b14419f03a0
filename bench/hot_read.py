#!/usr/bin/env python3
"""Hot and cold reads through one node, beside nginx in the same run.

    .cache/venv/bin/python bench/hot_read.py [--build build/release] [--seconds 3] [--rounds 3]

Starts a Ceph gateway, a node, and nginx twice (static files; proxy_cache with slice in front of
the gateway), all on loopback, and reads the same bytes from each in turn. Prints every point as
CSV and, at the end, medians of the server's CPU seconds per GiB and of GB/s. Needs Debian's
nginx-light and the release build (cmake --preset release && cmake --build --preset release).
"""
import argparse
import csv
import io
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import boto3
from botocore.config import Config

ROOT = pathlib.Path(__file__).resolve().parent.parent
OBJECTS = 4
OBJECT_SIZE = 128 << 20
KIB = 1024


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for_port(port, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit(f"nothing listens on port {port}")


def s3(url):
    config = Config(signature_version="s3v4", s3={"addressing_style": "path"})
    return boto3.client("s3", endpoint_url=url, aws_access_key_id="AKALICE",
                        aws_secret_access_key="SKALICE", region_name="us-east-1", config=config)


def start_nginx(folder, name, port, body):
    home = folder / name
    home.mkdir()
    conf = home / "nginx.conf"
    conf.write_text(f"""worker_processes 2;
pid {home}/pid;
error_log {home}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {home}/body;
  proxy_temp_path {home}/proxy;
  fastcgi_temp_path {home}/fastcgi;
  uwsgi_temp_path {home}/uwsgi;
  scgi_temp_path {home}/scgi;
  sendfile on;
  keepalive_requests 100000000;
{body}
}}
""")
    process = subprocess.Popen(["nginx", "-c", str(conf), "-g", "daemon off;"])
    wait_for_port(port)
    return process


def descendants(pid):
    found = [pid]
    for parent in found:
        path = pathlib.Path(f"/proc/{parent}/task/{parent}/children")
        found += [int(child) for child in path.read_text().split()]
    return found


class Bench:
    def __init__(self, args, folder):
        self.args = args
        self.folder = folder
        self.processes = {}
        self.rows = []

    def start_origin(self):
        rgw = ROOT / "tests/support/rgw.sh"
        out = subprocess.run([rgw, "up", self.folder / "rgw"], check=True, capture_output=True,
                             text=True)
        self.origin = out.stdout.strip().splitlines()[-1]

    def stop_origin(self):
        subprocess.run([ROOT / "tests/support/rgw.sh", "down", self.folder / "rgw"], check=False)

    def start_node(self):
        self.node_port = free_port()
        credentials = self.folder / "credentials.yaml"
        credentials.write_text("credentials:\n  - { access_key: AKALICE, secret_key: SKALICE }\n")
        credentials.chmod(0o600)
        config = self.folder / "forebay.yaml"
        config.write_text(f"""
listen: {{ s3: 127.0.0.1:{self.node_port}, admin: 127.0.0.1:{free_port()} }}
origin: {{ endpoint: "{self.origin}" }}
auth: {{ credentials_file: {credentials} }}
cache: {{ devices: [ {{ path: {self.folder}/slab, size: 2GiB }} ] }}
memory: {{ pool_size: {self.args.pool} }}
log: {{ access: false }}
""")
        self.processes["forebay"] = subprocess.Popen(
            [ROOT / self.args.build / "forebay", "serve", "--config", config],
            stderr=open(self.folder / "forebay.log", "w"))
        wait_for_port(self.node_port)

    def upload(self):
        client = s3(self.origin)
        client.create_bucket(Bucket="bench")
        files = self.folder / "www/bench"
        files.mkdir(parents=True)
        for i in range(OBJECTS):
            path = files / f"object{i}"
            path.write_bytes(os.urandom(1 << 20) * (OBJECT_SIZE >> 20))
            client.upload_file(str(path), "bench", path.name)
            client.put_object_acl(Bucket="bench", Key=path.name, ACL="public-read")

    def write_urls(self):
        node = s3(f"http://127.0.0.1:{self.node_port}")
        signed, plain = self.folder / "signed", self.folder / "plain"
        with open(signed, "w") as s, open(plain, "w") as p:
            for i in range(OBJECTS):
                params = {"Bucket": "bench", "Key": f"object{i}"}
                url = node.generate_presigned_url("get_object", Params=params, ExpiresIn=86400)
                s.write(f"{url.split(str(self.node_port), 1)[1]} {OBJECT_SIZE}\n")
                p.write(f"/bench/object{i} {OBJECT_SIZE}\n")
        self.urls = {"forebay": signed, "nginx-static": plain, "nginx-slice": plain}

    def start_peers(self):
        static, sliced = free_port(), free_port()
        self.ports = {"forebay": self.node_port, "nginx-static": static, "nginx-slice": sliced}
        self.processes["nginx-static"] = start_nginx(
            self.folder, "static", static,
            f"server {{ listen 127.0.0.1:{static}; root {self.folder}/www; }}")
        self.processes["nginx-slice"] = start_nginx(
            self.folder, "slice", sliced,
            f"""proxy_cache_path {self.folder}/slice/cache keys_zone=z:16m max_size=4g;
server {{ listen 127.0.0.1:{sliced}; slice 4m; proxy_cache z;
  proxy_cache_key $uri$slice_range; proxy_set_header Range $slice_range;
  proxy_http_version 1.1; proxy_cache_valid 200 206 1h;
  location / {{ proxy_pass {self.origin}; }} }}""")

    def point(self, server, workload, connections, range_size, seconds):
        pids = [str(p) for p in descendants(self.processes[server].pid)]
        command = [ROOT / self.args.build / "bench/forebay_load", "--port", str(self.ports[server]),
                   "--urls", self.urls[server], "--connections", str(connections),
                   "--range", str(range_size), "--seconds", str(seconds),
                   "--label", f"{server}/{workload}", "--pids", *pids]
        out = subprocess.run(command, capture_output=True, text=True, check=False)
        if out.returncode != 0:
            sys.exit(f"{server}/{workload}: {out.stderr}")
        print(out.stdout, end="", flush=True)
        self.rows.append((server, workload, out.stdout.strip()))

    def run(self):
        header = subprocess.run([ROOT / self.args.build / "bench/forebay_load", "--header"],
                                capture_output=True, text=True, check=True).stdout
        print(header, end="")
        for server in self.ports:  # fills every cache
            self.point(server, "warm-up", 4, 0, 4)
        workloads = [("16MiB/c32", 32, 16384 * KIB), ("1MiB/c32", 32, 1024 * KIB),
                     ("64KiB/c32", 32, 64 * KIB), ("16MiB/c300", 300, 16384 * KIB)]
        for _ in range(self.args.rounds):
            for name, connections, size in workloads:
                for server in self.ports:
                    self.point(server, name, connections, size, self.args.seconds)
        self.summary(header, [name for name, _, _ in workloads])

    def summary(self, header, workloads):
        fields = header.strip().split(",")
        print("\nmedians: server CPU seconds per GiB (GB/s)")
        print(f"{'':14}" + "".join(f"{w:>20}" for w in workloads))
        for server in self.ports:
            cells = []
            for workload in workloads:
                lines = [dict(zip(fields, next(csv.reader(io.StringIO(line)))))
                         for s, w, line in self.rows if (s, w) == (server, workload)]
                cpu = statistics.median(float(r["server_cpu_s_per_GiB"]) for r in lines)
                rate = statistics.median(float(r["GBps"]) for r in lines)
                cells.append(f"{cpu:10.3f} ({rate:5.2f})")
            print(f"{server:14}" + "".join(f"{c:>20}" for c in cells))

    def stop(self):
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            process.wait(30)
        self.stop_origin()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pool", default="1GiB",
                        help="memory.pool_size: below 512MiB reads come from disk")
    args = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="forebay-bench-"))
    folder.chmod(0o755)
    bench = Bench(args, folder)
    try:
        bench.start_origin()
        bench.start_node()
        bench.upload()
        bench.write_urls()
        bench.start_peers()
        bench.run()
    finally:
        bench.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
