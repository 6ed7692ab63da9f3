"""Mail: composing a message, handing it over after the commit, and the ways it can go from there.

A request never waits for a mail server. That keeps it quick, and the time it takes does not tell
whether there was anybody to write to.
"""

from __future__ import annotations

import atexit
import logging
import queue
import smtplib
import ssl
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import make_msgid
from typing import Any

from pyramid.config import Configurator
from sqlalchemy.orm import Session
from zope.interface import implementer

from myproject.db.transaction import manager_of
from myproject.interfaces import IBulkMailer, IMailer
from myproject.registry import registry_of
from myproject.setting_types import Server, address_problem, read_server

log = logging.getLogger(__name__)

#: Messages that wait for the mail server, a mailing counting as one; more are given up.
MOST_WAITING = 1000
#: Seconds between the tries for one message, of which there is one more than pauses.
PAUSES = (5.0, 30.0)
#: Seconds that the mail server may take for one step.
PATIENCE = 15.0
#: Seconds that messages are waited for when the process ends.
FAREWELL = 5.0


def includeme(config: Configurator) -> None:
    """Register the application's mailer as the utility ``IMailer``."""
    registry = registry_of(config)
    mailer = mailer_from(registry.declared_settings)
    registry.registerUtility(mailer, IMailer)


def mailer_from(settings: Mapping[str, Any]) -> NoMailer | ConsoleMailer | SMTPMailer:
    """Return the mailer that ``myproject.mail`` names. No connection is made yet."""
    url = settings["myproject.mail"]
    if url == "console:":
        return ConsoleMailer()
    server = read_server(url)
    return SMTPMailer(server) if server else NoMailer()


# -- messages -------------------------------------------------------------------------------------


def compose(sender: str, recipient: str, subject: str, text: str) -> EmailMessage:
    """Return a message of plain text to one person.

    :param sender: a mail address, usually ``myproject.mail_from``.
    :param recipient: one mail address.
    :param subject: one line; breaks and control characters in it become spaces.
    :raises ValueError: for what is no single mail address, so that none adds recipients or headers.
    """
    for name, address in (("sender", sender), ("recipient", recipient)):
        if problem := address_problem(address):
            raise ValueError(f"The {name} of a mail {problem}.")
    # Seven bits, because a server need not take eight.
    message = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    message["From"] = sender
    message["To"] = recipient
    message["Subject"] = " ".join(_without_controls(subject).split())
    message["Date"] = datetime.now(UTC)
    # Our own domain, or the name of this machine would be looked up and told.
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    # Nobody's absence note has to answer (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    return message


@dataclass(frozen=True)
class Mailing(Sequence[EmailMessage]):
    """One text for many people, each of whom gets a message that names nobody else.

    A message is composed when it is asked for: a thousand take seconds.

    :ivar recipients: mail addresses.
    """

    sender: str
    recipients: Sequence[str]
    subject: str
    text: str

    def __len__(self) -> int:
        return len(self.recipients)

    def __getitem__(self, number: Any) -> Any:
        recipient: str = self.recipients[int(number)]
        return compose(self.sender, recipient, self.subject, self.text)


