"""HTTP by hand, for what no client library would send."""
import socket
import struct


class RawConnection:
    """A TCP connection that sends the bytes it is told and parses answers one by one."""

    def __init__(self, address, timeout=10, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect(address)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)
        return self

    def reset(self):
        """Closes with RST, as a crashed client's kernel does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def _fill(self):
        piece = self.socket.recv(65536)
        if not piece:
            raise ConnectionError("closed")
        self.buffer += piece

    def head(self):
        """(status, headers with lower-case names) of the next answer; its body stays unread."""
        while b"\r\n\r\n" not in self.buffer:
            self._fill()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        fields = (line.partition(":") for line in lines)
        return int(first.split(" ")[1]), {n.lower(): v.strip() for n, _, v in fields}

    def body(self, size):
        taken = bytearray(self.buffer[:size])
        self.buffer = self.buffer[size:]
        while len(taken) < size:
            piece = self.socket.recv(min(size - len(taken), 1 << 20))
            if not piece:
                raise ConnectionError("closed")
            taken += piece
        return bytes(taken)

    def answer(self):
        """(status, headers, body) of an answer with a Content-Length, or none at all."""
        status, headers = self.head()
        return status, headers, self.body(int(headers.get("content-length", 0)))

    def closed(self):
        """Reads to the end; True when the peer closed, False when it still waits at the timeout."""
        try:
            while piece := self.socket.recv(65536):
                self.buffer += piece
            return True
        except ConnectionError:
            return True
        except TimeoutError:
            return False


def request_bytes(method, target, headers, body=b"", version="HTTP/1.1"):
    lines = [f"{method} {target} {version}", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body
