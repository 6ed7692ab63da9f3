"""How often somebody may try to sign in: to one account, and from one address.

Attempts are counted in a moving window: at no moment were there more than the limit in the time
before it. What is counted is the attempt and not its failure, so that many at once gain nothing.
"""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from typing import Any

from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter

from myproject.security.names import normalize_account

log = logging.getLogger(__name__)

#: Seconds after which Redis counts as not answering.
PATIENCE = 1.0
#: Seconds for which Redis is left alone when it has not answered.
PAUSE = 15.0
#: Keys that are counted in memory; beyond them those are forgotten that were not used for longest.
MOST_KEYS = 20_000

# -- the limits -----------------------------------------------------------------------------------


class SignInLimits:
    """Counts attempts to sign in, and says when there were too many.

    :param storage_url: ``memory://``, or the URL of a Redis database that several processes share.
        When Redis does not answer, each process counts for itself until it does.
    :param per_account: how often one account may be tried, such as ``10 per 15 minutes``.
    :param per_address: how often one address may try, whatever the accounts.
    :param prefix: what the keys in Redis begin with.
    :param patience: seconds that Redis may take to answer.
    :param pause: seconds after which a Redis that did not answer is asked again.
    """

    def __init__(
        self,
        storage_url: str,
        per_account: str,
        per_address: str,
        *,
        prefix: str = "myproject",
        patience: float = PATIENCE,
        pause: float = PAUSE,
    ) -> None:
        self._per_account = parse(per_account)
        self._per_address = parse(per_address)
        self._memory = _Memory()
        self._redis = None
        if storage_url != "memory://":
            self._redis = _Redis(storage_url, prefix, patience)
        self._pause = pause
        self._asked_again_at = 0.0
        self._is_down = False

    def allow(self, account: str, address: str) -> int:
        """Count an attempt, and return 0 when it may go on, else the seconds until the next may.

        Trying many accounts from one address ends, and so does trying one account from many
        addresses. An attempt that is refused does not lengthen the wait; one that is refused for
        its address does not count against the account, or one address could lock out its owner.

        :param account: what was given as the account's name, whether there is such an account or
            not.
        :param address: the network address of who is asking.
        """
        hits = (
            (self._per_address, _address_key(address)),
            (self._per_account, _account_key(account)),
        )
        if redis := self._reachable():
            try:
                wait = _first_wait(redis, hits)
            except StorageError as error:
                self._has_failed(error)
            else:
                self._has_answered()
                return wait
        return _first_wait(self._memory, hits)

    def succeeded(self, account: str) -> None:
        """Forget the account's attempts: its owner has just signed in."""
        key = _account_key(account)
        self._memory.clear(key)
        if redis := self._reachable():
            try:
                redis.clear(self._per_account, key)
            except StorageError as error:
                self._has_failed(error)

    # -- a Redis that does not answer -------------------------------------------------------------

    def _reachable(self) -> _Redis | None:
        """Return Redis unless it was found not to answer a moment ago.

        Else every attempt would wait for it in vain, and threads would run out.
        """
        return self._redis if time.monotonic() >= self._asked_again_at else None

    def _has_failed(self, error: StorageError) -> None:
        self._asked_again_at = time.monotonic() + self._pause
        if not self._is_down:
            self._is_down = True
            log.warning(
                "myproject.limits_storage does not answer (%s). Until it does, each process counts "
                "attempts to sign in for itself.",
                error.storage_error,
            )

    def _has_answered(self) -> None:
        if self._is_down:
            self._is_down = False
            log.info("myproject.limits_storage answers again.")


def limits_from(settings: Mapping[str, Any]) -> SignInLimits:
    """Return the application's limits. No connection is made yet."""
    return SignInLimits(
        settings["myproject.limits_storage"],
        settings["myproject.sign_in_limit_account"],
        settings["myproject.sign_in_limit_address"],
    )


def _first_wait(storage: _Redis | _Memory, hits: Iterable[tuple[RateLimitItem, str]]) -> int:
    """Count against one limit after the other until one refuses; return the seconds to wait."""
    return next((wait for hit in hits if (wait := storage.hit(*hit))), 0)


# -- keys -----------------------------------------------------------------------------------------


def _account_key(account: str) -> str:
    # As a hash, because anybody may send a name of any length, and because names are nobody's
    # business who looks into Redis.
    return "account:" + _digest(normalize_account(account))


def _address_key(address: str) -> str:
    try:
        found = ipaddress.ip_address(address.strip())
    except ValueError:
        # A socket of this machine has no address, and a proxy may send anything.
        return "address:" + _digest(address)
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            return f"address:{found.ipv4_mapped}"
        # A household has at least this many addresses, all of them its own to choose from.
        return f"address:{ipaddress.ip_network((int(found), 64), strict=False)}"
    return f"address:{found}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


# -- where attempts are counted -------------------------------------------------------------------


class _Redis:
    """Counts in a Redis database."""

    def __init__(self, url: str, prefix: str, patience: float) -> None:
        # No driver's error reaches the caller but as a StorageError, and so nobody has to import
        # the driver, which is not installed everywhere.
        storage = RedisStorage(
            url,
            key_prefix=prefix,
            wrap_exceptions=True,
            socket_timeout=patience,
            socket_connect_timeout=patience,
        )
        self._windows = MovingWindowRateLimiter(storage)

    def hit(self, limit: RateLimitItem, key: str) -> int:
        """Count, and return how many seconds to wait.

        :raises StorageError: when Redis does not answer.
        """
        if self._windows.hit(limit, key):
            return 0
        return _seconds(self._windows.get_window_stats(limit, key).reset_time - time.time())

    def clear(self, limit: RateLimitItem, key: str) -> None:
        """Forget what was counted.

        :raises StorageError: when Redis does not answer.
        """
        self._windows.clear(limit, key)


class _Memory:
    """Counts in this process.

    The storage in memory that comes with the library keeps every key it has ever seen and looks
    through all of them time and again; names that somebody makes up would fill it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._attempts: OrderedDict[str, deque[float]] = OrderedDict()

    def hit(self, limit: RateLimitItem, key: str) -> int:
        """Count, and return how many seconds to wait."""
        now = time.monotonic()
        with self._lock:
            attempts = self._attempts.setdefault(key, deque(maxlen=limit.amount))
            self._attempts.move_to_end(key)
            if len(self._attempts) > MOST_KEYS:
                self._attempts.popitem(last=False)
            if len(attempts) == limit.amount:
                wait = attempts[0] + limit.get_expiry() - now
                if wait > 0:
                    return _seconds(wait)
            attempts.append(now)
        return 0

    def clear(self, key: str) -> None:
        """Forget what was counted."""
        with self._lock:
            self._attempts.pop(key, None)


def _seconds(wait: float) -> int:
    # A refused attempt always waits: another process may have counted in between.
    return max(1, math.ceil(wait))
