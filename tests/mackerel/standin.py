#!/usr/bin/env python3
"""A stand-in for the Mackerel API: strict, in memory, with faults to order.

It shares nothing with the gateway but the public documentation of the API. As a library:

    with StandIn() as api:
        host = api.add_host("web-1")
        ... point the gateway at api.url with the key api.key ...
        assert api.violations == []
        api.latest("host", host, "loadavg5", minute)

As a program it prints its address and then every post, until it is interrupted:

    python3 tests/mackerel/standin.py --port 0 --host web-1
"""
import argparse
import collections
import dataclasses
import itertools
import json
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import faults
import strict
from faults import Fault
from graphs import Graphs

POSTS_PER_MINUTE = 4  # of one service; the API does not say how many are too many
STATUSES = ("working", "standby", "maintenance", "poweroff")


class Refusal(Exception):
    """An answer other than 200."""

    def __init__(self, status, message, *, violation=True):
        super().__init__(message)
        self.status, self.message, self.violation = status, message, violation


@dataclasses.dataclass
class Request:
    at_s: float
    method: str
    path: str
    status: int
    headers: dict
    body: bytes


def roles_of(fullnames):
    """{service: [role]} of a new host; both names have the grammar of services."""
    roles = {}
    for fullname in fullnames:
        service, colon, role = fullname.partition(":")
        if not (colon and strict.is_service_name(service) and strict.is_service_name(role)):
            raise Refusal(400, f"{fullname!r} is no role")
        roles.setdefault(service, []).append(role)
    return roles


