"""Where one-time links lead, and whether they can be mailed.

A request says itself which host it is for, so whoever sends it can choose. On a screen that does
no harm: the link is shown to who chose. In mail it goes to somebody else, with a token that opens
their account; there the host comes from the configuration.
"""

from __future__ import annotations

from typing import Any

from pyramid.i18n import TranslationStringFactory

from myproject.exceptions import AccountError
from myproject.interfaces import IMailer
from myproject.mail import compose, send_after_commit
from myproject.security import links
from myproject.security.models import User

_ = TranslationStringFactory("myproject")


class CannotMailLinks(AccountError):
    """It is not known which address one-time links in mail would have to lead to."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "A link cannot be mailed: the setting myproject.canonical_host does not say which "
                "address this site has. Show the link and pass it on yourself."
            )
        )


def one_time_url(request: Any, token: str) -> str:
    """Return the address of a one-time link that is shown to whoever has just made it."""
    return links.one_time_url(request.canonical_host.rstrip("/") + request.mount, token)


def one_time_url_for_mail(request: Any, token: str) -> str:
    """Return the address of a one-time link that is mailed.

    :raises CannotMailLinks: when nobody has configured which host it would lead to.
    """
    settings = request.registry.settings
    if not settings["myproject.canonical_host"] and not settings["myproject.development"]:
        raise CannotMailLinks
    return one_time_url(request, token)


def can_mail_links(request: Any) -> bool:
    """Whether mail gets anywhere and it is known where links in it lead."""
    settings = request.registry.settings
    known = settings["myproject.canonical_host"] or settings["myproject.development"]
    return bool(known) and request.registry.getUtility(IMailer).is_working


def link_hours(request: Any) -> int:
    """Return how many hours a one-time link works, at least one."""
    lifetime = request.registry.settings["myproject.link_lifetime"]
    return max(1, round(lifetime.total_seconds() / 3600))


def mail_link(request: Any, user: User, token: str, subject: Any, text: Any) -> None:
    """Mail a one-time link when the transaction has been committed.

    :param subject, text: translation strings that know ``name``, ``site``, ``hours`` and ``url``.
    :raises CannotMailLinks:
    """
    settings = request.registry.settings
    mapping = {
        "name": user.title,
        "site": settings["myproject.site_title"],
        "hours": link_hours(request),
        "url": one_time_url_for_mail(request, token),
    }
    subject, text = (request.localizer.translate(words % mapping) for words in (subject, text))
    message = compose(settings["myproject.mail_from"], user.email or "", subject, text)
    send_after_commit(request.dbsession, request.registry.getUtility(IMailer), message)
