#!/usr/bin/env python3
"""A shaped link on loopback: relays TCP with a fixed delay and a bandwidth cap in each direction.

  shaped_link.py LISTEN_PORT TARGET_HOST TARGET_PORT [--rtt-ms 20] [--mb-per-s 100]

Every byte leaves half a round trip after it came in, and never faster than the cap, which all
connections of one direction share. GET a line of counters from the port of --stats-port.
It runs in one thread: a cap beyond some 500 MB/s is this program's own limit, not the link's.
"""
import argparse
import asyncio
import collections
import contextlib
import json
import signal

READ_MAX = 256 * 1024
# Bytes under way in one direction of one connection: 100 MB/s times 20 ms is 2 MB, so that the cap
# and not the window decides, and a peer that reads slowly still stops its sender.
WINDOW = 8 * 1024 * 1024


class Direction:
    """The cap of one direction: a clock that says when the next byte may leave. All connections."""

    def __init__(self, bytes_per_second):
        self.bytes_per_second = bytes_per_second
        self.free_at = 0.0
        self.bytes = 0

    def reserve(self, now, size):
        """Books `size` bytes on the wire; returns when the last of them has passed."""
        self.bytes += size
        self.free_at = max(self.free_at, now) + size / self.bytes_per_second
        return self.free_at


class Pipe:
    """One direction of one connection. Reads and writes apart: the delay holds nothing else up."""

    def __init__(self, reader, writer, direction, delay):
        self.reader = reader
        self.writer = writer
        self.direction = direction
        self.delay = delay
        self.pieces = collections.deque()  # (when it arrives, bytes); b"" is the end
        self.size = 0
        self.changed = asyncio.Event()

    async def fill(self):
        loop = asyncio.get_running_loop()
        while piece := await self.reader.read(READ_MAX):
            passed = self.direction.reserve(loop.time(), len(piece))
            self._add(passed + self.delay, piece)
            # The sender stops when the link is full, as it would on a real one.
            while self.size > WINDOW:
                await self._change()
        self._add(loop.time() + self.delay, b"")

    async def drain(self):
        loop = asyncio.get_running_loop()
        while True:
            while not self.pieces:
                await self._change()
            when, piece = self.pieces.popleft()
            await asyncio.sleep(when - loop.time())
            if not piece:
                self.writer.write_eof()
                return
            self.writer.write(piece)
            await self.writer.drain()
            self.size -= len(piece)
            self.changed.set()

    def _add(self, when, piece):
        self.size += len(piece)
        self.pieces.append((when, piece))
        self.changed.set()

    async def _change(self):
        self.changed.clear()
        await self.changed.wait()


class Relay:
    def __init__(self, target, rtt, bytes_per_second):
        self.target = target
        self.delay = rtt / 2
        self.directions = {"to_origin": Direction(bytes_per_second),
                           "from_origin": Direction(bytes_per_second)}
        self.connections_total = 0
        self.connections_open = 0

    async def accept(self, reader, writer):
        self.connections_total += 1
        self.connections_open += 1
        far_writer = None
        try:
            # Connecting over the link costs the same round trip as anything else.
            await asyncio.sleep(2 * self.delay)
            far_reader, far_writer = await asyncio.open_connection(*self.target, limit=READ_MAX)
            there = Pipe(reader, far_writer, self.directions["to_origin"], self.delay)
            back = Pipe(far_reader, writer, self.directions["from_origin"], self.delay)
            # An error on either side ends all four tasks, and with them both connections.
            async with asyncio.TaskGroup() as group:
                for work in (there.fill(), there.drain(), back.fill(), back.drain()):
                    group.create_task(work)
        except* OSError:
            pass
        finally:
            self.connections_open -= 1
            for end in (writer, far_writer):
                if end is not None:
                    end.close()

    async def answer_stats(self, reader, writer):
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            await reader.readuntil(b"\r\n\r\n")
            text = json.dumps({
                "connections_total": self.connections_total,
                "connections_open": self.connections_open,
                **{f"bytes_{name}": way.bytes for name, way in self.directions.items()}}) + "\n"
            writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
                         f"{len(text)}\r\nConnection: close\r\n\r\n{text}".encode())
            await writer.drain()
        writer.close()


async def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("listen_port", type=int)
    parser.add_argument("target_host")
    parser.add_argument("target_port", type=int)
    parser.add_argument("--rtt-ms", type=float, default=20)
    parser.add_argument("--mb-per-s", type=float, default=100)
    parser.add_argument("--stats-port", type=int)
    parser.add_argument("--label", help="anything, for whoever looks for this process")
    arguments = parser.parse_args()
    relay = Relay((arguments.target_host, arguments.target_port), arguments.rtt_ms / 1000,
                  arguments.mb_per_s * 1e6)
    await asyncio.start_server(relay.accept, "127.0.0.1", arguments.listen_port, limit=READ_MAX,
                               backlog=1024)
    if arguments.stats_port is not None:
        await asyncio.start_server(relay.answer_stats, "127.0.0.1", arguments.stats_port)
    ended = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, ended.set)
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(main())
