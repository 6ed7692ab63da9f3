"""Domain errors: what can go wrong in the tree, its content and its configuration.

No HTTP lives here: views turn these into pages, the command line into messages. Every error
carries a sentence that says what is wrong and, where there is one, what to do about it.
"""

from __future__ import annotations

import re

#: Characters that a database or a file cannot hold.
UNSTORABLE = re.compile(r"[\0\ud800-\udfff]")


class MyprojectError(Exception):
    """Root of all errors that the product raises on purpose; ``str()`` is fit for a person."""


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
    :param reason: a sentence fragment that completes "... because it ...".
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name!r} cannot be a name: it {reason}.")
        self.name = name
        self.reason = reason


class NameTaken(TreeError):
    """A sibling already has this name."""

    def __init__(self, name: str, parent_title: str) -> None:
        super().__init__(
            f"{parent_title!r} already has a page named {name!r}. Choose another name."
        )
        self.name = name


class MoveIntoItself(TreeError):
    """A node cannot become its own descendant."""

    def __init__(self, title: str) -> None:
        super().__init__(f"{title!r} cannot be moved into itself or below itself.")


class RootIsFixed(TreeError):
    """The root has no name, no siblings and no parent; it cannot be moved, renamed or deleted."""

    def __init__(self, operation: str) -> None:
        super().__init__(f"The root of the site cannot be {operation}.")


class NotASibling(TreeError):
    """Reordering was asked to place a node next to something under another parent."""

    def __init__(self, title: str, other: str) -> None:
        super().__init__(f"{title!r} and {other!r} do not have the same parent.")


class TooDeep(TreeError):
    """The place is deeper than an address may be."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"A page can be at most {limit} levels below the root.")


class NodeGone(TreeError):
    """The node was deleted by somebody else in the meantime."""

    def __init__(self, title: str) -> None:
        super().__init__(f"{title!r} no longer exists.")


class InTrash(TreeError):
    """The node, or one above it, lies in the trash."""

    def __init__(self, title: str) -> None:
        super().__init__(f"{title!r} is in the trash. Restore it first.")
        self.title = title


class NotInTrash(TreeError):
    """The node does not lie in the trash, so it cannot come back from there."""

    def __init__(self, title: str) -> None:
        super().__init__(f"{title!r} is not in the trash: somebody has restored it already.")


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
    :param reason: a sentence that says what is expected.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class NotComplete(TreeError):
    """A draft cannot be published yet: required fields are empty.

    :param title: of the page.
    :param labels: what people call the fields.
    """

    def __init__(self, title: str, labels: tuple[str, ...]) -> None:
        super().__init__(f"{title!r} cannot be published yet. It still needs: {', '.join(labels)}.")
        self.title = title
        self.labels = labels


class AccountError(MyprojectError):
    """Something about accounts, groups or access was refused; nothing has been written."""


class PrincipalGone(AccountError):
    """The user or the group was deleted by somebody else in the meantime."""

    def __init__(self, what: str = "This user or group") -> None:
        super().__init__(f"{what} no longer exists.")


class LastAdministrator(AccountError):
    """Nobody would be left who can administer the site."""

    def __init__(self) -> None:
        super().__init__(
            "Nobody would be left who can administer the site. "
            "Make somebody else an administrator first."
        )


class NotYourself(AccountError):
    """Somebody would end the very account that they are using.

    :param verb: what they wanted to do with it.
    """

    def __init__(self, verb: str) -> None:
        super().__init__(f"You cannot {verb} your own account. Have another administrator do it.")


class OutOfReach(AccountError):
    """Somebody wanted to change a user or a group who may do more than they may themselves."""

    def __init__(self, title: str) -> None:
        super().__init__(
            f"{title!r} may do more than you may. Only somebody who may do as much can do this."
        )


class SignInRefused(AccountError):
    """The name and the password do not fit together, or the account is switched off: the same
    message for all, because it must not tell which accounts there are."""

    def __init__(self) -> None:
        super().__init__("The name or the password is not right. Try again.")


class TooManyAttempts(AccountError):
    """There were too many attempts to sign in.

    :param seconds: how long to wait.
    """

    def __init__(self, seconds: int) -> None:
        minutes = max(1, round(seconds / 60))
        wait = "a minute" if minutes == 1 else f"{minutes} minutes"
        super().__init__(f"There were too many attempts to sign in. Wait {wait} and try again.")
        self.seconds = seconds


class LinkExpired(AccountError):
    """A one-time link was used already, has expired, or was never made."""

    def __init__(self) -> None:
        super().__init__(
            "This link has been used already or has expired. Ask for a new one where you sign in."
        )


class RoleTooStrong(AccountError):
    """Somebody wanted to give or to take a role that may do more than they may themselves."""

    def __init__(self, role: str) -> None:
        super().__init__(
            f"You cannot give or take the role {role!r} here: it may do more than you may."
        )


class LockedOut(AccountError):
    """Somebody would take from themselves the permission that they need for this very thing."""

    def __init__(self) -> None:
        super().__init__(
            "You would no longer be able to share this page yourself. Give yourself a role here "
            "first, or have somebody else do this."
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
