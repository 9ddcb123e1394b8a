"""What lies between the gateway and Mackerel: certificates good and bad, a proxy, a port that drops."""
import contextlib
import select
import socket
import ssl
import subprocess
import threading

AUTHORITY = """
[ca]
default_ca = all
[all]
database = {folder}/index
serial = {folder}/serial
new_certs_dir = {folder}
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = keyCertSign
[req]
distinguished_name = name
[name]
"""
VALID = ("20200101000000Z", "20990101000000Z")
EXPIRED = ("20200101000000Z", "20200201000000Z")


def _openssl(folder, *arguments):
    subprocess.run(
        ["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=30
    )


class Authority:
    """A certificate authority of its own in `folder`; `file` is what a client would trust."""

    def __init__(self, folder):
        self.folder = folder
        self.file = folder / "ca.pem"
        (folder / "ca.cnf").write_text(AUTHORITY.format(folder=folder))
        (folder / "index").write_text("")
        (folder / "serial").write_text("01\n")
        _openssl(
            folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", "ca.key", "-out", "ca.pem", "-days", "3650", "-subj", "/CN=test authority",
            "-config", "ca.cnf", "-extensions", "authority",
        )  # fmt: skip

    def server(self, name="localhost", dates=VALID):
        """An ssl.SSLContext of a server of that name."""
        _openssl(
            self.folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", "server.key", "-out", "server.csr", "-subj", f"/CN={name}",
            "-addext", f"subjectAltName=DNS:{name}", "-config", "ca.cnf",
        )  # fmt: skip
        _openssl(
            self.folder, "ca", "-batch", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key",
            "-in", "server.csr", "-out", "server.pem", "-startdate", dates[0], "-enddate", dates[1],
        )  # fmt: skip
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "server.pem", self.folder / "server.key")
        return context


class Forwarder:
    """Connections to `port` go on to `target`; cut() ends all of them and counts from there."""

    def __init__(self, target):
        self.target = target
        self.connections = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()
        self.cut()

    def cut(self):
        """Ends the connections with FIN, as a server does that has had enough of them."""
        for one in self.connections:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                self.connections.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with contextlib.suppress(OSError), client, self.open(client) as server:
            self.connections.append(server)
            pump(client, server)

    def open(self, _client):
        return socket.create_connection(self.target)


class ConnectProxy(Forwarder):
    """An HTTP proxy that knows CONNECT and nothing else; `asked` is what it was asked for."""

    def __init__(self):
        super().__init__(None)
        self.asked = []
        self.refusal = b""  # an answer instead of a tunnel

    def open(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096) or b"\r\n\r\n"
        method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
        self.asked.append((method, target))
        if self.refusal or method != "CONNECT":
            client.sendall(self.refusal or b"HTTP/1.1 405 Only CONNECT\r\nContent-Length: 0\r\n\r\n")
            raise OSError("refused")
        host, _, port = target.rpartition(":")
        server = socket.create_connection((host, int(port)))
        client.sendall(b"HTTP/1.1 200 Tunnel\r\n\r\n")
        return server


def pump(one, other):
    """Both directions, until one side ends."""
    while True:
        for ready in select.select([one, other], [], [])[0]:
            data = ready.recv(65536)
            if not data:
                return
            (other if ready is one else one).sendall(data)
