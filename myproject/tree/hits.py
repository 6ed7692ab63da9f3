"""How often redirects are followed: counted in memory, written now and then."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import weakref
from collections.abc import Iterable

from sqlalchemy import bindparam, update

from myproject.db.base import utcnow
from myproject.db.engine import Database
from myproject.db.transaction import mark_changed
from myproject.tree.redirects import Redirect
from myproject.tree.site import leave_revision

log = logging.getLogger(__name__)

#: Seconds for which hits are only counted in memory.
HITS_EVERY = 5.0

_TABLE = Redirect.__table__
_MORE_HITS = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("row"))
    .values(hits=_TABLE.c.hits + bindparam("times"), last_hit_at=bindparam("at"))
)


class Hits:
    """Counts how often redirects are followed, and writes it down now and then.

    Requests that follow one only read, so they write nothing themselves: what they count is
    written by a thread, in a transaction of its own, a few seconds after the first one that was
    not written yet, and when the process ends.

    :param database: the application's.
    """

    def __init__(self, database: Database, *, every: float = HITS_EVERY) -> None:
        self._every, self._waiting = every, _Waiting(database)
        self._timer: threading.Timer | None = None
        # Not a method of this object, which would then live as long as the process.
        self._finalizer = weakref.finalize(self, self._waiting.write)

    def count(self, redirect_ids: Iterable[int]) -> None:
        """Count one hit of each of some redirects; never waits for the database."""
        with self._waiting.lock:
            self._waiting.add(redirect_ids, utcnow())
            if self._timer is None:
                self._timer = threading.Timer(self._every, self.flush)
                self._timer.daemon = True
                self._timer.start()

    def flush(self) -> None:
        """Write what was counted. What cannot be written is logged, and tried again later."""
        with self._waiting.lock:
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        self._waiting.write()

    def close(self) -> None:
        """Write what was counted, and start no thread any more for that."""
        self.flush()
        self._finalizer.detach()


class _Waiting:
    """What was counted and is not written yet."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.lock, self.writing = threading.Lock(), threading.Lock()
        self.hits: dict[int, tuple[int, dt.datetime]] = {}

    def add(self, redirect_ids: Iterable[int], at: dt.datetime, times: int = 1) -> None:
        for number in redirect_ids:
            count, last = self.hits.get(number, (0, at))
            self.hits[number] = (count + times, max(last, at))

    def write(self) -> None:
        # One at a time: who closes the application waits for the thread that is about to write.
        with self.writing:
            with self.lock:
                hits, self.hits = self.hits, {}
            if hits:
                self._write(hits)

    def _write(self, hits: dict[int, tuple[int, dt.datetime]]) -> None:
        # In order, so that two processes that write the same rows wait and do not lock up.
        rows = [{"row": n, "times": hits[n][0], "at": hits[n][1]} for n in sorted(hits)]
        try:
            with self.database.transaction() as session:
                leave_revision(session)
                session.connection().execute(_MORE_HITS, rows)
                mark_changed(session)
        except Exception:
            log.warning("Hits of %d redirects wait to be written", len(rows), exc_info=True)
            with self.lock:
                for number, (times, at) in hits.items():
                    self.add([number], at, times)
