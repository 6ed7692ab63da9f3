"""``access``: who may do what where, and why; and changing it."""

from __future__ import annotations

from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from myproject.cli.context import Context, SitePath
from myproject.exceptions import NodeGone, PrincipalGone
from myproject.security.access import Policies, load_policies
from myproject.security.explanation import Answer, Named, Why, explain, load_named, places_of
from myproject.security.models import Principal, User
from myproject.security.names import normalize_account
from myproject.security.sharing import (
    INHERITING_RESUMED,
    INHERITING_STOPPED,
    Change,
    Sharing,
    granted,
    revoked,
)
from myproject.tree.actor import COMMAND_LINE
from myproject.tree.names import MAX_DEPTH
from myproject.tree.node import Node
from myproject.tree.traversal import load_lineage

#: Whom ``explain`` takes besides users: those who are not signed in.
VISITORS = "visitors"

PRINCIPAL = "PRINCIPAL is a user's name, group:NAME, everyone or authenticated."


@click.group()
def access() -> None:
    """Who may do what where, and why."""


@access.command("explain")
@click.argument("user")
@click.argument("path", type=SitePath())
@click.argument("permission", required=False)
@click.pass_obj
def explain_access(
    context: Context, user: str, path: tuple[str, ...], permission: str | None
) -> None:
    """Say what USER may do at PATH, and which grant decides.

    USER is a user's name, or "visitors" for those who are not signed in. With a PERMISSION, say
    only that; status 1 if it is a no.
    """
    if permission is not None and permission not in context.roles.permissions:
        known = ", ".join(context.roles.permissions)
        raise click.BadParameter(f"There is no permission {permission!r}. Known: {known}.")
    with context.reading() as session:
        node, policies = _node(session, path), load_policies(session, context.roles)
        somebody = None if user == VISITORS else _user(session, user)
        explanation = explain(session, policies, node, somebody)
    if not explanation.active:
        click.echo("This account is switched off: it gives access to nothing.")
    width = max(map(len, context.roles.permissions))
    for answer in explanation.answers:
        if permission in (None, answer.permission):
            said = "yes" if answer.allowed else "no"
            for why in _reasons(context, answer):
                click.echo(f"{answer.permission:<{width}}  {said:<3}  {why}")
            if permission is not None and not answer.allowed:
                raise SystemExit(1)


def _reasons(context: Context, answer: Answer) -> list[str]:
    if answer.allowed:
        return [
            f"{context.roles[source.role].title}, given to {_called(source.principal)} "
            f"at {_address(source.place)}"
            for source in answer.sources
        ]
    place = "" if answer.place is None else _address(answer.place)
    reasons = {
        Why.NOT_GIVEN: "no role here or above gives it",
        Why.STOPPED: f"inheriting stops at {place}",
        Why.DRAFT: "this page is a draft",
        Why.BELOW_DRAFT: f"{place} above is a draft",
        Why.INACTIVE: "the account is switched off",
    }
    return [reasons[answer.why]]


@access.command("list")
@click.argument("path", type=SitePath())
@click.pass_obj
def list_grants(context: Context, path: tuple[str, ...]) -> None:
    """Show who was given which role at PATH and above, as far as it holds there."""
    with context.reading() as session:
        node, policies = _node(session, path), load_policies(session, context.roles)
        applying = list(policies.applying(node.boundary_id))
        named = load_named(session, (reason.principal_id for reason in applying))
        places = {place.id: place for place in places_of(node)}
    for reason in applying:
        role = context.roles.get(reason.role)
        title = f"{reason.role} (unknown)" if role is None else str(role.title)
        place = places[reason.node_id]
        where = "here" if place is node else f"from {_address(place)}"
        click.echo(f"{title:<14}  {_called(named[reason.principal_id]):<30}  {where}".rstrip())
    click.echo(_inheriting(policies, node, places))


def _inheriting(policies: Policies, node: Node, places: dict[int, Node]) -> str:
    stopped = policies.stopped_at(node.boundary_id)
    if stopped is None:
        return "Inherits what is granted above." if node.parent_id else "This is the root."
    where = "here" if stopped == node.id else f"at {_address(places[stopped])}"
    return f"Inheriting stops {where}."


@access.command(epilog=PRINCIPAL)
@click.argument("principal")
@click.argument("role")
@click.argument("path", type=SitePath())
@click.pass_obj
def grant(context: Context, principal: str, role: str, path: tuple[str, ...]) -> None:
    """Give PRINCIPAL a ROLE at PATH and everywhere below."""
    _make(context, path, lambda session: granted(_principal(session, principal).id, role))


@access.command(epilog=PRINCIPAL)
@click.argument("principal")
@click.argument("role")
@click.argument("path", type=SitePath())
@click.pass_obj
def revoke(context: Context, principal: str, role: str, path: tuple[str, ...]) -> None:
    """Take a ROLE that PRINCIPAL was given at PATH."""
    _make(context, path, lambda session: revoked(_principal(session, principal).id, role))


@access.command()
@click.argument("path", type=SitePath())
@click.pass_obj
def stop(context: Context, path: tuple[str, ...]) -> None:
    """Have what is granted above PATH not hold there."""
    _make(context, path, lambda session: INHERITING_STOPPED)


@access.command()
@click.argument("path", type=SitePath())
@click.pass_obj
def resume(context: Context, path: tuple[str, ...]) -> None:
    """Have what is granted above PATH hold there again."""
    _make(context, path, lambda session: INHERITING_RESUMED)


def _make(context: Context, path: tuple[str, ...], changing: Any) -> None:
    with context.writing() as tree:
        session = tree.session
        change: Change = changing(session)
        sharing = Sharing(session, context.roles, COMMAND_LINE, None)
        made = sharing.make(_node(session, path), change)
    click.echo("Done." if made else "It was so already.")


def _node(session: Session, names: tuple[str, ...]) -> Node:
    nodes = load_lineage(session, names[: MAX_DEPTH + 1]).nodes
    if len(nodes) <= len(names):
        raise NodeGone("/" + "/".join(names))
    return nodes[-1]


def _user(session: Session, name: str) -> User:
    user = session.scalar(select(User).where(User.name == normalize_account(name)))
    if user is None:
        raise PrincipalGone(f"The user {name!r} no longer exists.")
    return user


def _principal(session: Session, text: str) -> Principal:
    kind, _, name = text.rpartition(":")
    if text in ("everyone", "authenticated"):
        kind = text
    query = select(Principal).where(
        Principal.kind == (kind or "user"), Principal.name == normalize_account(name)
    )
    principal = session.scalar(query)
    if principal is None:
        what = "group" if kind == "group" else "user"
        raise PrincipalGone(f"The {what} {name!r} no longer exists.")
    return principal


def _called(principal: Named) -> str:
    return {
        "everyone": "everyone",
        "authenticated": "everybody who is signed in",
        "group": f"group {principal.name}",
    }.get(principal.kind, principal.name)


def _address(node: Node) -> str:
    """Return a path as it reads in a browser's address bar."""
    return "/" + "/".join(place.name for place in reversed([*places_of(node)]) if place.name)
