"""The history of a page: every version that somebody has saved, and what they have changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPNotFound
from pyramid.i18n import TranslationStringFactory
from pyramid.renderers import render_to_response

from myproject.content.revision_log import (
    LONGEST_LABEL,
    Change,
    Filters,
    changed,
    changes_of,
    give_name,
    load_history,
    load_neighbours,
    load_revisions,
    people_named,
)
from myproject.content.revisions import Revision, load_revision
from myproject.exceptions import InvalidValue
from myproject.security.permissions import Permission
from myproject.tree.actor import COMMAND_LINE
from myproject.tree.node import DRAFT, PUBLISHED, Node
from myproject.tree.site import leave_revision
from myproject.views.addresses import safe_next
from myproject.views.forms import Form, see_other, tell, text_of
from myproject.views.people import with_query
from myproject.views.periods import period_of
from myproject.views.rendering import TEMPLATES, page_screen
from myproject.views.versions import compared, label_of, labels_of

_ = TranslationStringFactory("myproject")

#: Rows on one page of a list.
PAGE = 30

#: Names of what has changed that a row shows; of more it says how many.
NAMED = 5

#: The two ways in which versions are shown.
BESIDE, INLINE = "beside", "inline"

_FILTERS = ("person", "since", "until", "named")


class Row(NamedTuple):
    """A version as the list shows it.

    :ivar changed: names of what differs from the version before.
    :ivar more: how many further ones there are.
    :ivar is_first: whether there is no version before.
    :ivar badges: pairs of kind and words.
    :ivar compare: the address that shows what has changed; None of the first version.
    :ivar restore: where it is brought back; None for what the page says now.
    """

    number: int
    at: dt.datetime
    actor: str
    comment: str
    label: str
    changed: Sequence[str]
    more: int
    is_first: bool
    badges: Sequence[tuple[str, str]]
    view: str
    compare: str | None
    restore: str | None


# -- the list -------------------------------------------------------------------------------------


def history(context: Node, request: Any) -> Any:
    """Show the versions of a page, the newest first, in at most seven statements; or two of them
    side by side."""
    if "from" in request.GET or "to" in request.GET:
        return _comparison(context, request)
    form, before = Form(_asked(request)), number_in(request.GET.get("before", ""))
    since, until = period_of(request, form)
    filters = Filters(form.values["person"], since, until, bool(form.values["named"]))
    listed = load_history(request.dbsession, context.id, filters, before=before or None, limit=PAGE)
    values = page_screen(request, context, _("History"), "history")
    path = f"{request.canonical_base.removeprefix(request.mount).removesuffix('/')}/@@history"
    rows = rows_of(request, context, listed.revisions)
    return {
        **values,
        "rows": rows,
        "form": form,
        "is_filtered": any(form.values.values()),
        "longest": LONGEST_LABEL,
        "all_url": f"{request.mount}{path}",
        "here_url": with_query(request, path, **form.values, before=before),
        "first": with_query(request, path, **form.values) if before else None,
        "following": with_query(request, path, **form.values, before=listed.following)
        if listed.following
        else None,
        "chosen": (rows[1].number, rows[0].number) if len(rows) > 1 else (0, 0),
    }


def _asked(request: Any) -> dict[str, str]:
    return {name: request.GET.get(name, "").replace("\0", "").strip()[:100] for name in _FILTERS}


def number_in(text: str) -> int:
    """Return the number that a parameter says, 0 for none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


def rows_of(request: Any, node: Node, revisions: Sequence[Revision]) -> list[Row]:
    """Return versions as rows; at most three statements, however many there are."""
    session = request.dbsession
    changes = changes_of(session, revisions)
    people = people_named(session, {revision.actor_id for revision in revisions})
    labels = labels_of(request, {revision.type for revision in revisions})
    base = request.canonical_base.removesuffix("/")
    return [
        _row(request, node, revision, changes[revision.id], people, labels, base)
        for revision in revisions
    ]


def _row(
    request: Any,
    node: Node,
    revision: Revision,
    change: Change,
    people: Mapping[int, str],
    labels: Mapping[str, str],
    base: str,
) -> Row:
    names = [label_of(request, name, labels) for name in change.names]
    number, before = revision.id, change.previous_id
    is_live = is_live_now(revision)
    return Row(
        number,
        revision.at,
        actor_of(request, revision, people),
        revision.comment,
        revision.label,
        names[:NAMED],
        max(0, len(names) - NAMED),
        before is None,
        [*_badges(request, node, revision)],
        f"{base}/@@revision?id={number}",
        None if before is None else f"{base}/@@history?from={before}&to={number}",
        None if is_live else f"{base}/@@restore?id={number}",
    )


