"""What the stand-in does wrong to order, and how the bytes of a broken answer look.

An answer can be another one (status, headers, body), late (delay_s), or broken on its way:

    reset     RST before a byte of it; with after=True the values were taken all the same
    half      the head, half of the body, then the end of the connection
    headless  half of the head, then the end of the connection
    short     says one length and sends less, with the connection left open: nothing more comes
    long      says one length and sends more: the rest lies in the way of the next answer
    endless   a body that goes on until the other side hangs up
    garbage   bytes that are no HTTP
"""
import dataclasses
import socket
import struct

BREAKS = ("", "reset", "half", "headless", "short", "long", "endless", "garbage")
SILENCE_S = 60  # how long a "short" answer is waited for at most
HTML = b"<html><title>Log in to this network</title><body>hello</body></html>"


@dataclasses.dataclass
class Fault:
    """What the next `times` requests on `path` get instead of an answer (or before it)."""

    path: str
    times: float
    status: int = 0  # 0: the ordinary answer
    headers: dict = dataclasses.field(default_factory=dict)
    body: bytes = b'{"error":{"message":"ordered by a test"}}'
    content_type: str = "application/json"
    delay_s: float = 0.0  # before the answer, once the request was read and judged
    broken: str = ""  # one of BREAKS
    after: bool = False  # take the values first: the sender cannot know
    method: str = ""  # "": any

    def __post_init__(self):
        assert self.broken in BREAKS, self.broken

    def fits(self, method, path):
        return path.startswith(self.path) and self.method in ("", method)

    @property
    def lets_through(self):
        """The request is judged and its values are taken, whatever becomes of the answer."""
        return self.after or (self.status == 0 and self.broken != "reset")


def _head(status, content_type, length, headers):
    lines = [f"HTTP/1.1 {status} Ordered", f"Content-Type: {content_type}"]
    lines += [] if length is None else [f"Content-Length: {length}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _wait_for_hang_up(connection):
    connection.settimeout(SILENCE_S)
    try:
        while connection.recv(65536):
            pass
    except OSError:
        pass


def _endless(connection, head):
    connection.sendall(head)
    try:
        while True:
            connection.sendall(b" " * 65536)
    except OSError:
        pass


def _half(connection, head, body):
    connection.sendall(head + body[: len(body) // 2])


def _headless(connection, head, _body):
    connection.sendall(head[: len(head) // 2])


def _short(connection, head, body):
    connection.sendall(head + body[:-1])
    _wait_for_hang_up(connection)


def _garbage(connection, _head_, _body):
    connection.sendall(b"\x16\x03\x01 this is no HTTP\r\n\r\n")


def send_broken(connection, fault, status, body, content_type, headers):
    """Writes the broken answer. True if the connection may serve another request."""
    if fault.broken == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False
    if fault.broken == "endless":
        _endless(connection, _head(status, content_type, None, headers))
        return False
    head = _head(status, content_type, len(body), headers)
    if fault.broken == "long":
        connection.sendall(head + body + b"}")
        return True
    ways = {"half": _half, "headless": _headless, "short": _short, "garbage": _garbage}
    ways[fault.broken](connection, head, body)
    return False
