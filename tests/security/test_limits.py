"""Limits on signing in: counted in memory and in Redis, and what happens when Redis is away."""

import logging
import socket
import uuid

import pytest
import redis

from myproject.security import limits
from myproject.security.limits import SignInLimits, limits_from

ADDRESS = "192.0.2.1"


@pytest.fixture
def clock(monkeypatch):
    """The time as the limits see it; ``clock.now += 60``."""

    class Clock:
        now = 1_000_000.0

        def time(self):
            return self.now

        monotonic = time

    clock = Clock()
    monkeypatch.setattr(limits, "time", clock)
    # Redis' windows are placed by the library, from its own look at the clock.
    monkeypatch.setattr("limits.storage.redis.time", clock)
    return clock


@pytest.fixture(params=["memory", "redis"])
def make(request, clock):
    """``make("3 per minute", "10 per minute")``: limits that share what they count, if they can."""
    if request.param == "memory":
        yield lambda *rates: SignInLimits("memory://", *rates)
        return
    url, prefix = request.getfixturevalue("redis_url"), f"test-{uuid.uuid4().hex}"
    made = []

    def make(*rates):
        made.append(SignInLimits(url, *rates, prefix=prefix))
        return made[-1]

    yield make
    with redis.Redis.from_url(url) as client:
        for key in client.scan_iter(f"{prefix}:*"):
            client.delete(key)
    for each in made:
        assert not each._is_down
        each._redis._windows.storage.storage.close()


@pytest.fixture
def attempt(make):
    """Try three times in a minute for an account, five times from an address."""
    return make("3 per minute", "5 per minute").allow


# -- counting -------------------------------------------------------------------------------------


def test_an_account_can_be_tried_so_often(attempt, clock):
    assert [attempt("alice", f"192.0.2.{number}") for number in range(3)] == [0, 0, 0]
    assert attempt("alice", "192.0.2.9") == 60
    assert attempt("bob", "192.0.2.9") == 0


def test_an_address_can_try_so_often(attempt):
    assert [attempt(f"account {number}", ADDRESS) for number in range(5)] == [0] * 5
    assert attempt("somebody else", ADDRESS) == 60
    assert attempt("somebody else", "192.0.2.2") == 0


def test_the_window_moves(attempt, clock):
    attempt("alice", ADDRESS)
    clock.now += 20
    attempt("alice", ADDRESS)
    attempt("alice", ADDRESS)
    clock.now += 30
    assert attempt("alice", ADDRESS) == 10
    clock.now += 10.5
    assert attempt("alice", ADDRESS) == 0
    assert attempt("alice", ADDRESS) == 20, "rounded up, for 19.5 would be too early"


def test_being_refused_does_not_lengthen_the_wait(attempt, clock):
    for _ in range(3):
        attempt("alice", ADDRESS)
    for number in range(10):
        clock.now += 5
        assert attempt("alice", f"198.51.100.{number}") == 60 - (clock.now - 1_000_000)
    clock.now += 10.5
    assert attempt("alice", "192.0.2.3") == 0


def test_the_account_is_spared_what_the_address_is_refused(attempt, clock):
    for _ in range(3):
        attempt("alice", ADDRESS)
    # Refused for the account, and counted for the address.
    assert attempt("alice", ADDRESS) == 60
    assert attempt("alice", ADDRESS) == 60
    assert attempt("bob", ADDRESS) == 60
    # Refused for the address: somebody else must not be able to lock the owner out.
    assert [attempt("carol", ADDRESS) for _ in range(3)] == [60] * 3
    assert attempt("carol", "192.0.2.2") == 0


def test_the_longer_wait_counts(make, clock):
    attempt = make("1 per minute", "2 per hour").allow
    assert attempt("alice", ADDRESS) == 0
    assert attempt("alice", ADDRESS) == 60
    assert attempt("alice", ADDRESS) == 3600


def test_success_forgets_the_account_and_not_the_address(make):
    both = make("2 per minute", "4 per minute")
    for _ in range(2):
        both.allow("alice", ADDRESS)
    both.succeeded(" ALICE ")
    assert [both.allow("alice", ADDRESS) for _ in range(2)] == [0, 0]
    both.succeeded("alice")
    assert both.allow("alice", ADDRESS) == 60


def test_success_of_somebody_unknown(make):
    make("2 per minute", "4 per minute").succeeded("nobody")


@pytest.mark.parametrize("same", ["ALICE", " alice ", "ａｌｉｃｅ", "Alice"])
def test_spellings_of_one_account(make, same):
    attempt = make("1 per minute", "9 per minute").allow
    assert attempt("alice", ADDRESS) == 0
    assert attempt(same, ADDRESS) > 0


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:0DB8:0001:0002::1", True),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("", "", True),
        ("", "unix:", False),
    ],
)
def test_addresses(make, one, other, is_same):
    attempt = make("9 per minute", "1 per minute").allow
    assert attempt("alice", one) == 0
    assert (attempt("alice", other) > 0) is is_same


