"""The way to Mackerel: TLS, proxies, connections that die, answers that break, keys that change."""
import contextlib
import shutil
import socket
import ssl
import time

import pytest

import faults
import sender
from network import EXPIRED, Authority, ConnectProxy, Forwarder
from running import Gateway
from sender import SECOND, boundary
from standin import StandIn

PATIENCE_S = 40
HOST = "web-1"

needs_openssl = pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl command")


class Posting:
    """A gateway that posts loads of HOST to `api`, under other options than the fixture's."""

    def __init__(self, api, options, environment):
        self.api, self.host = api, api.add_host(HOST)
        fixed = {"minutes.grace": "1s", "hosts.native_metrics": "on"}
        self.gateway = Gateway(api, fixed | options, environment=environment)

    def send(self, minutes_ago=4):
        self.at_ns = boundary(minutes_ago)
        sender.send_http(self.gateway, sender.load(HOST, self.at_ns))

    def posted(self):
        """Every value that was posted for the newest minute that was sent."""
        return self.api.values.get(("host", self.host, "loadavg5", self.at_ns // SECOND), [])

    def arrives(self):
        return self.api.wait(self.posted, PATIENCE_S)


@contextlib.contextmanager
def posting_to(api, *, environment=None, **options):
    one = Posting(api, options, environment)
    try:
        one.send()
        yield one
        one.gateway.check_end()
    finally:
        one.gateway.close()


def check_failing(one, *words):
    """The delivery fails and says why, in the status and in the log; the values stay."""

    def says(status):
        message = status["delivery"]["message"]
        return status["delivery"]["state"] == "degraded" and all(w in message for w in words)

    status = one.gateway.wait(says, PATIENCE_S)
    assert all(word in one.gateway.output() for word in words)
    assert status["ledger"]["values"]["queued"] > 0


# ---- TLS --------------------------------------------------------------------------------------


@needs_openssl
def test_a_trusted_certificate_is_accepted(tmp_path):
    authority = Authority(tmp_path)
    with StandIn(tls=authority.server()) as api:
        with posting_to(api, **{"mackerel.ca_file": authority.file}) as one:
            assert one.arrives()
        assert api.violations == []


@needs_openssl
@pytest.mark.parametrize(
    "words, server, trusts",
    [
        (["certificate has expired"], {"dates": EXPIRED}, True),
        (["localhost", "match"], {"name": "elsewhere.example"}, True),
        (["unable to get local issuer certificate", "mackerel.ca_file"], {}, False),
    ],
    ids=["expired", "wrong host", "unknown authority"],
)
def test_a_bad_certificate_is_named_and_the_values_are_kept(tmp_path, words, server, trusts):
    authority = Authority(tmp_path)
    options = {"mackerel.ca_file": authority.file} if trusts else {}
    with StandIn(tls=authority.server(**server)) as api:
        with posting_to(api, **options) as one:
            check_failing(one, *words)
        assert api.requests == []


@needs_openssl
@pytest.mark.filterwarnings("ignore:ssl:DeprecationWarning")
def test_old_tls_is_not_spoken(tmp_path):
    authority = Authority(tmp_path)
    context = authority.server()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with StandIn(tls=context) as api:
        with posting_to(api, **{"mackerel.ca_file": authority.file}) as one:
            check_failing(one, "protocol version")
        assert api.requests == []


# ---- names, ports, proxies --------------------------------------------------------------------


@pytest.mark.parametrize(
    "apibase, words",
    [
        ("http://no-such-name.invalid", ["no-such-name.invalid", "resolve"]),
        ("http://127.0.0.1:{port}", ["127.0.0.1", "connect"]),
    ],
    ids=["unknown name", "closed port"],
)
def test_what_cannot_be_reached_is_named(apibase, words):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        base = apibase.format(port=unused.getsockname()[1])
        with StandIn() as api, posting_to(api, **{"mackerel.apibase": base}) as one:
            check_failing(one, *words)


@needs_openssl
def test_a_proxy_of_the_environment_is_used_unless_no_proxy_names_the_host(tmp_path):
    authority = Authority(tmp_path)
    trusts = {"mackerel.ca_file": authority.file}
    with StandIn(tls=authority.server()) as api, ConnectProxy() as proxy:
        environment = {"https_proxy": f"http://127.0.0.1:{proxy.port}", "no_proxy": ""}
        with posting_to(api, environment=environment, **trusts) as one:
            assert one.arrives()
        assert set(proxy.asked) == {("CONNECT", f"localhost:{api.port}")}
        proxy.asked.clear()
        api.hosts.clear()
        environment["no_proxy"] = "localhost"
        with posting_to(api, environment=environment, **trusts) as one:
            assert one.arrives()
        assert proxy.asked == []


@needs_openssl
def test_a_proxy_that_refuses_is_named(tmp_path):
    authority = Authority(tmp_path)
    with StandIn(tls=authority.server()) as api, ConnectProxy() as proxy:
        proxy.refusal = b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n"
        environment = {"https_proxy": f"http://127.0.0.1:{proxy.port}", "no_proxy": ""}
        options = {"mackerel.ca_file": authority.file}
        with posting_to(api, environment=environment, **options) as one:
            check_failing(one, "CONNECT", "407")


# ---- connections and answers ------------------------------------------------------------------


def test_a_kept_connection_that_died_costs_nothing(api):
    with Forwarder(("127.0.0.1", api.port)) as between:
        base = f"http://127.0.0.1:{between.port}"
        with posting_to(api, **{"mackerel.apibase": base}) as one:
            assert one.arrives()
            between.cut()
            one.send(3)
            assert one.arrives()
            assert one.gateway.status()["delivery"]["state"] == "ok"
            assert "Mackerel API fails" not in one.gateway.output()


@pytest.mark.parametrize("broken", ["half", "garbage"])
def test_values_of_a_broken_answer_are_posted_again_and_a_stop_confirms_them(api, broken):
    """The attempt may still arrive, so the value waits 60 s for a last post; a stop does not."""
    api.fault("/api/v0/tsdb", method="POST", broken=broken, after=True)
    with posting_to(api, **{"state.durability": "memory"}) as one:
        assert api.wait(lambda: len(one.posted()) == 2, PATIENCE_S), one.posted()
        # The second one was accepted and read: a stop before that would have nothing to confirm.
        one.gateway.wait(lambda s: s["delivery"]["last_post"])
        assert one.gateway.status()["ledger"]["values"]["queued"] > 0
        assert one.gateway.stop() == 0, one.gateway.output()
        assert "values_lost=0" in one.gateway.output()
    assert len(one.posted()) == 3 and len(set(one.posted())) == 1


def test_values_behind_a_reset_are_posted_again_at_once(api):
    api.fault("/api/v0/tsdb", method="POST", broken="reset", after=True)
    with posting_to(api) as one:  # the look-up kept the connection
        assert api.wait(lambda: len(one.posted()) == 2, PATIENCE_S), one.posted()
        assert "Mackerel API fails" not in one.gateway.output()


@pytest.mark.parametrize("broken", ["headless", "long"])
def test_an_answer_whose_status_came_is_an_answer(api, broken):
    api.fault("/api/v0/tsdb", method="POST", broken=broken)
    with posting_to(api) as one:
        assert one.arrives()
        one.send(3)
        assert one.arrives()
        one.gateway.wait(lambda s: s["ledger"]["values"]["queued"] == 0)


def test_an_endless_answer_is_cut_off(api):
    api.fault("/api/v0/hosts", broken="endless")
    with posting_to(api) as one:
        assert one.arrives()
        assert one.gateway.peak_rss_bytes() < 512 << 20


def test_a_log_in_page_is_no_answer_to_a_look_up(api):
    api.fault("/api/v0/hosts", times=2, status=200, body=faults.HTML, content_type="text/html")
    with posting_to(api) as one:
        assert one.arrives()
        assert "log-in page" in one.gateway.output()
        assert "host unknown" not in one.gateway.output()


def test_a_2xx_that_says_something_else_counts_and_is_said_once(api):
    page = {"status": 200, "body": faults.HTML, "content_type": "text/html", "after": True}
    api.fault("/api/v0/tsdb", method="POST", times=2, **page)
    with posting_to(api) as one:
        assert one.arrives()
        one.send(3)
        assert one.arrives()
        assert one.gateway.output().count("the answer is odd") == 1


def test_a_redirect_is_not_followed(api):
    api.fault("/api/v0/hosts", status=302, headers={"Location": f"{api.url}/api/v0/org"})
    with posting_to(api) as one:
        assert one.arrives()
        assert "redirect" in one.gateway.output()
    assert all(request.path != "/api/v0/org" for request in api.requests)


def test_an_outage_ends_when_retry_after_says(api):
    api.fault("/api/v0/tsdb", method="POST", status=503, headers={"Retry-After": "4"})
    with posting_to(api) as one:
        assert one.arrives()
        first, second = _posts(api)[:2]
        assert 4 <= second.at_s - first.at_s < 4 + 3


def _posts(api):
    return [r for r in api.requests if r.method == "POST" and r.path == "/api/v0/tsdb"]


# ---- the key ----------------------------------------------------------------------------------


def _with_key_file(path):
    return {"mackerel.apikey": "", "mackerel.apikey_file": path}


def test_a_key_that_is_rotated_while_all_is_well_is_in_use_seconds_later(api, tmp_path):
    path = tmp_path / "key"
    path.write_text(api.key + "\n")
    with posting_to(api, **_with_key_file(path)) as one:
        assert one.arrives()
        api.rotate_key("second-key-0vB", overlap=True)
        path.write_text("second-key-0vB\n")
        one.gateway.wait(lambda _: "the file of the API key changed" in one.gateway.output(), 15)
        api.end_overlap()
        one.send(3)
        assert one.arrives()
        assert "refuses the API key" not in one.gateway.output()
        assert "second-key" not in one.gateway.output()


def test_a_key_that_was_refused_is_replaced_without_a_restart(api, tmp_path):
    path = tmp_path / "key"
    path.write_text("mistyped-key-w2K\n")
    with posting_to(api, **_with_key_file(path)) as one:
        one.gateway.wait(lambda s: s["delivery"]["state"] == "paused", PATIENCE_S)
        assert "refuses the API key" in one.gateway.output()
        began = time.monotonic()
        new = tmp_path / "new"
        new.write_text(api.key)
        new.rename(path)
        assert one.arrives()
        assert time.monotonic() - began < 30  # not at the next minute's attempt, but at once