class StandIn:
    """The API of one organisation. All methods may be called from any thread."""

    def __init__(
        self, port=0, key="stand-in-key-7Hq", posts_per_minute=POSTS_PER_MINUTE, *, tls=None
    ):
        """`tls`: an ssl.SSLContext with a certificate; the URL is then https://localhost."""
        self.key = key
        self.old_keys = set()  # accepted as well: see rotate_key()
        self.posts_per_minute = posts_per_minute  # of one service
        self.host_posts_per_minute = None  # of all hosts together; None: no limit
        self.takes_part = False  # a post with a bad value: refused whole, or the rest is taken
        self.values = {}  # (kind, id, name, minute) -> [every value posted for it]
        self.violations = []
        self.requests = []
        self.refused = collections.Counter()  # status -> how often we ourselves refused
        self.hosts = {}  # id -> description
        self.services = {}  # name -> description
        self.graphs = Graphs()  # definitions of graphs of host metrics
        self.on_post = None
        self._faults = []
        self._posts = collections.defaultdict(list)  # service, "" for hosts -> times
        self._ids = itertools.count(1)
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.api = self
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        if tls:
            self.url = f"https://localhost:{self.port}"
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    # --- what a test arranges

    def add_host(self, name, *, status="working", custom_identifier=None, host_id=None):
        with self._lock:
            host_id = host_id or f"5tAnD{next(self._ids):06d}"
            self.hosts[host_id] = {
                "id": host_id,
                "name": name,
                "status": status,
                "customIdentifier": custom_identifier,
                "memo": "",
                "isRetired": False,
                "roles": {},
                "meta": {},
                "type": "unknown",
                "createdAt": int(time.time()),
            }
            return host_id

    def retire(self, host_id):
        with self._lock:
            self.hosts[host_id]["isRetired"] = True
            self.hosts[host_id]["retiredAt"] = int(time.time())

    def add_service(self, name):
        with self._lock:
            self.services[name] = {"name": name, "memo": "", "roles": []}

    def put_value(self, host_id, name, time_s, value):
        """A value that another writer, such as mackerel-agent, has posted."""
        with self._lock:
            self.values.setdefault(("host", host_id, name, time_s), []).append(value)

    def fault(self, path, times=1, **what):
        """The next `times` requests whose path begins with `path` get `what` (see Fault)."""
        with self._lock:
            self._faults.append(Fault(path, times, **what))

    def faults_left(self):
        with self._lock:
            return sum(fault.times for fault in self._faults)

    def clear_faults(self):
        with self._lock:
            self._faults.clear()

    def rotate_key(self, key, *, overlap=False):
        """From now on another key; with an overlap the old one goes on until end_overlap()."""
        with self._lock:
            if overlap:
                self.old_keys.add(self.key)
            self.key = key

    def end_overlap(self):
        with self._lock:
            self.old_keys.clear()

    # --- what a test asks

    def latest(self, kind, owner, name, minute):
        with self._lock:
            posted = self.values.get((kind, owner, name, minute))
            return posted[-1] if posted else None

    def series(self, kind, owner, name):
        """{minute: newest value} of one metric."""
        with self._lock:
            return {
                key[3]: posted[-1]
                for key, posted in sorted(self.values.items())
                if key[:3] == (kind, owner, name)
            }

    def names(self, kind, owner):
        with self._lock:
            return sorted({key[2] for key in self.values if key[:2] == (kind, owner)})

    def wait(self, condition, timeout_s):
        """Waits until condition() holds; looks again after each request. True if it came true."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while not condition():
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(min(left, 0.2))
            return True

    # --- endpoints, called with the lock held

    def get_org(self, _query, _body):
        return {"name": "stand-in", "displayName": "Stand-in"}

    def get_services(self, _query, _body):
        return {"services": list(self.services.values())}

    def post_services(self, _query, body):
        name = body.get("name") if isinstance(body, dict) else None
        if not isinstance(name, str) or not strict.is_service_name(name):
            raise Refusal(400, f"{name!r} is no service name")
        if name in self.services:
            raise Refusal(400, f"service {name} exists", violation=False)
        self.add_service(name)
        return self.services[name]

    def get_hosts(self, query, _body):
        unknown = set(query) - {"name", "status", "customIdentifier", "service", "role"}
        if unknown:
            raise Refusal(400, f"unknown parameters {sorted(unknown)}")
        statuses = query.get("status", ["working", "standby"])
        if not set(statuses) <= set(STATUSES):
            raise Refusal(400, f"unknown status in {statuses}")
        found = [h for h in self.hosts.values() if not h["isRetired"] and h["status"] in statuses]
        for parameter, key in (("name", "name"), ("customIdentifier", "customIdentifier")):
            if parameter in query:
                found = [h for h in found if h[key] == query[parameter][0]]
        return {"hosts": found}

    def get_host(self, host_id):
        if host_id not in self.hosts:
            raise Refusal(404, "Host Not Found.", violation=False)
        return {"host": self.hosts[host_id]}

    def get_host_by_identifier(self, identifier):
        for host in self.hosts.values():
            if host["customIdentifier"] == identifier and not host["isRetired"]:
                return {"host": host}
        raise Refusal(404, "Host Not Found.", violation=False)

    def post_hosts(self, _query, body):
        if not isinstance(body, dict) or not isinstance(body.get("name"), str) or not body["name"]:
            raise Refusal(400, "a host needs a name")
        if not isinstance(body.get("meta"), dict):
            raise Refusal(400, "a host needs meta, an object")
        known = {"name", "meta", "displayName", "customIdentifier", "memo", "interfaces"}
        unknown = set(body) - known - {"roleFullnames", "checks"}
        if unknown:
            raise Refusal(400, f"unknown keys {sorted(unknown)}")
        identifier = body.get("customIdentifier") or None
        if identifier and any(
            h["customIdentifier"] == identifier and not h["isRetired"] for h in self.hosts.values()
        ):
            raise Refusal(400, f"{identifier} is another host's custom identifier")
        roles = roles_of(body.get("roleFullnames") or [])
        host_id = self.add_host(body["name"], status="standby", custom_identifier=identifier)
        self.hosts[host_id] |= {"meta": body["meta"], "roles": roles}
        return {"id": host_id}

    def get_latest(self, query, _body):
        hosts, names = query.get("hostId", []), query.get("name", [])
        if not hosts or not names:
            raise Refusal(400, "tsdb/latest needs hostId and name")
        if set(query) - {"hostId", "name"}:
            raise Refusal(400, f"unknown parameters in {sorted(query)}")
        answer = {}
        for host_id in hosts:
            if host_id not in self.hosts:
                raise Refusal(404, "Host Not Found.", violation=False)
            answer[host_id] = {}
            for name in names:
                minutes = self.series("host", host_id, name)
                if minutes:
                    newest = max(minutes)
                    answer[host_id][name] = {"time": newest, "value": minutes[newest]}
        return {"tsdbLatest": answer}

    def post_tsdb(self, _query, body):
        if self.host_posts_per_minute is not None:
            self._count_post("", self.host_posts_per_minute, "of host metrics")
        self._check(body, "host")
        for host_id in {item["hostId"] for item in body}:
            if host_id not in self.hosts:
                raise Refusal(404, f"host {host_id} does not exist")
            if self.hosts[host_id]["isRetired"]:
                raise Refusal(404, f"host {host_id} is retired")
        for item in body:
            self._take("host", item["hostId"], item)
        self.graphs.see(item["name"] for item in body)
        return {"success": True}

    def post_graphs(self, _query, body):
        found = strict.check_graphs(body)
        if found:
            self.violations += found[1:]
            raise Refusal(400, found[0])
        self.graphs.post(body)
        return {"success": True}

    def post_service_tsdb(self, service, body):
        if not strict.is_service_name(service):
            raise Refusal(400, f"{service!r} is no service name")
        if service not in self.services:
            raise Refusal(404, f"service {service} does not exist")
        self._count_post(service, self.posts_per_minute, f"to {service}")
        self._check(body, "service", service)
        for item in body:
            self._take("service", service, item)
        return {"success": True}

    def _count_post(self, owner, limit, of_what):
        now = time.monotonic()
        recent = [at for at in self._posts[owner] if now - at < 60]
        self._posts[owner] = recent
        if len(recent) >= limit:
            raise Refusal(429, f"more than {limit} posts a minute {of_what}")
        recent.append(now)

    def _check(self, body, kind, service=""):
        fatal, harmless = strict.check_post(body, kind, time.time())
        self.violations += harmless
        if fatal:
            self.violations += fatal[1:]
            if self.takes_part:
                self._take_part(body, kind, service)
            raise Refusal(400, fatal[0])

    def _take_part(self, body, kind, service):
        for item in body if isinstance(body, list) else []:
            if not strict.check_value(item, kind, time.time())[0]:
                self._take(kind, service or item["hostId"], item)

    def _take(self, kind, owner, item):
        key = (kind, owner, item["name"], item["time"])
        self.values.setdefault(key, []).append(item["value"])

    # --- requests

    def _next_fault(self, method, path):
        for fault in self._faults:
            if fault.fits(method, path):
                fault.times -= 1
                if fault.times == 0:
                    self._faults.remove(fault)
                return fault
        return None

    def _dispatch(self, method, path, query, body):
        fixed = {
            ("GET", "/api/v0/org"): self.get_org,
            ("GET", "/api/v0/services"): self.get_services,
            ("POST", "/api/v0/services"): self.post_services,
            ("GET", "/api/v0/hosts"): self.get_hosts,
            ("POST", "/api/v0/hosts"): self.post_hosts,
            ("GET", "/api/v0/tsdb/latest"): self.get_latest,
            ("POST", "/api/v0/tsdb"): self.post_tsdb,
            ("POST", "/api/v0/graph-defs/create"): self.post_graphs,
        }
        if (method, path) in fixed:
            return fixed[method, path](query, body)
        parts = path.split("/")[3:]  # "", "api", "v0", ...
        last = urllib.parse.unquote(parts[1]) if len(parts) > 1 else ""
        if method == "GET" and len(parts) == 2 and parts[0] == "hosts":
            return self.get_host(last)
        if method == "GET" and len(parts) == 2 and parts[0] == "hosts-by-custom-identifier":
            return self.get_host_by_identifier(last)
        if method == "POST" and len(parts) == 3 and (parts[0], parts[2]) == ("services", "tsdb"):
            return self.post_service_tsdb(last, body)
        raise Refusal(404, f"no endpoint {method} {path}")

    def _check_head(self, handler, method, body):
        key = handler.headers.get("X-Api-Key")
        if handler.request_version != "HTTP/1.1":
            self.violations.append(f"{handler.request_version} instead of HTTP/1.1")
        if not handler.headers.get("Host"):
            raise Refusal(400, "no Host header")
        if key is None:
            raise Refusal(401, "no X-Api-Key")
        if key != self.key and key not in self.old_keys:
            raise Refusal(403, "wrong X-Api-Key", violation=False)
        if method not in ("POST", "PUT"):
            return
        media_type = handler.headers.get("Content-Type", "").split(";")[0].strip()
        if media_type != "application/json":
            raise Refusal(400, f"Content-Type {media_type!r}")
        if handler.headers.get("Content-Encoding"):
            raise Refusal(400, "a body with Content-Encoding")
        hosts = handler.path.startswith("/api/v0/tsdb")
        if len(body) > (strict.MAX_HOST_BODY_BYTES if hosts else strict.MAX_BODY_BYTES):
            raise Refusal(413, f"a body of {len(body)} bytes")

    def answer(self, handler, method, target, body):
        """(status, answer) to one request."""
        path, _, query = target.partition("?")
        try:
            self._check_head(handler, method, body)
            parsed = None
            if method in ("POST", "PUT"):
                try:
                    parsed = strict.parse_json(body)
                except ValueError as error:
                    raise Refusal(400, f"not JSON: {error}") from None
            return 200, self._dispatch(method, path, urllib.parse.parse_qs(query), parsed)
        except Refusal as refusal:
            if refusal.violation:
                self.violations.append(f"{method} {path}: {refusal.message}")
            self.refused[refusal.status] += 1
            return refusal.status, {"error": {"message": refusal.message}}

    def serve(self, handler, method, body):
        """Called by the handler's thread; sends the answer."""
        with self._changed:
            fault = self._next_fault(method, handler.path)
            if fault is None or fault.lets_through:
                status, answer = self.answer(handler, method, handler.path, body)
            else:
                status, answer = fault.status, None
            content, media_type, headers = json.dumps(answer).encode(), "application/json", {}
            if fault:
                headers = fault.headers
            if fault and fault.status:
                status, content, media_type = fault.status, fault.body, fault.content_type
            if fault and fault.broken == "reset":
                status = 0
            self.requests.append(
                Request(time.time(), method, handler.path, status, dict(handler.headers), body)
            )
            self._changed.notify_all()
        if self.on_post and method == "POST":
            self.on_post(handler.path, status, body)
        if fault and fault.delay_s:
            time.sleep(fault.delay_s)
        if fault and fault.broken:
            return handler.reply_broken(fault, status, content, media_type, headers)
        return handler.reply(status, content, media_type, headers)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request, client_address):
        # A client that hangs up is an ordinary event of these tests.
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60

    def do_GET(self):
        self.server.api.serve(self, "GET", b"")

    def do_POST(self):
        length = self.headers.get("Content-Length")
        if length is None:
            self.server.api.violations.append("a body without Content-Length")
            self.close_connection = True
            return self.reply(411, b"{}", "application/json", {})
        return self.server.api.serve(self, self.command, self.rfile.read(int(length)))

    do_PUT = do_DELETE = do_POST

    def reply(self, status, body, content_type, headers):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def reply_broken(self, fault, status, body, content_type, headers):
        if faults.send_broken(self.connection, fault, status, body, content_type, headers):
            return
        self.close_connection = True
        if fault.broken == "reset":
            self.rfile.close()
            self.connection.close()

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--key", default="stand-in-key-7Hq")
    parser.add_argument("--host", action="append", default=[], help="name of a host that exists")
    parser.add_argument("--service", action="append", default=[], help="a service that exists")
    arguments = parser.parse_args()
    with StandIn(arguments.port, arguments.key) as api:
        for name in arguments.host:
            api.add_host(name)
        for name in arguments.service:
            api.add_service(name)
        api.on_post = lambda path, status, body: print(
            status, "POST", path, body.decode("utf-8", "replace"), flush=True
        )
        print(f"MACKEREL_APIBASE={api.url} MACKEREL_APIKEY={api.key}", flush=True)
        reported = 0
        try:
            while True:
                time.sleep(0.5)
                for violation in api.violations[reported:]:
                    print(f"violation: {violation}", flush=True)
                    reported += 1
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
