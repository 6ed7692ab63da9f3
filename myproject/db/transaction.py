"""The rules that tie a session to a transaction manager.

zope.sqlalchemy commits only sessions that were marked as changed. Flushes of mapped objects mark
them; Core statements do not, so whoever executes one calls ``mark_changed``. The session factory
is registered once, and each session carries the manager of its own request, so no listener is
built per request and no manager is shared between threads.
"""

from __future__ import annotations

from typing import Any

from pyramid.interfaces import IRequest
from pyramid_retry import mark_error_retryable
from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker
from zope.sqlalchemy.datamanager import join_transaction
from zope.sqlalchemy.datamanager import mark_changed as zope_mark_changed

#: Key of ``session.info`` under which a writing session keeps its transaction manager.
TRANSACTION_MANAGER = "transaction_manager"

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def is_transactional(request: IRequest) -> bool:
    """Tell pyramid_tm whether *request* gets a transaction: only one that may write does."""
    return not reads_only(request)


def reads_only(request: Any) -> bool:
    """Whether *request* writes nothing: by its method, or by the view that it is for.

    What is looked at while somebody types must not wait for the lock of those who write, nor have
    them wait: on SQLite a transaction takes it when it begins.
    """
    if request.method in SAFE_METHODS:
        return True
    last = request.environ.get("PATH_INFO", "").rpartition("/")[2]
    return last.startswith("@@") and last[2:] in request.registry.reading_posts


def manager_of(session: Session) -> Any:
    """Return the transaction manager that commits *session*."""
    return session.info[TRANSACTION_MANAGER]


def mark_changed(session: Session) -> None:
    """Make sure that *session* is committed; call it after every Core-level INSERT or UPDATE."""
    zope_mark_changed(session, manager_of(session))


class TransactionEvents:
    """Listeners that join each new session to the manager it carries."""

    def listen(self, sessions: sessionmaker[Session]) -> None:
        """Register with a session factory, once for all its sessions."""
        event.listen(sessions, "after_begin", self.join)
        # One that has not executed anything yet has something to write at the end all the same.
        event.listen(sessions, "after_attach", self.join)
        event.listen(sessions, "after_flush", self.after_flush)
        event.listen(sessions, "do_orm_execute", self.do_orm_execute)

    def join(self, session: Session, *_: Any) -> None:
        join_transaction(session, transaction_manager=manager_of(session))

    def after_flush(self, session: Session, *_: Any) -> None:
        mark_changed(session)

    def do_orm_execute(self, state: Any) -> None:
        if state.is_insert or state.is_update or state.is_delete:
            mark_changed(state.session)


def mark_busy_retryable(engine: Engine) -> None:
    """Have pyramid_retry run a request again when SQLite's lock could not be had in time."""

    @event.listens_for(engine, "handle_error")
    def on_error(context: ExceptionContext) -> None:
        error = context.sqlalchemy_exception
        if isinstance(error, OperationalError) and "database is locked" in str(error.orig):
            mark_error_retryable(error)
