"""Domain errors: what can go wrong in the tree, its content and its configuration.

No HTTP lives here: views turn these into pages, the command line into messages. Every error
carries a sentence that says what is wrong and, where there is one, what to do about it. What
people at a browser can meet is a translation string; what only operators and programmers meet is
English.
"""

from __future__ import annotations

import re

from pyramid.i18n import TranslationStringFactory

from myproject.translation import PluralStringFactory, in_english

_ = TranslationStringFactory("myproject")
ngettext = PluralStringFactory("myproject")

#: Characters that a database or a file cannot hold.
UNSTORABLE = re.compile(r"[\0\ud800-\udfff]")


class MyprojectError(Exception):
    """Root of all errors that the product raises on purpose.

    ``str()`` is the message in English, for the command line and for logs.

    :param message: a sentence for people, perhaps a translation string; see
        :func:`myproject.translation.translated`.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return in_english(self.message)


class ConfigurationProblem(MyprojectError):
    """The application cannot start as configured. The message names the ini key."""


class NoSuchService(MyprojectError):
    """Nobody has registered a service of this kind: its add-on is not switched on."""

    def __init__(self, interface: str, name: str) -> None:
        named = f" called {name!r}" if name else ""
        super().__init__(f"There is no service {interface}{named}. Is its add-on switched on?")


class DatabaseUnavailable(ConfigurationProblem):
    """The database named by ``sqlalchemy.url`` does not answer."""


class DatabaseOutdated(ConfigurationProblem):
    """The database's schema is not the one this version needs."""


class MigrationFailed(MyprojectError):
    """A migration raised; the database is what it was.

    :param addon: whose it is; empty for the core.
    :param revision: its id.
    :param place: file and line.
    :param reason: what it raised.
    """

    def __init__(self, addon: str, revision: str, place: str, reason: str) -> None:
        whose = f"of the add-on {addon!r}" if addon else "of the core"
        super().__init__(
            f"The migration {revision} {whose} failed, and nothing has changed.\n{place}: {reason}"
        )
        self.addon = addon
        self.revision = revision


class ReadOnlySession(MyprojectError):
    """Something tried to write while a safe request (GET, HEAD, OPTIONS) was served."""


class TreeError(MyprojectError):
    """An operation on the tree was refused; nothing has been written."""


class InvalidName(TreeError):
    """The name cannot be a URL segment.

    :param name: the name as it was given.
    :param reason: a sentence; perhaps a translation string.
    """

    def __init__(self, name: str, reason: str) -> None:
        # It may have come from a file's name, and be fit for neither a page nor a terminal.
        shown = "".join(each if each.isprintable() else "\ufffd" for each in name)
        super().__init__(
            _("“${name}” cannot be a name. ${reason}", mapping={"name": shown, "reason": reason})
        )
        self.name = name
        self.reason = reason


class NameTaken(TreeError):
    """A sibling already has this name."""

    def __init__(self, name: str, parent_title: str) -> None:
        super().__init__(
            _(
                "“${place}” already has a page named “${name}”. Choose another name.",
                mapping={"place": parent_title, "name": name},
            )
        )
        self.name = name


class MoveIntoItself(TreeError):
    """A node cannot become its own descendant."""

    def __init__(self, title: str) -> None:
        super().__init__(
            _("“${title}” cannot be moved into itself or below itself.", mapping={"title": title})
        )


class RootIsFixed(TreeError):
    """The root has no name, no siblings and no parent; it cannot be moved, renamed or deleted."""


class NotASibling(TreeError):
    """A node was to be placed before something under another parent.

    :param title: of that other thing.
    """

    def __init__(self, title: str) -> None:
        super().__init__(
            _(
                "“${title}” has another parent, so nothing can be put before it here.",
                mapping={"title": title},
            )
        )


class TooDeep(TreeError):
    """The place is deeper than an address may be."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            ngettext(
                "A page can be at most ${n} level below the root.",
                "A page can be at most ${n} levels below the root.",
                limit,
            )
        )


class NodeGone(TreeError):
    """The node was deleted by somebody else in the meantime.

    :param title: empty where nobody knows any more.
    """

    def __init__(self, title: str = "") -> None:
        super().__init__(
            _("“${title}” no longer exists.", mapping={"title": title})
            if title
            else _("The page no longer exists.")
        )


class InTrash(TreeError):
    """The node, or one above it, lies in the trash."""

    def __init__(self, title: str) -> None:
        super().__init__(
            _("“${title}” is in the trash. Restore it first.", mapping={"title": title})
        )
        self.title = title


class NotInTrash(TreeError):
    """The node does not lie in the trash, so it cannot come back from there."""

    def __init__(self, title: str) -> None:
        super().__init__(
            _(
                "“${title}” is not in the trash: somebody has restored it already.",
                mapping={"title": title},
            )
        )


class CannotUndo(TreeError):
    """An operation cannot be taken back any more.

    :param reason: a sentence; perhaps a translation string.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class StepRefused(TreeError):
    """Something that a workflow asks for is not so yet.

    :param reason: a sentence; perhaps a translation string.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnknownContentType(MyprojectError):
    """No registered content type has this name."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"There is no content type {name!r}. Known types: {', '.join(known)}.")
        self.name = name


