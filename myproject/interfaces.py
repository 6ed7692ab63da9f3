"""The contracts that add-ons rely on. Imports nothing of ours."""

from __future__ import annotations

from typing import Any

from zope.interface import Attribute, Interface

# zope.interface contracts declare methods without ``self``; type checkers cannot know that.
# pyright: reportSelfClsParameterName=false, reportGeneralTypeIssues=false


class INode(Interface):
    """A place in the tree: location-aware, so that Pyramid can walk it."""

    __name__ = Attribute("The URL segment; the empty string at the root.")
    __parent__ = Attribute("The node above, None at the root.")
    id = Attribute("The stable number of the node; never used again after a deletion.")
    title = Attribute("What a person calls it.")
    type = Attribute("The name of its content type.")


class IDatabase(Interface):
    """The application's database: one engine that reads, one that writes."""

    def read_session() -> Any:  # type: ignore[misc]
        """Return a session for a safe request; a flush on it raises ``ReadOnlySession``."""

    def write_session(manager: Any) -> Any:
        """Return a session that joins *manager*, a ``transaction.TransactionManager``."""


class IContentTypes(Interface):
    """The registry of content types."""

    def get(name: str) -> Any:
        """Return the ``ContentType`` called *name* or None when no such type is switched on."""


class IMailer(Interface):
    """Takes mail that is to leave the house."""

    is_working = Attribute("Whether mail gets anywhere; False where it is switched off.")

    def send(message: Any) -> None:
        """Hand over an ``email.message.EmailMessage``, which is sent soon or given up and logged.

        Neither waits nor fails. It is called after the commit, because mail cannot be taken back:
        use ``myproject.mail.send_after_commit``.
        """


class IBulkMailer(IMailer):
    """A mailer that takes many messages at once, as one of those that may wait."""

    def send_all(messages: Any) -> None:
        """Hand over a sequence of messages; like ``send``, it neither waits nor fails.

        Each may be made only when it is asked for, which is done once. Use
        ``myproject.mail.send_all_after_commit``, which works with any mailer.
        """


class IRoles(Interface):
    """The roles and permissions of the site: role name -> role."""

    def get(name: str) -> Any:
        """Return the role called *name*, or None."""


class IMarkdownRenderer(Interface):
    """Turns Markdown into sanitised HTML."""

    def render(source: str, title: str | None = None) -> Any:
        """Return an object with ``html`` (sanitised) and ``toc`` (headings in order)."""


class ISitemap(Interface):
    """The site's list of pages for search engines, where there is one."""

    def url() -> str:  # type: ignore[misc]
        """Return its absolute URL, as whoever makes the request reaches it."""


class ISitemapFilter(Interface):
    """Keeps pages out of the sitemap that visitors may see all the same.

    Any number of add-ons register one each: ``config.add_service(factory, ISitemapFilter,
    name="seo")``. The factory gets the request for the sitemap. It is the same for everybody, so
    what is returned must not depend on who asks.
    """

    def condition(node_id: Any) -> Any:
        """Return an SQL expression that holds for pages that may be listed, None for all.

        :param node_id: the column with the page's id.
        """