def is_live_now(revision: Revision) -> bool:
    """Whether a page still says what a revision does."""
    return revision.valid_from is not None and revision.valid_to is None


def _badges(request: Any, node: Node, revision: Revision) -> list[tuple[str, str]]:
    translate = request.localizer.translate
    if is_live_now(revision):
        if node.seen_state == PUBLISHED:
            return [("live", translate(_("Live now")))]
        return [("current", translate(_("Current version"))), ("draft", translate(_("Draft")))]
    if revision.valid_from is None:
        if revision.id == node.draft_id:
            return [("draft", translate(_("Draft of what comes next")))]
        return [("draft", translate(_("Draft")))]
    if revision.state == DRAFT:
        return [("draft", translate(_("Draft then")))]
    return []


def actor_of(request: Any, deed: Any, people: Mapping[int, str]) -> str:
    """Return who did something, as people are called now.

    :param deed: a revision or an operation.
    """
    if deed.actor_id is None and deed.actor in ("", COMMAND_LINE.name):
        unknown, command_line = _("Before changes were recorded"), _("The command line")
        return request.localizer.translate(command_line if deed.actor else unknown)
    return people.get(deed.actor_id or 0, deed.actor)


# -- comparing ------------------------------------------------------------------------------------


def _comparison(context: Node, request: Any) -> Any:
    session, base = request.dbsession, request.canonical_base.removesuffix("/")
    wanted = [number_in(request.GET.get(name, "")) for name in ("from", "to")]
    found = load_revisions(session, context.id, wanted)
    if not all(number in found for number in wanted):
        raise HTTPNotFound(_("There is no such version of this page."))
    # The older one is on the left, whichever was chosen first.
    old, new = (found[number] for number in sorted(wanted))
    before, after = load_neighbours(session, new)
    names = changed(old, new)
    mode = INLINE if request.GET.get("view") == INLINE else BESIDE
    people = people_named(session, {old.actor_id, new.actor_id})
    url = f"{base}/@@history?from={old.id}&to={new.id}"
    is_step = before == old.id
    values = {
        **page_screen(request, context, _("What changed"), "history"),
        "fields": compared(request, old, new, names),
        "sides": [
            (side, actor_of(request, side, people), is_live_now(side)) for side in (old, new)
        ],
        "same": old.id == new.id,
        "mode": mode,
        "modes": [
            (BESIDE, request.localizer.translate(_("Side by side")), url),
            (INLINE, request.localizer.translate(_("In one text")), f"{url}&view={INLINE}"),
        ],
        "base": base,
        "list_url": f"{base}/@@history",
        "earlier": _step(request, context, base, old.id, mode) if is_step else None,
        "later": f"{base}/@@history?from={new.id}&to={after}{_view(mode)}"
        if is_step and after
        else None,
    }
    template = f"{TEMPLATES}comparison.jinja2"
    return render_to_response(template, values, request, response=request.response)


def _step(request: Any, node: Node, base: str, number: int, mode: str) -> str | None:
    """Return the address that shows what a version has changed."""
    revision = load_revision(request.dbsession, node.id, number)
    before = None if revision is None else load_neighbours(request.dbsession, revision)[0]
    return f"{base}/@@history?from={before}&to={number}{_view(mode)}" if before else None


def _view(mode: str) -> str:
    return f"&view={mode}" if mode == INLINE else ""


# -- naming ---------------------------------------------------------------------------------------


def name_version(context: Node, request: Any) -> Any:
    """Give a version a name, another one, or none."""
    session = request.dbsession
    leave_revision(session)
    back = f"{request.canonical_base.removesuffix('/')}/@@history"
    wanted = text_of(request, "next", 2000)
    back = safe_next(request, wanted) if wanted else back
    revision = load_revision(session, context.id, number_in(text_of(request, "id", 20)))
    if revision is None:
        raise HTTPNotFound(_("There is no such version of this page."))
    label = "" if request.POST.get("do") == "remove" else text_of(request, "label", 1000)
    try:
        is_other = give_name(revision, label)
    except InvalidValue as error:
        tell(request, error.reason, "danger")
        return see_other(request, back)
    if not is_other:
        tell(request, _("Its name is what it was."))
    elif revision.label:
        tell(request, _("It is called “${name}” now.", mapping={"name": revision.label}))
    else:
        tell(request, _("It has no name any more."))
    return see_other(request, back)


def includeme(config: Configurator) -> None:
    """Register the screen for every node."""
    for method, view in (("GET", history), ("POST", name_version)):
        config.add_view(
            view,
            name="history",
            context=Node,
            request_method=method,
            permission=Permission.EDIT,
            renderer=f"{TEMPLATES}history.jinja2",
        )