class NotAddable(TreeError):
    """A type may not be added at this place, or its add-on is switched off."""


class InvalidValue(MyprojectError):
    """A field's value is not acceptable.

    :param field: the field's name.
    :param reason: a sentence that says what is expected, to be shown at the field; perhaps a
        translation string.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(_("${field}: ${reason}", mapping={"field": field, "reason": reason}))
        self.field = field
        self.reason = reason


class TooLong(InvalidValue):
    """A text has more characters than its field can hold."""

    def __init__(self, field: str, limit: int) -> None:
        super().__init__(
            field,
            ngettext(
                "It is longer than ${n} character.", "It is longer than ${n} characters.", limit
            ),
        )


class NoSuchPlace(InvalidValue):
    """What is to say where a list goes on names no place in it.

    :param text: that; quoted as far as somebody may want to read it.
    """

    def __init__(self, field: str, text: str) -> None:
        super().__init__(
            field, _("There is no such place in the list: ${after}", mapping={"after": text[:40]})
        )


class NotComplete(TreeError):
    """A draft cannot be published yet: required fields are empty.

    :param title: of the page.
    :param labels: what people call the fields; perhaps translation strings.
    """

    def __init__(self, title: str, labels: tuple[str, ...]) -> None:
        super().__init__(
            _(
                "“${title}” cannot be published yet. It still needs: ${fields}.",
                mapping={"title": title, "fields": labels},
            )
        )


class AccountError(MyprojectError):
    """Something about accounts, groups or access was refused; nothing has been written."""


class PrincipalGone(AccountError):
    """The user or the group was deleted by somebody else in the meantime."""

    def __init__(self, message: str = _("This user or group no longer exists.")) -> None:
        super().__init__(message)


class LastAdministrator(AccountError):
    """Nobody would be left who can administer the site."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "Nobody would be left who can administer the site. "
                "Make somebody else an administrator first."
            )
        )


class NotYourself(AccountError):
    """Somebody would end the very account that they are using."""


class OutOfReach(AccountError):
    """Somebody wanted to change a user or a group who may do more than they may themselves."""

    def __init__(self, title: str) -> None:
        super().__init__(
            _(
                "“${title}” may do more than you may. Only somebody who may do as much can do "
                "this.",
                mapping={"title": title},
            )
        )


class SignInRefused(AccountError):
    """The name and the password do not fit together, or the account is switched off: the same
    message for all, because it must not tell which accounts there are."""

    def __init__(self) -> None:
        super().__init__(_("The name or the password is not right. Try again."))


class TooManyAttempts(AccountError):
    """A password was tried too often.

    :param seconds: how long to wait.
    """

    def __init__(self, seconds: int) -> None:
        super().__init__(
            ngettext(
                "There were too many attempts. Wait ${n} minute and try again.",
                "There were too many attempts. Wait ${n} minutes and try again.",
                max(1, round(seconds / 60)),
            )
        )
        self.seconds = seconds


class LinkExpired(AccountError):
    """A one-time link was used already, has expired, or was never made."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "This link has been used already or has expired. "
                "Ask for a new one where you sign in."
            )
        )


class RoleTooStrong(AccountError):
    """Somebody wanted to give or to take a role that may do more than they may themselves.

    :param role: what people call it; perhaps a translation string.
    """

    def __init__(self, role: str) -> None:
        super().__init__(
            _(
                "You cannot give or take the role “${role}” here: it may do more than you may.",
                mapping={"role": role},
            )
        )


class LockedOut(AccountError):
    """Somebody would take from themselves the permission that they need for this very thing."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "You would no longer be able to share this page yourself. Give yourself a role "
                "here first, or have somebody else do this."
            )
        )


#: Characters of an error that are told; some quote all that they were about.
LONGEST = 10_000


def in_words(error: BaseException) -> str:
    """Return what an error says, fit to be stored and shown, whatever it is."""
    try:
        text = str(error)
    except Exception:
        text = "it cannot say what happened"
    return UNSTORABLE.sub("\ufffd", f"{type(error).__name__}: {text}")[:LONGEST]