@pytest.mark.parametrize("text", ["x" * 100_000, "\ud800", "\0", "a:b/c d\r\n"])
def test_anything_can_be_sent_as_an_account_or_an_address(make, text):
    attempt = make("1 per minute", "2 per minute").allow
    assert attempt(text, text) == 0
    assert attempt(text, text) == 60


def test_processes_share_redis(redis_url, clock):
    prefix = f"test-{uuid.uuid4().hex}"
    first, second = (
        SignInLimits(redis_url, "1 per minute", "9 per minute", prefix=prefix) for _ in range(2)
    )
    assert first.allow("alice", ADDRESS) == 0
    assert second.allow("alice", ADDRESS) == 60
    second.succeeded("alice")
    assert first.allow("alice", ADDRESS) == 0
    with redis.Redis.from_url(redis_url) as client:
        keys = list(client.scan_iter(f"{prefix}:*"))
        assert len(keys) == 2
        assert not any(b"alice" in key for key in keys)
        assert all(0 < client.ttl(key) <= 60 for key in keys), "left behind for ever"
        client.delete(*keys)
    for each in (first, second):
        each._redis._windows.storage.storage.close()


def test_memory_is_bounded_and_keeps_who_is_trying(monkeypatch, clock):
    monkeypatch.setattr(limits, "MOST_KEYS", 10)
    both = SignInLimits("memory://", "1 per minute", "5 per minute")
    for number in range(50):
        both.allow(f"made up {number}", f"192.0.2.{number}")
    assert len(both._memory._attempts) == 10
    assert both.allow("made up 49", "198.51.100.1") == 60


def test_limits_come_from_the_settings(clock):
    both = limits_from(
        {
            "myproject.limits_storage": "memory://",
            "myproject.sign_in_limit_account": "1 per minute",
            "myproject.sign_in_limit_address": "2 per 2 hours",
        }
    )
    assert both.allow("alice", ADDRESS) == 0
    assert both.allow("alice", ADDRESS) == 60
    assert both.allow("bob", ADDRESS) == 7200


# -- a Redis that does not answer -----------------------------------------------------------------


@pytest.fixture
def deaf():
    """The URL of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://:s3cret@127.0.0.1:{server.getsockname()[1]}/0", server


def connections(server):
    """Count the connections that were made since the last look."""
    server.setblocking(False)
    count = 0
    while True:
        try:
            server.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


def test_redis_that_hangs(deaf, clock, caplog):
    url, server = deaf
    both = SignInLimits(url, "2 per minute", "9 per minute", patience=0.02, pause=15)
    assert [both.allow("alice", ADDRESS) for _ in range(3)] == [0, 0, 60]
    both.succeeded("alice")
    assert both.allow("alice", ADDRESS) == 0
    assert connections(server) == 1, "who finds it hanging waits once, and nobody for a while"
    clock.now += 16
    both.allow("alice", ADDRESS)
    assert connections(server) == 1
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith("myproject.limits_storage does not answer (")
    assert "s3cret" not in caplog.text


def test_redis_that_is_not_there(caplog):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    both = SignInLimits(f"redis://127.0.0.1:{port}/0", "1 per minute", "9 per minute", pause=0)
    assert both.allow("alice", ADDRESS) == 0
    assert both.allow("alice", ADDRESS) > 0
    both.succeeded("alice")
    assert both.allow("alice", ADDRESS) == 0
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_redis_that_comes_back(redis_url, clock, caplog, monkeypatch):
    caplog.set_level(logging.INFO, logger=limits.__name__)
    prefix = f"test-{uuid.uuid4().hex}"
    both = SignInLimits(redis_url, "1 per minute", "9 per minute", prefix=prefix, pause=15)
    client = both._redis._windows.storage.storage
    with monkeypatch.context() as broken:

        def fail(*args, **kw):
            raise redis.ConnectionError("gone")

        broken.setattr(client, "execute_command", fail)
        assert both.allow("alice", ADDRESS) == 0
        assert both.allow("alice", ADDRESS) == 60
    assert both.allow("alice", ADDRESS) == 60, "not asked again yet"
    clock.now += 16
    assert both.allow("alice", ADDRESS) == 0
    assert both.allow("alice", ADDRESS) == 60
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2
    assert told[0].startswith("myproject.limits_storage does not answer (gone).")
    assert told[1] == "myproject.limits_storage answers again."
    for key in client.scan_iter(f"{prefix}:*"):
        client.delete(key)
    client.close()
