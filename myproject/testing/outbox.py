"""A mailer that keeps what it is given, for tests to look at."""

from __future__ import annotations

from email.message import EmailMessage

from zope.interface import implementer

from myproject.interfaces import IMailer


@implementer(IMailer)
class Outbox:
    """Stands in for the mailer: ``site.registry.registerUtility(outbox, IMailer)``.

    :ivar messages: in the order in which they were sent.
    """

    is_working = True

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []

    def send(self, message: EmailMessage) -> None:
        """Keep a message."""
        self.messages.append(message)

    @property
    def subjects(self) -> list[str]:
        """What the messages are about."""
        return [message["Subject"] for message in self.messages]