def _without_controls(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


def send_after_commit(session: Session, mailer: Any, message: EmailMessage) -> None:
    """Hand *message* over when the transaction of *session* has been committed.

    If it is aborted nothing is sent, and if the request is tried again only the try that succeeds
    sends something.

    :param session: one that writes.
    :param mailer: the utility ``IMailer``.
    """

    send_all_after_commit(session, mailer, [message])


def send_all_after_commit(session: Session, mailer: Any, messages: Sequence[EmailMessage]) -> None:
    """Do the same with many messages, such as those of a :class:`Mailing`.

    They are handed over all at once where the mailer takes that, so that however many there are
    none is given up because of the others.
    """

    def hand_over(is_committed: bool) -> None:
        if not is_committed:
            return
        if IBulkMailer.providedBy(mailer):
            mailer.send_all(messages)
        else:
            for message in messages:
                mailer.send(message)

    manager_of(session).get().addAfterCommitHook(hand_over)


def _domains(message: EmailMessage) -> str:
    """Return the recipients for the log, of whom only the domain is shown."""
    return ", ".join(f"***@{address.domain}" for address in message["To"].addresses)


# -- mailers --------------------------------------------------------------------------------------


@implementer(IMailer)
class NoMailer:
    """Mail is switched off."""

    is_working = False

    def send(self, message: EmailMessage) -> None:
        """Send nothing, and say so in the log."""
        log.info("Mail to %s was not sent: myproject.mail is empty.", _domains(message))


@implementer(IMailer)
class ConsoleMailer:
    """Prints messages, for development."""

    is_working = True

    def send(self, message: EmailMessage) -> None:
        """Print who writes to whom and what, as a person reads it, to standard error."""
        headers = [f"{name}: {message[name]}" for name in ("From", "To", "Subject")]
        lines = ["", "-- mail " + "-" * 64, *headers, "", message.get_content().rstrip(), "-" * 72]
        # At once, or lines of other threads get in between.
        sys.stderr.write("\n".join([*lines, ""]))
        sys.stderr.flush()


@implementer(IBulkMailer)
class SMTPMailer:
    """Sends messages by a mail server, one after the other, in a thread of its own.

    :param server: the mail server; ``smtps`` encrypts from the start, ``smtp+starttls`` before
        anything is told.
    :param pauses: seconds between the tries for one message.
    :param patience: seconds that the mail server may take for one step.
    :param most_waiting: messages that wait at most; those that were handed over together count as
        one.
    """

    is_working = True

    def __init__(
        self,
        server: Server,
        *,
        pauses: Sequence[float] = PAUSES,
        patience: float = PATIENCE,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._server = server
        self._pauses = pauses
        self._patience = patience
        self._waiting: queue.Queue[Sequence[EmailMessage]] = queue.Queue(most_waiting)
        self._unsent = 0
        self._lock = threading.Lock()
        self._worker: threading.Thread | None = None
        self._is_closing = threading.Event()

    def send(self, message: EmailMessage) -> None:
        """Put *message* into the queue; what becomes of it is in the log."""
        if not self._put([message]):
            log.error("Mail to %s was given up: too many are waiting.", _domains(message))

    def send_all(self, messages: Sequence[EmailMessage]) -> None:
        """Put *messages* into the queue, as one; what becomes of each is in the log."""
        if not self._put(messages):
            log.error("%d mails were given up: too many are waiting.", len(messages))

    def _put(self, messages: Sequence[EmailMessage]) -> bool:
        """Return whether there was room."""
        with self._lock:
            try:
                self._waiting.put_nowait(messages)
            except queue.Full:
                return False
            self._unsent += len(messages)
        self._start()
        return True

    def close(self, within: float = FAREWELL) -> None:
        """Send what is waiting without further pauses, and give up the rest.

        :param within: seconds it may take.
        """
        atexit.unregister(self.close)
        self._is_closing.set()
        end = time.monotonic() + within
        with self._waiting.all_tasks_done:
            while self._waiting.unfinished_tasks and (left := end - time.monotonic()) > 0:
                self._waiting.all_tasks_done.wait(left)
        with self._lock:
            lost = self._unsent
        if lost:
            log.error("%d mails were given up: the process ended.", lost)

    def _start(self) -> None:
        # Not before there is something to send: a server may fork once it has the application,
        # and threads do not come along.
        with self._lock:
            if self._worker is None or not self._worker.is_alive():
                self._worker = threading.Thread(target=self._work, name="mail", daemon=True)
                self._worker.start()
                atexit.register(self.close)

    def _work(self) -> None:
        while True:
            messages = self._waiting.get()
            for number in range(len(messages)):
                self._attempt(messages, number)
            self._waiting.task_done()

    def _attempt(self, messages: Sequence[EmailMessage], number: int) -> None:
        """Send one of some messages, or say why not."""
        to = "somebody"
        try:
            message = messages[number]
            to = _domains(message)
            self._deliver(message)
        except Exception as error:
            # Whatever it is, the next message is to be sent. Errors of the mail server may quote
            # the recipient, so they are not logged as they are.
            log.error("Mail to %s was not sent: %s", to, _describe(error))  # noqa: TRY400
        finally:
            with self._lock:
                self._unsent -= 1

    def _deliver(self, message: EmailMessage) -> None:
        for pause in self._pauses:
            try:
                return self._transmit(message)
            except OSError as error:  # which smtplib's errors are, too
                if _is_final(error):
                    raise
                log.warning("Mail to %s is tried again: %s", _domains(message), _describe(error))
            self._is_closing.wait(pause)
        return self._transmit(message)

    def _transmit(self, message: EmailMessage) -> None:
        with self._connect() as connection:
            if self._server.scheme == "smtp+starttls":
                connection.starttls(context=ssl.create_default_context())
            if self._server.user:
                connection.login(self._server.user, self._server.password)
            connection.send_message(message)

    def _connect(self) -> smtplib.SMTP:
        server = self._server
        if server.scheme == "smtps":
            return smtplib.SMTP_SSL(
                server.host,
                server.port or smtplib.SMTP_SSL_PORT,
                timeout=self._patience,
                context=ssl.create_default_context(),
            )
        usual = 587 if server.scheme == "smtp+starttls" else smtplib.SMTP_PORT
        return smtplib.SMTP(server.host, server.port or usual, timeout=self._patience)


def _code(error: Exception) -> int | None:
    """Return the number with which a mail server refused, if that is what happened."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return next(iter(error.recipients.values()))[0]
    return error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else None


def _is_final(error: Exception) -> bool:
    """Tell whether trying again is of no use: the server said so, or cannot do what we need."""
    code = _code(error)
    return isinstance(error, smtplib.SMTPNotSupportedError) or (code is not None and code >= 500)


def _describe(error: Exception) -> str:
    """Return what went wrong without anything that the mail server may have quoted."""
    if code := _code(error):
        return f"{type(error).__name__} {code}"
    if isinstance(error, OSError) and not isinstance(error, smtplib.SMTPException):
        return str(error)
    return type(error).__name__
